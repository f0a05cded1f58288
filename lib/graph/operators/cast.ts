/** Operators that turn values into another type. */

import type { Call } from '../call.ts'
import { inStretches, type Pass } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { type ElementType, factsOf, type GraphTensor, kindOf, typeOfCode } from '../tensor.ts'
import { type Rows, rowOf } from './row.ts'

/**
 * The values as another type: cut off towards 0 to integers. Integers wrap in a smaller type, floating-point values beyond its range become
 * its nearest end, and NaN 0. Everything but 0 is true.
 */
export function* cast(call: Call, x: GraphTensor, type: ElementType): Pass<GraphTensor> {
  if (x.type === type) return x
  const made = call.allocate(type, x.shape)
  yield* inStretches(made.data.length, (start, end) => castValues(x, made, start, end), 2)
  return yield* rounded(made)
}

function castValues(x: GraphTensor, { type, data }: GraphTensor, start: number, end: number): void {
  const kind = kindOf(type)
  const from = x.data
  const isFloat = kindOf(x.type) === 'float'
  if (kind === 'bool') for (let i = start; i < end; i++) data[i] = from[i] === 0 || from[i] === 0n ? 0 : 1
  else if (kind === 'big') {
    const range = isFloat ? factsOf(type).range : undefined
    for (let i = start; i < end; i++) data[i] = toBig(from[i], range)
  } else if (kind === 'integer' && isFloat) {
    const [least, most] = factsOf(type).range!
    for (let i = start; i < end; i++) data[i] = Math.min(Math.max(Math.trunc(from[i] as number) || 0, least), most)
  } else {
    for (let i = start; i < end; i++) {
      const value = from[i]
      // Low bits first: a bigint beyond 2^53 would lose them as a number.
      data[i] = kind === 'integer' && typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : Number(value)
    }
  }
  if (type === 'int4') for (let i = start; i < end; i++) data[i] = ((data[i] as number) << 28) >> 28
  if (type === 'uint4') for (let i = start; i < end; i++) data[i] = (data[i] as number) & 15
}

/** `range`: of floating-point values. None of them is the greatest integer of 64 bits: its number is 1 more. */
function toBig(value: number | bigint, range?: readonly [least: number, end: number]): bigint {
  if (typeof value === 'bigint') return value
  if (range === undefined) return BigInt(value)
  if (value >= range[1]) return BigInt(range[1]) - 1n
  return BigInt(Math.max(Math.trunc(value) || 0, range[0]))
}

function castTo(call: Call): Pass<GraphTensor> {
  const code = call.attribute('to')
  // The oldest opset has the name of the type.
  const type = typeOfCode(typeof code === 'string' ? oldNames.indexOf(code.toUpperCase()) : call.integer('to', -1))
  return cast(call, call.input(0), type ?? call.unsupported('to asks for a type that is not supported'))
}

const oldNames: readonly string[] =
  'UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64'.split(' ')

export const casts: Rows = {
  Cast: rowOf(castTo, 1, 1, 'to saturate round_mode'),
  CastLike: rowOf((call) => cast(call, call.input(0), call.input(1).type), 2, 2, 'saturate round_mode'),
}
