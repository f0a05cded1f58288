/** Operators that turn values into another type. */

import type { Call } from '../call.ts'
import type { Pass } from '../pace.ts'
import { type ElementType, factsOf, type GraphTensor, kindOf, typeOfCode } from '../tensor.ts'
import { converted } from './arithmetic.ts'
import { type Rows, rowOf } from './row.ts'

/**
 * The values as another type: cut off towards 0 to integers. Integers wrap in a smaller type, floating-point values beyond its range become
 * its nearest end, and NaN 0. Everything but 0 is true.
 */
export function cast(call: Call, x: GraphTensor, type: ElementType): GraphTensor | Pass<GraphTensor> {
  return x.type === type ? x : converted(call, x, type, conversion(x.type, type), 2)
}

function conversion(given: ElementType, type: ElementType): (value: never) => number | bigint {
  const { kind, range: [least, most] = [] } = factsOf(type)
  const isFloat = kindOf(given) === 'float'
  const whole = (value: number) => Math.max(Math.trunc(value) || 0, least!)
  if (kind === 'bool') return (value: number | bigint) => (value === 0 || value === 0n ? 0 : 1)
  // No floating-point number is the greatest of 64 bits: as a number, `most` is 1 more.
  if (kind === 'big' && isFloat) return (value: number) => (value >= most! ? BigInt(most!) - 1n : BigInt(whole(value)))
  if (kind === 'big') return BigInt
  if (kind === 'integer' && isFloat) return (value: number) => Math.min(whole(value), most!)
  // Low bits first: a bigint beyond 2^53 would lose them as a number.
  const cut = (value: number | bigint) =>
    Number(kind === 'integer' && typeof value === 'bigint' ? BigInt.asIntN(32, value) : value)
  if (type === 'int4') return (value) => (cut(value) << 28) >> 28
  return type === 'uint4' ? (value) => cut(value) & 15 : cut
}

function castTo(call: Call): GraphTensor | Pass<GraphTensor> {
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
