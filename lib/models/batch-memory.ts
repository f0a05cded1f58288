/** A model's memory of a batch: the states and frames of all streams in slots. */

import { factsOf, type GraphData } from '../graph/tensor.ts'
import { create, newInts, setValues } from '../intrinsics/captured.ts'
import type { BatchMemory } from '../streams/batch/memory.ts'
import { Slots } from '../streams/batch/slots.ts'
import { ModelLauncher, type ProgramFor } from './batch-launch.ts'
import { checkLength } from './input.ts'
import type { Opening } from './opening.ts'
import { copyRow, type Layouts, type RowLayout, rowLength, slotOf } from './rows.ts'
import { writeState } from './states.ts'
import { copyOfData, type ModelData, viewOfData } from './values.ts'

/** What a model's batcher moves. */
export interface ModelBatch {
  /** A value for each input that is no state. */
  frame: readonly GraphData[]
  /** A value for each state; what is left out is what it begins with. */
  state: readonly (GraphData | undefined)[]
  saved: readonly GraphData[]
  output: Record<string, ModelData>
  memory: ModelMemory
}

export class ModelMemory implements BatchMemory<ModelBatch> {
  readonly zeroState: readonly undefined[] = []
  readonly zeroFrame: readonly GraphData[]
  readonly rows: Int32Array
  /** Of one row; what it computes with is kept by whoever has this memory. */
  readonly opening: Opening
  /** By slot; larger ones take their place. */
  readonly states: GraphData[]
  readonly frames: GraphData[]
  /** By row of the batch that was collected last. */
  readonly outputs: readonly GraphData[]
  readonly #layouts: Layouts
  readonly #launcher: ModelLauncher
  readonly #limits: { maxBatch: number; maxQueue: number }
  readonly #frameSlots = new Slots()
  readonly #stateSlots = new Slots()
  #failures: readonly unknown[] = []

  constructor(
    opening: Opening,
    layouts: Layouts,
    programFor: ProgramFor,
    limits: { maxBatch: number; maxQueue: number },
  ) {
    this.opening = opening
    this.#layouts = layouts
    this.#launcher = new ModelLauncher(opening, layouts, programFor, limits.maxBatch)
    this.#limits = limits
    this.rows = newInts(2 * limits.maxBatch)
    this.zeroFrame = layouts.inputs.map((layout) => arrayOf(layout, 1))
    this.frames = layouts.inputs.map((layout) => arrayOf(layout, 0))
    this.states = layouts.states.map((layout) => arrayOf(layout, 0))
    this.outputs = layouts.outputs.map((layout) => arrayOf(layout, limits.maxBatch))
  }

  /** Frees the programs. */
  dispose(): void {
    this.#launcher.dispose()
  }

  takeState(state: ModelBatch['state']): number {
    if (this.#stateSlots.isEmpty) {
      const count = this.#stateSlots.doubled(2 ** 31)
      grow(this.states, this.#layouts.states, count)
      this.#stateSlots.grow(count)
    }
    const slot = this.#stateSlots.take()
    this.writeState(slot, state)
    return slot
  }

  giveState(slot: number): void {
    this.#stateSlots.give(slot)
  }

  writeState(slot: number, state: ModelBatch['state']): void {
    const { states } = this.opening
    for (let k = 0; k < states.length; k++) writeState(this.#stateAt(k, slot), states[k], state[k])
  }

  copyOfState(state: ModelBatch['state']): ModelBatch['state'] {
    const copy: (GraphData | undefined)[] = []
    for (let k = 0; k < state.length; k++) {
      const data = state[k]
      copy[k] = data && copyOfData(this.#layouts.states[k].type, data)
    }
    return copy
  }

  /** Arrays for a state, of zeros. */
  newState(): GraphData[] {
    const state: GraphData[] = []
    const { states } = this.#layouts
    for (let k = 0; k < states.length; k++) state[k] = arrayOf(states[k], 1)
    return state
  }

  copyState(slot: number, to: ModelMemory, target: number): void {
    const { states } = this.#layouts
    for (let k = 0; k < states.length; k++) {
      copyRow(states[k], slotOf(states[k], to.states[k], target), 0, slotOf(states[k], this.states[k], slot), 0)
    }
  }

  readState(slot: number): GraphData[] {
    const saved: GraphData[] = []
    const { states } = this.#layouts
    for (let k = 0; k < states.length; k++) saved[k] = copyOfData(states[k].type, this.#stateAt(k, slot))
    return saved
  }

  #stateAt(k: number, slot: number): GraphData {
    const layout = this.#layouts.states[k]
    const length = rowLength(layout)
    return viewOfData(layout.type, this.states[k], slot * length, length)
  }

  checkFrame(frame: unknown): void {
    const { inputs } = this.opening
    for (let k = 0; k < inputs.length; k++) {
      checkLength(inputs[k], { data: (frame as ModelBatch['frame'])[k], shape: inputs[k].shape })
    }
  }

  takeFrame(frame: ModelBatch['frame']): number {
    if (this.#frameSlots.isEmpty) {
      // Those that wait, and those of the batch that is about to start.
      const count = this.#frameSlots.doubled(this.#limits.maxQueue + this.#limits.maxBatch)
      grow(this.frames, this.#layouts.inputs, count)
      this.#frameSlots.grow(count)
    }
    const slot = this.#frameSlots.take()
    const { inputs } = this.#layouts
    for (let k = 0; k < inputs.length; k++) setValues(this.frames[k], frame[k], slot * rowLength(inputs[k]))
    return slot
  }

  giveFrame(slot: number): void {
    this.#frameSlots.give(slot)
  }

  newOutput(): ModelBatch['output'] {
    const output: ModelBatch['output'] = create(null)
    const { outputs } = this.opening
    for (let k = 0; k < outputs.length; k++) output[outputs[k].name] = arrayOf(this.#layouts.outputs[k], 1)
    return output
  }

  prepareOutputs(): void {}

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    this.#launcher.launch(count, this, ended)
  }

  collect(ticket: number): void {
    this.#failures = this.#launcher.collect(ticket, this)
  }

  failure(row: number): unknown {
    return this.#failures[row]
  }

  copyOutput(row: number, output: ModelBatch['output']): void {
    const { outputs } = this.opening
    for (let k = 0; k < outputs.length; k++) {
      const layout = this.#layouts.outputs[k]
      const target = { data: output[outputs[k].name], from: 0, rows: 1 }
      copyRow(layout, target, 0, slotOf(layout, this.outputs[k], row), 0)
    }
  }
}

function arrayOf(layout: RowLayout, slots: number): GraphData {
  return new (factsOf(layout.type).array)(slots * rowLength(layout))
}

/** The same values in larger arrays: all of them, or, where memory is missing, none. */
function grow(arrays: GraphData[], layouts: readonly RowLayout[], slots: number): void {
  const larger: GraphData[] = []
  for (let k = 0; k < arrays.length; k++) larger[k] = arrayOf(layouts[k], slots)
  for (let k = 0; k < arrays.length; k++) {
    setValues(larger[k], arrays[k])
    arrays[k] = larger[k]
  }
}
