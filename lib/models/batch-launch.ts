/** How a model's batch runs: on the program for so many rows, which frames and states are copied to; row by row where one of them is refused. */

import type { ProgramInstance } from '../backends/interface.ts'
import { RNNError } from '../errors.ts'
import type { GraphData } from '../graph/tensor.ts'
import { mapDelete, mapGet, mapSet, newInts } from '../intrinsics/captured.ts'
import type { Opening } from './opening.ts'
import type { LoadedProgram } from './programs.ts'
import { copyRow, type Layouts, type RowLayout, type RowsAt, slotOf } from './rows.ts'
import type { SlotArrays } from './slot-arrays.ts'

/** Makes the program for a number of rows. */
export type ProgramFor = (rows: number) => LoadedProgram

/** The memory that a batch comes from and goes to: arrays by slot, in the order of the layouts. */
export interface RowMemory {
  /** (rows, 2): state slot, frame slot. */
  readonly rows: Int32Array
  readonly states: SlotArrays
  readonly frames: SlotArrays
  /** By row of the batch. */
  readonly outputs: SlotArrays
}

/** A batch on its way. */
interface Running {
  readonly count: number
  /** Rows of the program, at least `count`. */
  readonly rows: number
  readonly program: LoadedProgram
  readonly instance: ProgramInstance
  /** By row: why it has failed, where one has. */
  failures: unknown[] | undefined
}

export class ModelLauncher {
  readonly #opening: Opening
  readonly #layouts: Layouts
  readonly #programFor: ProgramFor
  readonly #maxBatch: number
  /** Row by row. */
  readonly #inOrder: Int32Array
  readonly #running = new Map<number, Running>()
  /** By the logarithm of their rows. */
  readonly #programs: (LoadedProgram | undefined)[] = []
  #tickets = 0

  constructor(opening: Opening, layouts: Layouts, programFor: ProgramFor, maxBatch: number) {
    this.#opening = opening
    this.#layouts = layouts
    this.#programFor = programFor
    this.#maxBatch = maxBatch
    this.#inOrder = newInts(maxBatch)
    for (let row = 0; row < maxBatch; row++) this.#inOrder[row] = row
  }

  /** Frees the programs. */
  dispose(): void {
    for (let i = 0; i < this.#programs.length; i++) this.#programs[i]?.release()
    this.#programs.length = 0
  }

  /** Starts one step of the first `count` of the memory's rows: frames and states are copied before it returns. */
  launch(count: number, memory: RowMemory, ended: (ticket: number, error?: Error) => void): void {
    let place = 0
    while (2 ** place < count) place++
    const rows = 2 ** place < this.#maxBatch ? 2 ** place : this.#maxBatch
    const program = this.#program(place, rows)
    const instance = program.take()
    const running: Running = { count, rows, program, instance, failures: undefined }
    const ticket = this.#tickets++
    try {
      this.#fill(running, memory)
      instance.start((error) => {
        mapSet(this.#running, ticket, running)
        if (error) running.failures = []
        if (error instanceof RNNError && count > 1) return this.#eachAlone(running, 0, () => ended(ticket))
        for (let row = 0; error && row < count; row++) running.failures![row] = error
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

  /** Copies frames and states to the rows of the program. What is beyond the batch runs too, and gets values of the first row. */
  #fill(running: Running, { rows, states, frames }: RowMemory): void {
    const own = this.#opening
    for (let k = 0; k < own.states.length; k++) this.#gather(running, own.states[k].place, states, k, rows, 0)
    for (let k = 0; k < own.inputs.length; k++) this.#gather(running, own.inputs[k].place, frames, k, rows, 1)
  }

  #gather(
    { count, rows, instance }: Running,
    place: number,
    from: SlotArrays,
    k: number,
    order: Int32Array,
    first: number,
  ): void {
    const layout = from.layouts[k]
    if (from.lengths[k] === 0) return
    if (instance.gather) {
      const { outer, inner } = layout
      instance.gather(place, { outer, inner, rows, memory: from.bytes[k], order, first, stride: 2, count })
      return
    }
    const target = { data: instance.inputs[place], from: 0, rows }
    for (let row = 0; row < rows; row++) {
      copyRow(layout, target, row, slotOf(layout, from.data[k], order[row < count ? 2 * row + first : first]), 0)
    }
  }

  /** Copies the rows of an input or output of the program to their slots, where these are not negative. */
  #scatter(
    { count, rows, instance }: Running,
    from: 'inputs' | 'outputs',
    place: number,
    to: SlotArrays,
    k: number,
    order: Int32Array,
    stride: number,
  ): void {
    const layout = to.layouts[k]
    if (to.lengths[k] === 0) return
    if (instance.scatter) {
      const { outer, inner } = layout
      instance.scatter(from, place, { outer, inner, rows, memory: to.bytes[k], order, first: 0, stride, count })
      return
    }
    const source = { data: instance[from][place], from: 0, rows }
    for (let row = 0; row < count; row++) {
      const slot = order[stride * row]
      if (slot >= 0) copyRow(layout, slotOf(layout, to.data[k], slot), 0, source, row)
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
      running.failures![row] = error
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

  /** Once for each ticket: copies the new states and outputs of every row whose state slot is not negative. Gives by row why it has none, where one has. */
  collect(ticket: number, memory: RowMemory): readonly unknown[] | undefined {
    const running = mapGet(this.#running, ticket)!
    mapDelete(this.#running, ticket)
    const { count, program, instance, failures } = running
    const { rows, states, outputs } = memory
    for (let row = 0; failures && row < count; row++) if (failures[row] !== undefined) rows[2 * row] = -1
    const own = this.#opening
    for (let k = 0; k < own.states.length; k++)
      this.#scatter(running, 'inputs', own.states[k].place, states, k, rows, 2)
    for (let k = 0; k < own.outputs.length; k++) {
      this.#scatter(running, 'outputs', own.outputs[k].place, outputs, k, this.#inOrder, 1)
    }
    program.give(instance)
    return failures
  }
}
