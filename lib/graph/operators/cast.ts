/** Operators that turn values into another type. */

import type { Call } from '../call.ts'
import { roundTo } from '../rounding.ts'
import { type ElementType, factsOf, type GraphTensor, typeOfCode } from '../tensor.ts'
import type { Rows } from './row.ts'

/** The values as another type: cut off towards 0 to integers, which wrap; everything but 0 is true. */
export function cast(call: Call, x: GraphTensor, type: ElementType): GraphTensor {
  if (x.type === type) return x
  const { kind } = factsOf(type)
  const made = call.allocate(type, x.shape)
  const { data } = made
  const from = x.data
  if (kind === 'bool') for (let i = 0; i < data.length; i++) data[i] = from[i] === 0 || from[i] === 0n ? 0 : 1
  else if (kind === 'big') for (let i = 0; i < data.length; i++) data[i] = toBig(from[i])
  else {
    for (let i = 0; i < data.length; i++) {
      const value = from[i]
      // Low bits first: a bigint beyond 2^53 would lose them as a number.
      data[i] = kind === 'integer' && typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : Number(value)
    }
  }
  roundTo(type, data)
  if (type === 'int4') for (let i = 0; i < data.length; i++) data[i] = ((data[i] as number) << 28) >> 28
  if (type === 'uint4') for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) & 15
  return made
}

function toBig(value: number | bigint): bigint {
  if (typeof value === 'bigint') return value
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n
}

function castTo(call: Call): GraphTensor {
  const code = call.attribute('to')
  // The oldest opset has the name of the type.
  const type =
    typeof code === 'string' ? typeOfCode(oldNames.indexOf(code.toUpperCase())) : typeOfCode(call.integer('to', -1))
  return cast(call, call.input(0), type ?? call.unsupported('to asks for a type that is not supported'))
}

const oldNames: readonly string[] = [
  'UNDEFINED',
  'FLOAT',
  'UINT8',
  'INT8',
  'UINT16',
  'INT16',
  'INT32',
  'INT64',
  'STRING',
  'BOOL',
  'FLOAT16',
  'DOUBLE',
  'UINT32',
  'UINT64',
]

export const casts: Rows = {
  Cast: { run: castTo, inputs: [1, 1], attributes: ['to', 'saturate', 'round_mode'] },
  CastLike: {
    run: (call) => cast(call, call.input(0), call.input(1).type),
    inputs: [2, 2],
    attributes: ['saturate', 'round_mode'],
  },
}
