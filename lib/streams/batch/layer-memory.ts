/** A layer's memory of a batch: which slot each stream's state has, and where the frames of waiting steps lie. */
import type { BatchCore } from '../../backends/interface.ts'
import type { NetworkRef } from '../../calls/network-ref.ts'
import { copyFloats, copyOf, copyOfRange, fillValues, setValues, viewOf, zeros } from '../../intrinsics/captured.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import { type BackendName, outputSizeOf } from '../../spec/spec.ts'
import { encodeState } from '../saved-state.ts'
import { checkFrame } from '../stream-step.ts'
import type { BatchMemory } from './memory.ts'
import { Slots } from './slots.ts'

/** A state to begin with; what is left out is zeros. */
export interface LaneState {
  readonly h?: Float32Array
  readonly c?: Float32Array
}

/** What a layer's batcher moves. */
export interface LayerBatch {
  frame: Float32Array
  state: LaneState
  saved: { h: Float32Array; c?: Float32Array }
  /** (O), or all of a run's, (T, O). */
  output: Float32Array
  memory: LayerMemory
}

/** Copies from loops are faster than from views up to about so many values. */
const fewValues = 32

export class LayerMemory implements BatchMemory<LayerBatch> {
  // Properties of its own, so that none is looked for on the prototype of all objects.
  readonly zeroState: LaneState = { h: undefined, c: undefined }
  readonly zeroFrame: Float32Array
  /** The network that computes. */
  readonly ref: NetworkRef
  readonly #core: BatchCore
  readonly #I: number
  readonly #O: number
  readonly #LO: number
  readonly #LH: number
  readonly #frames: Slots
  readonly #states: Slots
  #viewed: Float32Array | undefined
  #views: Float32Array[] = []

  constructor(ref: NetworkRef, { maxBatch, maxQueue }: { maxBatch: number; maxQueue: number }) {
    const { network, spec } = ref
    this.ref = ref
    this.#core = network.batch()
    const core = this.#core
    this.#states = new Slots(2 ** 31, (states) => core.reserve(this.#frames.count, states, maxBatch))
    // Those that wait, and those of the batch that is about to start.
    this.#frames = new Slots(maxQueue + maxBatch, (frames) => core.reserve(frames, this.#states.count, maxBatch))
    this.#I = spec.inputSize
    this.zeroFrame = zeros(spec.inputSize)
    this.#O = outputSizeOf(spec)
    this.#LO = spec.numLayers * this.#O
    this.#LH = cellTraits[spec.cell].hasCellState ? spec.numLayers * spec.hiddenSize : 0
    ref.retain()
  }

  get backend(): BackendName {
    return this.ref.backend.name
  }

  get rows(): Int32Array {
    return this.#core.rows
  }

  takeState(state: LaneState): number {
    const slot = this.#states.take()
    this.writeState(slot, state)
    return slot
  }

  giveState(slot: number): void {
    this.#states.give(slot)
  }

  writeState(slot: number, { h, c }: LaneState): void {
    write(this.#core.h, slot, this.#LO, h)
    write(this.#core.c, slot, this.#LH, c)
  }

  copyOfState({ h, c }: LaneState): LaneState {
    return { h: h && copyOf(h), c: c && copyOf(c) }
  }

  copyState(slot: number, to: LayerMemory, target: number): void {
    copyFloats(to.#core.h, target * this.#LO, this.#core.h, slot * this.#LO, this.#LO)
    copyFloats(to.#core.c, target * this.#LH, this.#core.c, slot * this.#LH, this.#LH)
  }

  readState(slot: number): { h: Float32Array; c?: Float32Array } {
    const h = copyOfRange(this.#core.h, slot * this.#LO, this.#LO)
    return { h, c: this.#LH ? copyOfRange(this.#core.c, slot * this.#LH, this.#LH) : undefined }
  }

  encode(state: LayerBatch['saved']): Uint8Array {
    return encodeState(this.ref, { batchSize: 1, ...state })
  }

  checkFrame(frame: unknown): void {
    checkFrame(frame, this.#I, 'I')
  }

  takeFrame(frame: Float32Array): number {
    const slot = this.#frames.take()
    const I = this.#I
    if (I <= fewValues) {
      const { frames } = this.#core
      for (let i = 0; i < I; i++) frames[slot * I + i] = frame[i]
    } else setValues(this.#core.frames, frame, slot * I)
    return slot
  }

  /** Copies a frame of (T, I) to a slot that was taken. */
  writeFrame(slot: number, frames: Float32Array, at: number): void {
    copyFloats(this.#core.frames, slot * this.#I, frames, at * this.#I, this.#I)
  }

  giveFrame(slot: number): void {
    this.#frames.give(slot)
  }

  newOutput(): Float32Array {
    return zeros(this.#O)
  }

  prepareOutputs(rows: number): void {
    if (this.#O <= fewValues) return
    const { outputs } = this.#core
    if (outputs !== this.#viewed) {
      this.#viewed = outputs
      this.#views = []
    }
    // The views are kept, as making one costs more than the copy.
    for (let row = this.#views.length; row < rows; row++) this.#views[row] = viewOf(outputs, row * this.#O, this.#O)
  }

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    this.#core.launch(count, ended)
  }

  collect(ticket: number): void {
    this.#core.collect(ticket)
  }

  failure(): undefined {}

  copyOutput(row: number, output: Float32Array, at: number): void {
    const O = this.#O
    if (O <= fewValues) {
      const { outputs } = this.#core
      for (let i = 0; i < O; i++) output[at * O + i] = outputs[row * O + i]
    } else setValues(output, this.#views[row], at * O)
  }

  dispose(): void {
    this.ref.release()
  }
}

/** Writes a state to its slot, zeros where it is left out. */
function write(states: Float32Array, slot: number, length: number, values: Float32Array | undefined): void {
  const at = slot * length
  if (values) setValues(states, values, at)
  else fillValues(states, 0, at, at + length)
}
