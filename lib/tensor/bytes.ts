/** Float32 values as bytes in little-endian order, as files and saved states have them. */

import { Buffer } from 'node:buffer'
import { bytesOf, copyBytes, floatsOver } from '../intrinsics/captured.ts'

const bigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0

/** The bytes of float32 values, lowest byte first on every machine; shares the array's memory where it can. */
export function littleEndian(values: Float32Array): Uint8Array {
  const bytes = bytesOf(values)
  return bigEndian ? swapped(copyBytes(bytes)) : bytes
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
