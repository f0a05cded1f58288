/** Whether two arrays share memory, also where two SharedArrayBuffers are the same memory under two names. */
import { bytesIn, intsAt, offsetOf, typedBuffer } from '../intrinsics/captured.ts'
import { sharedView } from '../intrinsics/typed-arrays.ts'

/** What two arrays have in common: nothing, all of their values, or some. The first one is an array that may be written to. */
export function overlapOf(written: Float32Array, other: Float32Array): 'nothing' | 'all' | 'some' {
  const a = offsetOf(written)
  const b = offsetOf(other)
  const from = a > b ? a : b
  const sameRange = a === b && bytesIn(written) === bytesIn(other)
  if (from >= a + bytesIn(written) || from >= b + bytesIn(other) || !sameMemory(written, other, from)) return 'nothing'
  return sameRange ? 'all' : 'some'
}

/** A shared buffer that was sent to a thread and back is another object: a value written to one, and put back, shows in the other. */
function sameMemory(written: Float32Array, other: Float32Array, at: number): boolean {
  if (typedBuffer(written) === typedBuffer(other)) return true
  if (!sharedView(written) || !sharedView(other)) return false
  const mine = intsAt(written, at)
  const theirs = intsAt(other, at)
  const before = mine[0]
  mine[0] = ~before
  const follows = theirs[0] === ~before
  mine[0] = before
  return follows && theirs[0] === before
}
