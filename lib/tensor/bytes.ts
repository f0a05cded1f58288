/** Values as bytes in little-endian order, as files and saved states have them. */
import { bytesIn, bytesOf, copyBytes, setValues, zeros } from '../intrinsics/captured.ts'

/** Whether this machine keeps the highest byte of a value first. */
export const bigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0

/** The bytes of any values, lowest byte first on every machine; shares the array's memory where it can. */
export function littleEndian(values: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }): Uint8Array {
  const bytes = bytesOf(values)
  const size = values.BYTES_PER_ELEMENT
  return !bigEndian || size === 1 ? bytes : swap(copyBytes(bytes), size)
}

/** Writes values out of such bytes, which may lie unaligned; the array is filled. */
export function setLittleEndian(
  values: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): void {
  const into = bytesOf(values)
  setValues(into, bytes)
  if (bigEndian) swap(into, values.BYTES_PER_ELEMENT)
}

/** The reverse of {@link littleEndian}: float32 values out of bytes that may lie unaligned; always a copy. */
export function fromLittleEndian(bytes: Uint8Array): Float32Array {
  const values = zeros(bytesIn(bytes) / 4)
  setLittleEndian(values, bytes)
  return values
}

/** Turns the bytes of each value round, in place. */
function swap(bytes: Uint8Array, size: number): Uint8Array {
  for (let at = 0; at < bytes.length; at += size) {
    for (let low = at, high = at + size - 1; low < high; low++, high--) {
      const byte = bytes[low]
      bytes[low] = bytes[high]
      bytes[high] = byte
    }
  }
  return bytes
}
