/** The memory of a batch core: which slot each stream's state has, and where the frames of waiting steps lie. */
import type { BatchCore } from '../../backends/interface.ts'
import { copyOfRange, fillFloats, max, min, newInts, setFloats, viewOf, zeros } from '../../intrinsics/captured.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import { type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import type { LaneMemory } from './lane.ts'
import type { LaneState } from './step.ts'

export class BatchMemory implements LaneMemory {
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
    if (h) setFloats(allH, h, slot * this.#LO)
    else fillFloats(allH, 0, slot * this.#LO, (slot + 1) * this.#LO)
    if (c) setFloats(allC, c, slot * this.#LH)
    else fillFloats(allC, 0, slot * this.#LH, (slot + 1) * this.#LH)
  }

  /** Copies. */
  readState(slot: number): { h: Float32Array; c?: Float32Array } {
    const h = copyOfRange(this.#core.h, slot * this.#LO, this.#LO)
    return { h, c: this.#LH ? copyOfRange(this.#core.c, slot * this.#LH, this.#LH) : undefined }
  }

  /** A slot with a copy of this frame in it. */
  takeFrame(frame: Float32Array): number {
    if (this.#frames.isEmpty) {
      // Those that wait, and those of the batch that is about to start.
      const frames = this.#frames.doubled(this.#maxQueue + this.#maxBatch)
      this.#core.reserve(frames, this.#states.count, this.#maxBatch)
      this.#frames.grow(frames)
    }
    const slot = this.#frames.take()
    setFloats(this.#core.frames, frame, slot * this.#I)
    return slot
  }

  giveFrame(slot: number): void {
    this.#frames.give(slot)
  }

  newOutput(): Float32Array {
    return zeros(this.#O)
  }

  /** Makes what `copyOutput` needs for so many rows: when a batch has ended there is nobody to throw at. */
  prepareOutputs(rows: number): void {
    const { outputs } = this.#core
    if (outputs !== this.#viewed) {
      this.#viewed = outputs
      this.#views = []
    }
    // The views are kept, as making one costs more than the copy.
    for (let row = this.#views.length; row < rows; row++) this.#views[row] = viewOf(outputs, row * this.#O, this.#O)
  }

  /** Copies what a row of the newest batch has given. */
  copyOutput(row: number, output: Float32Array): void {
    setFloats(output, this.#views[row])
  }
}

/** Numbers from 0 up, each taken by one at a time. Those that are free lie in integers, which no script can put others among. */
class Slots {
  count = 0
  #free = newInts(0)
  #left = 0

  get isEmpty(): boolean {
    return this.#left === 0
  }

  doubled(most: number): number {
    return min(most, max(16, 2 * this.count))
  }

  /** Only where none is free. */
  grow(count: number): void {
    this.#free = newInts(count)
    for (let slot = count - 1; slot >= this.count; slot--) this.give(slot)
    this.count = count
  }

  take(): number {
    return this.#free[--this.#left]
  }

  give(slot: number): void {
    this.#free[this.#left++] = slot
  }
}
