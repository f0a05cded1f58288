/**
 * For `toEqual`: numeric arrays of the same type and the same bytes are equal. All others go the long way, element by element with its keys,
 * which takes most of the time of an emulated or sanitized run.
 */
const TypedArray = Object.getPrototypeOf(Uint8Array) as Uint8ArrayConstructor
const { compare } = Buffer
const { getPrototypeOf } = Object

function bytesOf(values: Uint8Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}

/** True where it can be told by the bytes; undefined leaves it to others. */
export function sameBytes(a: unknown, b: unknown): true | undefined {
  if (!(a instanceof TypedArray && b instanceof TypedArray) || getPrototypeOf(a) !== getPrototypeOf(b)) return undefined
  return a.length === b.length && compare(bytesOf(a), bytesOf(b)) === 0 ? true : undefined
}
