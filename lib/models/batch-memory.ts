/** A model's memory of a batch: the states and frames of all streams in slots, and the programs for some numbers of rows that they are copied to. */

import type { ProgramInstance } from '../backends/interface.ts'
import { RNNError } from '../errors.ts'
import { factsOf, type GraphData } from '../graph/tensor.ts'
import { create, mapDelete, mapGet, mapSet, newInts, setValues } from '../intrinsics/captured.ts'
import type { BatchMemory } from '../streams/batch/memory.ts'
import { Slots } from '../streams/batch/slots.ts'
import { checkLength } from './input.ts'
import type { Opening } from './opening.ts'
import type { LoadedProgram } from './programs.ts'
import { copyRow, type Layouts, type RowLayout, type RowsAt, rowLength } from './rows.ts'
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
}

/** A batch on its way. */
interface Running {
  readonly count: number
  /** Rows of the program, at least `count`. */
  readonly rows: number
  readonly program: LoadedProgram
  readonly instance: ProgramInstance
  /** Why a row has failed; undefined for one that has not. */
  readonly failures: unknown[]
}

/** Makes the program for a number of rows. */
export type ProgramFor = (rows: number) => LoadedProgram

export class ModelMemory implements BatchMemory<ModelBatch> {
  readonly zeroState: readonly undefined[] = []
  readonly zeroFrame: readonly GraphData[]
  readonly rows: Int32Array
  readonly #opening: Opening
  readonly #layouts: Layouts
  readonly #programFor: ProgramFor
  readonly #limits: { maxBatch: number; maxQueue: number }
  readonly #frameSlots = new Slots()
  readonly #stateSlots = new Slots()
  readonly #frames: GraphData[]
  readonly #states: GraphData[]
  readonly #outputs: readonly GraphData[]
  readonly #running = new Map<number, Running>()
  readonly #programs: (LoadedProgram | undefined)[] = []
  #failures: readonly unknown[] = []
  #tickets = 0

  constructor(
    opening: Opening,
    layouts: Layouts,
    programFor: ProgramFor,
    limits: { maxBatch: number; maxQueue: number },
  ) {
    this.#opening = opening
    this.#layouts = layouts
    this.#programFor = programFor
    this.#limits = limits
    this.rows = newInts(2 * limits.maxBatch)
    this.zeroFrame = layouts.inputs.map((layout) => arrayOf(layout, 1))
    this.#frames = layouts.inputs.map((layout) => arrayOf(layout, 0))
    this.#states = layouts.states.map((layout) => arrayOf(layout, 0))
    this.#outputs = layouts.outputs.map((layout) => arrayOf(layout, limits.maxBatch))
  }

