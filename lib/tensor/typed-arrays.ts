/** What a typed array truly is, whatever its own properties say; of any realm. */

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const tagOf = getter(typedArray, Symbol.toStringTag)
const lengthOf = getter(typedArray, 'length')
const bufferOf = getter(typedArray, 'buffer')
const offsetOf = getter(typedArray, 'byteOffset')
const sharedSizeOf = getter(SharedArrayBuffer.prototype, 'byteLength')

function getter(prototype: object, key: PropertyKey): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(prototype, key)!.get!
}

/** 'Float32Array' and the like for real typed arrays of any realm, else undefined; cannot be fooled by what an object says. */
export function typedArrayName(value: unknown): string | undefined {
  return tagOf.call(value) as string | undefined
}

/** The true length of a typed array, whatever its own properties say; 0 where its buffer is detached. */
export function trueLength(value: ArrayBufferView): number {
  return lengthOf.call(value) as number
}

/**
 * A view of this realm over the same values, where they are truly float32 in shared memory, which cannot be detached; undefined where
 * they are not, whatever the array says of itself.
 */
export function sharedView(value: unknown): Float32Array | undefined {
  if (typedArrayName(value) !== 'Float32Array') return undefined
  const buffer = bufferOf.call(value) as SharedArrayBuffer
  try {
    sharedSizeOf.call(buffer)
  } catch {
    return undefined
  }
  return new Float32Array(buffer, offsetOf.call(value) as number, lengthOf.call(value) as number)
}

/** Whether a buffer was transferred away. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0 || (typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer))
    return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
