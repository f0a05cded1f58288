/** Float32 values as bytes in little-endian order, as files and saved states have them. */

const bigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0

/** The bytes of float32 values, lowest byte first on every machine; shares the array's memory where it can. */
export function littleEndian(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return bigEndian ? Buffer.from(bytes).swap32() : bytes
}

/** The reverse of {@link littleEndian}: float32 values out of bytes that may lie unaligned; always a copy. */
export function fromLittleEndian(bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes)
  if (bigEndian) Buffer.from(copy.buffer).swap32()
  return new Float32Array(copy.buffer)
}