  /** Frees the programs. */
  dispose(): void {
    for (let i = 0; i < this.#programs.length; i++) this.#programs[i]?.release()
    this.#programs.length = 0
  }

  takeState(state: ModelBatch['state']): number {
    if (this.#stateSlots.isEmpty) {
      const count = this.#stateSlots.doubled(2 ** 31)
      grow(this.#states, this.#layouts.states, count)
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
    const { states } = this.#opening
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

  readState(slot: number): GraphData[] {
    const saved: GraphData[] = []
    const { states } = this.#layouts
    for (let k = 0; k < states.length; k++) saved[k] = copyOfData(states[k].type, this.#stateAt(k, slot))
    return saved
  }

  #stateAt(k: number, slot: number): GraphData {
    const layout = this.#layouts.states[k]
    const length = rowLength(layout)
    return viewOfData(layout.type, this.#states[k], slot * length, length)
  }

  checkFrame(frame: unknown): void {
    const { inputs } = this.#opening
    for (let k = 0; k < inputs.length; k++) {
      checkLength(inputs[k], { data: (frame as ModelBatch['frame'])[k], shape: inputs[k].shape })
    }
  }

  takeFrame(frame: ModelBatch['frame']): number {
    if (this.#frameSlots.isEmpty) {
      // Those that wait, and those of the batch that is about to start.
      const count = this.#frameSlots.doubled(this.#limits.maxQueue + this.#limits.maxBatch)
      grow(this.#frames, this.#layouts.inputs, count)
      this.#frameSlots.grow(count)
    }
    const slot = this.#frameSlots.take()
    const { inputs } = this.#layouts
    for (let k = 0; k < inputs.length; k++) setValues(this.#frames[k], frame[k], slot * rowLength(inputs[k]))
    return slot
  }

  giveFrame(slot: number): void {
    this.#frameSlots.give(slot)
  }

  newOutput(): ModelBatch['output'] {
    const output: ModelBatch['output'] = create(null)
    const { outputs } = this.#opening
    for (let k = 0; k < outputs.length; k++) output[outputs[k].name] = arrayOf(this.#layouts.outputs[k], 1)
    return output
  }

  prepareOutputs(): void {}

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    let place = 0
    while (2 ** place < count) place++
    const rows = 2 ** place < this.#limits.maxBatch ? 2 ** place : this.#limits.maxBatch
    const program = this.#program(place, rows)
    const instance = program.take()
    const running: Running = { count, rows, program, instance, failures: [] }
    const ticket = this.#tickets++
    try {
      // What is beyond the batch runs too, and must have values that can.
      for (let row = 0; row < rows; row++) this.#fill(running, row, row < count ? row : 0)
      instance.start((error) => {
        mapSet(this.#running, ticket, running)
        if (error instanceof RNNError && count > 1) return this.#eachAlone(running, 0, () => ended(ticket))
        for (let row = 0; error && row < count; row++) running.failures[row] = error
        ended(ticket, error)
      })
    } catch (error) {
      program.give(instance)
      throw error
    }
  }

  #program(place: number, rows: number): LoadedProgram {
    const program = this.#programs[place] ?? this.#programFor(rows)
    this.#programs[place] = program
    return program
  }

  /** Copies the frame and the state of a row of the batch to a row of the program. */
  #fill({ rows, instance }: Running, row: number, of: number): void {
    const { states, inputs } = this.#layouts
    for (let k = 0; k < states.length; k++) {
      const target = { data: instance.inputs[this.#opening.states[k].place], from: 0, rows }
      copyRow(states[k], target, row, slotOf(states[k], this.#states[k], this.rows[2 * of]), 0)
    }
    for (let k = 0; k < inputs.length; k++) {
      const target = { data: instance.inputs[this.#opening.inputs[k].place], from: 0, rows }
      copyRow(inputs[k], target, row, slotOf(inputs[k], this.#frames[k], this.rows[2 * of + 1]), 0)
    }
  }

  /**
   * Runs the rows of a batch one after another: one of them has a value that the model refuses, and the others shall not fail with it. A
   * failed run has changed no input.
   */
  #eachAlone(running: Running, row: number, done: () => void): void {
    if (row === running.count) {
      done()
      return
    }
    const next = (error?: unknown) => {
      running.failures[row] = error
      this.#eachAlone(running, row + 1, done)
    }
    let program: LoadedProgram
    let instance: ProgramInstance
    try {
      program = this.#program(0, 1)
      instance = program.take()
    } catch (error) {
      next(error)
      return
    }
    const move = (isBack: boolean) => this.#moveRow(running, row, instance, isBack)
    try {
      move(false)
      instance.start((error) => {
        if (!error) move(true)
        program.give(instance)
        next(error)
      })
    } catch (error) {
      program.give(instance)
      next(error)
    }
  }

  /** Copies a row of a batch's instance to one of a single row, or what that made of it back. */
  #moveRow({ rows, instance }: Running, row: number, single: ProgramInstance, isBack: boolean): void {
    const move = (layout: RowLayout, all: GraphData, one: GraphData) => {
      const many: RowsAt = { data: all, from: 0, rows }
      const alone: RowsAt = { data: one, from: 0, rows: 1 }
      if (isBack) copyRow(layout, many, row, alone, 0)
      else copyRow(layout, alone, 0, many, row)
    }
    const { states, inputs, outputs } = this.#layouts
    const own = this.#opening
    for (let k = 0; k < states.length; k++) {
      const { place } = own.states[k]
      move(states[k], instance.inputs[place], single.inputs[place])
    }
    for (let k = 0; !isBack && k < inputs.length; k++) {
      const { place } = own.inputs[k]
      move(inputs[k], instance.inputs[place], single.inputs[place])
    }
    for (let k = 0; isBack && k < outputs.length; k++) {
      const { place } = own.outputs[k]
      move(outputs[k], instance.outputs[place], single.outputs[place])
    }
  }

  collect(ticket: number): void {
    const running = mapGet(this.#running, ticket)!
    mapDelete(this.#running, ticket)
    const { count, rows, program, instance, failures } = running
    this.#failures = failures
    const { states, outputs } = this.#layouts
    for (let row = 0; row < count; row++) {
      const slot = this.rows[2 * row]
      if (slot < 0 || failures[row] !== undefined) continue
      for (let k = 0; k < states.length; k++) {
        const source = { data: instance.inputs[this.#opening.states[k].place], from: 0, rows }
        copyRow(states[k], slotOf(states[k], this.#states[k], slot), 0, source, row)
      }
      for (let k = 0; k < outputs.length; k++) {
        const source = { data: instance.outputs[this.#opening.outputs[k].place], from: 0, rows }
        copyRow(outputs[k], slotOf(outputs[k], this.#outputs[k], row), 0, source, row)
      }
    }
    program.give(instance)
  }

  failure(row: number): unknown {
    return this.#failures[row]
  }

  copyOutput(row: number, output: ModelBatch['output']): void {
    const { outputs } = this.#opening
    for (let k = 0; k < outputs.length; k++) {
      const layout = this.#layouts.outputs[k]
      const target = { data: output[outputs[k].name], from: 0, rows: 1 }
      copyRow(layout, target, 0, slotOf(layout, this.#outputs[k], row), 0)
    }
  }
}

/** One slot of a memory, as a row by itself. */
function slotOf(layout: RowLayout, data: GraphData, slot: number): RowsAt {
  return { data, from: slot * rowLength(layout), rows: 1 }
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
