/** Copies of values, and arrays that others may share; by loops and captured functions, which nothing that a script replaces can change. */
import { newSharedFloats, setValues } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import type { ForwardResult } from '../interface.ts'

/** target[at] … = source[from] …, `count` values. */
export function copy(target: Float32Array, at: number, source: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) target[at + i] = source[from + i]
}

/** A copy in shared memory, byte by byte: where integers lie, four of them may be a NaN, whose bits are not kept by one that is read as a number. */
export function sharedCopy(values: Float32Array): Float32Array {
  const shared = newSharedFloats(trueLength(values))
  setValues(shared, values)
  return shared
}

/** `target` with the first values of a state, zeros where there is none; they may be the same array. */
export function startedFrom(state: Float32Array | undefined, target: Float32Array, count: number): Float32Array {
  for (let i = 0; i < count; i++) target[i] = state ? state[i] : 0
  return target
}

/** A result, copied into arrays of the same lengths where there are any. */
export function copied(result: ForwardResult, into: Partial<ForwardResult>): ForwardResult {
  const place = (values: Float32Array | undefined, target: Float32Array | undefined) => {
    if (!values || !target) return values
    setValues(target, values)
    return target
  }
  return { output: place(result.output, into.output), hn: place(result.hn, into.hn)!, cn: place(result.cn, into.cn) }
}
