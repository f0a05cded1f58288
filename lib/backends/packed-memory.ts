/** Memory of packed weights as a model's store and its programs hold it. */

import { bytesIn } from '../intrinsics/captured.ts'

/** An array in shared memory, or a place in memory of the backend's own. */
export interface PackedMemory {
  readonly bytes: number
  /** Of memory of the backend's own, which counts its users: one more, and one less, where the last frees it. */
  retain(): void
  release(): void
  /** Whether it was freed. */
  readonly isGone: boolean
  /** In shared memory, for other threads. */
  shared(): Float32Array
}

/** Packed weights that lie in shared memory themselves: the garbage collector frees them. */
export class SharedWeights implements PackedMemory {
  readonly array: Float32Array
  readonly isGone = false

  constructor(array: Float32Array) {
    this.array = array
  }

  get bytes(): number {
    return bytesIn(this.array)
  }

  retain(): void {}

  release(): void {}

  shared(): Float32Array {
    return this.array
  }
}
