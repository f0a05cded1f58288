/** Values as bytes in little-endian order, as files and saved states have them. */

import { Buffer } from 'node:buffer'
import { bytesOf, copyBytes, floatsOver, setBytes } from '../intrinsics/captured.ts'

const bigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0

/** The bytes of float32 values, lowest byte first on every machine; shares the array's memory where it can. */
export function littleEndian(values: Float32Array): Uint8Array {
  const bytes = bytesOf(values)
  return bigEndian ? swapped(copyBytes(bytes)) : bytes
}

/** The bytes of any values, lowest byte first on every machine; shares the array's memory where it can. */
export function littleEndianBytes(values: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }): Uint8Array {
  const bytes = bytesOf(values)
  const size = values.BYTES_PER_ELEMENT
  if (!bigEndian || size === 1) return bytes
  const copy = Buffer.from(copyBytes(bytes).buffer)
  return size === 2 ? copy.swap16() : size === 4 ? copy.swap32() : copy.swap64()
}

/** Writes values out of such bytes, which may lie unaligned; the array is filled. */
export function setLittleEndian(
  values: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): void {
  const into = bytesOf(values)
  setBytes(into, bytes)
  if (!bigEndian) return
  const swappable = Buffer.from(into.buffer as ArrayBuffer, into.byteOffset, into.byteLength)
  if (values.BYTES_PER_ELEMENT === 2) swappable.swap16()
  else if (values.BYTES_PER_ELEMENT === 4) swappable.swap32()
  else if (values.BYTES_PER_ELEMENT === 8) swappable.swap64()
}

/** The reverse of {@link littleEndian}: float32 values out of bytes that may lie unaligned; always a copy. */
export function fromLittleEndian(bytes: Uint8Array): Float32Array {
  const copy = copyBytes(bytes)
  return floatsOver(bigEndian ? swapped(copy) : copy)
}

function swapped(bytes: Uint8Array): Uint8Array {
  Buffer.from(bytes.buffer).swap32()
  return bytes
}
