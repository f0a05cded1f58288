/** How single values of each type lie in the bytes of model files: little-endian, two of the 4-bit types in a byte. */

import type { ElementType } from '../graph/tensor.ts'
import { bfloat16ToNumber, halfToNumber } from '../precision/widening.ts'

type Get<Value> = (view: DataView, at: number) => Value

/** How a value is read at a byte. */
export const getters: Readonly<
  Record<Exclude<ElementType, 'int64' | 'uint64'>, Get<number>> & Record<'int64' | 'uint64', Get<bigint>>
> = {
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
  float16: (view, at) => halfToNumber(view.getUint16(at, true)),
  bfloat16: (view, at) => bfloat16ToNumber(view.getUint16(at, true)),
  int64: (view, at) => view.getBigInt64(at, true),
  uint64: (view, at) => view.getBigUint64(at, true),
  int32: (view, at) => view.getInt32(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int16: (view, at) => view.getInt16(at, true),
  uint16: (view, at) => view.getUint16(at, true),
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  bool: (view, at) => view.getUint8(at),
  // Two in a byte, the first one in its low half.
  uint4: (view, at) => (view.getUint8(Math.floor(at)) >> (at % 1 === 0 ? 0 : 4)) & 15,
  int4: (view, at) => (view.getUint8(Math.floor(at)) << (at % 1 === 0 ? 28 : 24)) >> 28,
}
