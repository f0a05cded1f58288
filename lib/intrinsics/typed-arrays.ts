/** What a typed array truly is, whatever its own properties say; of any realm. */
import { getterOf, isShared, typedArray, typedBuffer, viewOf } from './captured.ts'

/** 'Float32Array' and the like for real typed arrays of any realm, else undefined; cannot be fooled by what an object says. */
export const typedArrayName = getterOf<string | undefined>(typedArray, Symbol.toStringTag)

/** The true length of a typed array, whatever its own properties say; 0 where its buffer is detached. */
export const trueLength: (value: ArrayBufferView) => number = getterOf(typedArray, 'length')

/**
 * A view of this realm over the same values, where they are truly float32 in shared memory, which cannot be detached; undefined where
 * they are not, whatever the array says of itself.
 */
export function sharedView(value: unknown): Float32Array | undefined {
  if (typedArrayName(value) !== 'Float32Array' || !isShared(typedBuffer(value))) return undefined
  const values = value as Float32Array
  return viewOf(values, 0, trueLength(values))
}

/** The same bytes as a plain view of the length that they have now: a Buffer's slice is no copy, and a detached buffer has no bytes. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  const length = trueLength(bytes)
  return length === 0 ? new Uint8Array() : new Uint8Array(bytes.buffer, bytes.byteOffset, length)
}

/** Whether a buffer was transferred away. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
