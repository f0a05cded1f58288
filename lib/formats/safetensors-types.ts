/** The types of values in safetensors files; it alone knows how each becomes float32. */

import { float8E4M3ToNumber, float8E5M2ToNumber } from '../precision/widening.ts'
import { fromLittleEndian } from '../tensor/bytes.ts'
import { getters } from './values.ts'

type Read = (view: DataView, at: number) => number

/** How values of one type are read. */
export interface Dtype {
  /** Of one value. */
  readonly bytes: number
  /** The values as float32, each rounded to nearest, ties to even; the bytes may lie unaligned. */
  readonly decode: (bytes: Uint8Array) => Float32Array
}

/** Past 2^52 a 64-bit integer, taken as a double first, could be rounded twice. */
const exactHigh = 2 ** 20

/**
 * A 64-bit integer rounded once. A large one loses its lowest 11 bits, and keeps in the bit above whether they were all zeros: 53 bits, and
 * the same rounding to 24.
 */
function rounded(high: number, low: number): number {
  if (high < exactHigh && high >= -exactHigh) return high * 2 ** 32 + low
  const sticky = (low & 2047) === 0 ? 0 : 1
  return Math.fround(high * 2 ** 21 + ((low >>> 11) | sticky)) * 2048
}

const row = (bytes: number, read: Read): Dtype => ({ bytes, decode: (from) => convert(from, bytes, read) })

/** A type of one byte has 256 values. */
function byteRow(toValue: (byte: number) => number): Dtype {
  const values = Float32Array.from({ length: 256 }, (_, byte) => toValue(byte))
  return row(1, (view, at) => values[view.getUint8(at)])
}

/** By their names in files; there are no others. */
export const dtypes: Readonly<Record<string, Dtype>> = {
  __proto__: null as never,
  F32: { bytes: 4, decode: fromLittleEndian },
  F16: row(2, getters.float16),
  BF16: row(2, getters.bfloat16),
  F64: row(8, getters.float64),
  F8_E4M3: byteRow(float8E4M3ToNumber),
  F8_E5M2: byteRow(float8E5M2ToNumber),
  BOOL: byteRow((byte) => (byte === 0 ? 0 : 1)),
  I8: row(1, getters.int8),
  I16: row(2, getters.int16),
  I32: row(4, getters.int32),
  I64: row(8, (view, at) => rounded(view.getInt32(at + 4, true), view.getUint32(at, true))),
  U8: row(1, getters.uint8),
  U16: row(2, getters.uint16),
  U32: row(4, getters.uint32),
  U64: row(8, (view, at) => rounded(view.getUint32(at + 4, true), view.getUint32(at, true))),
}

/** For the words that refuse another. */
export const knownDtypes = 'F64, F32, F16, BF16, F8_E4M3, F8_E5M2, BOOL, I8 to I64 and U8 to U64'

function convert(bytes: Uint8Array, size: number, read: Read): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(bytes.length / size)
  for (let i = 0; i < values.length; i++) values[i] = read(view, i * size)
  return values
}
