/** Memory for results: new, which native code writes in full, or the caller's own. */
import { viewOf, zeros } from '../../intrinsics/captured.ts'
import { Buffer } from '../../platform/node.ts'

// Small arrays lie within V8's heap and are cleared in no time; the largest come cleared from the system.
const fewest = 512
const most = 2 ** 28

const { allocUnsafeSlow } = Buffer

/**
 * A Float32Array over a buffer of its own, holding whatever the memory held before: only for what is written in full before anyone
 * sees it. Clearing a megabyte takes longer than a small batch does.
 *
 * @throws RangeError where there is no memory
 */
export function uninitialized(length: number): Float32Array<ArrayBuffer> {
  return length < fewest || length > most ? zeros(length) : viewOf(allocUnsafeSlow(length * 4), 0, length)
}
