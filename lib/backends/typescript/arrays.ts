/** Copies of values, and arrays that others may share; by plain loops, which nothing that a script replaces can change. */

/** target[at] … = source[from] …, `count` values. */
export function copy(target: Float32Array, at: number, source: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) target[at + i] = source[from + i]
}

/** Unlike `slice`, nothing that a subclass could have replaced. */
export function copyOf(values: Float32Array): Float32Array {
  return new Float32Array(values)
}

/** Over shared memory, as the native arenas are: it cannot be transferred away from under a stream. */
export function sharedArray(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT))
}

/** A copy in shared memory. */
export function sharedCopy(values: Float32Array): Float32Array {
  const shared = sharedArray(values.length)
  copy(shared, 0, values, 0, values.length)
  return shared
}

/** The same values in an array of another length; the array itself where it has that length already. */
export function resized(values: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (length === values.length) return values
  const larger = new Float32Array(length)
  copy(larger, 0, values, 0, values.length)
  return larger
}
