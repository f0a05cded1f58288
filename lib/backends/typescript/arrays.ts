/** Copies of values, and arrays that others may share; by plain loops, which nothing that a script replaces can change. */
import { newSharedFloats } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'

/** target[at] … = source[from] …, `count` values. */
export function copy(target: Float32Array, at: number, source: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) target[at + i] = source[from + i]
}

/** A copy in shared memory. */
export function sharedCopy(values: Float32Array): Float32Array {
  const length = trueLength(values)
  const shared = newSharedFloats(length)
  copy(shared, 0, values, 0, length)
  return shared
}
