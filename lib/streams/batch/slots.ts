/** The memory of a batch core: which slot each stream's state has, and where the frames of waiting steps lie. */
import type { BatchCore } from '../../backends/interface.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import { type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import type { LaneState } from './lane.ts'

export class BatchMemory {
  readonly #core: BatchCore
  readonly #maxBatch: number
  readonly #maxQueue: number
  readonly #I: number
  readonly #O: number
  readonly #LO: number
  readonly #LH: number
  readonly #frames = new Slots()
  readonly #states = new Slots()
  #viewed: Float32Array | undefined
  #views: Float32Array[] = []

  constructor(core: BatchCore, spec: NetworkSpec, { maxBatch, maxQueue }: { maxBatch: number; maxQueue: number }) {
    this.#core = core
    this.#maxBatch = maxBatch
    this.#maxQueue = maxQueue
    this.#I = spec.inputSize
    this.#O = outputSizeOf(spec)
    this.#LO = spec.numLayers * this.#O
    this.#LH = cellTraits[spec.cell].hasCellState ? spec.numLayers * spec.hiddenSize : 0
  }

  /** A slot with this state in it. */
  takeState(state: LaneState): number {
    if (this.#states.isEmpty) {
      const states = this.#states.doubled(2 ** 31)
      this.#core.reserve(this.#frames.count, states, this.#maxBatch)
      this.#states.grow(states)
    }
    const slot = this.#states.take()
    this.writeState(slot, state)
    return slot
  }

  giveState(slot: number): void {
    this.#states.give(slot)
  }

  writeState(slot: number, { h, c }: LaneState): void {
    const { h: allH, c: allC } = this.#core
    if (h) allH.set(h, slot * this.#LO)
    else allH.fill(0, slot * this.#LO, (slot + 1) * this.#LO)
    if (c) allC.set(c, slot * this.#LH)
    else allC.fill(0, slot * this.#LH, (slot + 1) * this.#LH)
  }

  /** Copies. */
  readState(slot: number): { h: Float32Array; c?: Float32Array } {
    const h = this.#core.h.slice(slot * this.#LO, (slot + 1) * this.#LO)
    return this.#LH ? { h, c: this.#core.c.slice(slot * this.#LH, (slot + 1) * this.#LH) } : { h }
  }

  /** A slot with a copy of this frame in it. */
  takeFrame(frame: Float32Array): number {
    if (this.#frames.isEmpty) {
      const frames = this.#frames.doubled(this.#maxQueue)
      this.#core.reserve(frames, this.#states.count, this.#maxBatch)
      this.#frames.grow(frames)
    }
    const slot = this.#frames.take()
    this.#core.frames.set(frame, slot * this.#I)
    return slot
  }

  giveFrame(slot: number): void {
    this.#frames.give(slot)
  }

  newOutput(): Float32Array {
    return new Float32Array(this.#O)
  }

  /** Copies what a row of the newest batch has given. */
  copyOutput(row: number, output: Float32Array): void {
    const { outputs } = this.#core
    if (outputs !== this.#viewed) {
      this.#viewed = outputs
      this.#views = []
    }
    // The views are kept, as making one costs more than the copy.
    this.#views[row] ??= outputs.subarray(row * this.#O, (row + 1) * this.#O)
    output.set(this.#views[row])
  }
}

/** Numbers from 0 up, each taken by one at a time. */
class Slots {
  count = 0
  readonly #free: number[] = []

  get isEmpty(): boolean {
    return this.#free.length === 0
  }

  doubled(most: number): number {
    return Math.min(most, Math.max(16, 2 * this.count))
  }

  grow(count: number): void {
    for (let slot = count - 1; slot >= this.count; slot--) this.#free.push(slot)
    this.count = count
  }

  take(): number {
    return this.#free.pop()!
  }

  give(slot: number): void {
    this.#free.push(slot)
  }
}
