/** How a model's batch runs: on the program for so many rows, which frames and states are copied to; row by row where one of them is refused. */

import type { ProgramInstance } from '../backends/interface.ts'
import { RNNError } from '../errors.ts'
import type { GraphData } from '../graph/tensor.ts'
import { mapDelete, mapGet, mapSet } from '../intrinsics/captured.ts'
import type { Opening } from './opening.ts'
import type { LoadedProgram } from './programs.ts'
import { copyRow, type Layouts, type RowLayout, type RowsAt, slotOf } from './rows.ts'

/** Makes the program for a number of rows. */
export type ProgramFor = (rows: number) => LoadedProgram

/** The memory that a batch comes from and goes to: arrays by slot, in the order of the layouts. */
export interface RowMemory {
  /** (rows, 2): state slot, frame slot. */
  readonly rows: Int32Array
  readonly states: readonly GraphData[]
  readonly frames: readonly GraphData[]
  /** By row of the batch. */
  readonly outputs: readonly GraphData[]
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

export class ModelLauncher {
  readonly #opening: Opening
  readonly #layouts: Layouts
  readonly #programFor: ProgramFor
  readonly #maxBatch: number
  readonly #running = new Map<number, Running>()
  /** By the logarithm of their rows. */
  readonly #programs: (LoadedProgram | undefined)[] = []
  #tickets = 0

  constructor(opening: Opening, layouts: Layouts, programFor: ProgramFor, maxBatch: number) {
    this.#opening = opening
    this.#layouts = layouts
    this.#programFor = programFor
    this.#maxBatch = maxBatch
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
    const running: Running = { count, rows, program, instance, failures: [] }
    const ticket = this.#tickets++
    try {
      // What is beyond the batch runs too, and must have values that can.
      for (let row = 0; row < rows; row++) this.#fill(running, row, memory, row < count ? row : 0)
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
  #fill({ rows, instance }: Running, row: number, memory: RowMemory, of: number): void {
    const { states, inputs } = this.#layouts
    for (let k = 0; k < states.length; k++) {
      const target = { data: instance.inputs[this.#opening.states[k].place], from: 0, rows }
      copyRow(states[k], target, row, slotOf(states[k], memory.states[k], memory.rows[2 * of]), 0)
    }
    for (let k = 0; k < inputs.length; k++) {
      const target = { data: instance.inputs[this.#opening.inputs[k].place], from: 0, rows }
      copyRow(inputs[k], target, row, slotOf(inputs[k], memory.frames[k], memory.rows[2 * of + 1]), 0)
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

  /** Once for each ticket: copies the new states and outputs of every row whose state slot is not negative. Gives why rows have none. */
  collect(ticket: number, memory: RowMemory): readonly unknown[] {
    const running = mapGet(this.#running, ticket)!
    mapDelete(this.#running, ticket)
    const { count, rows, program, instance, failures } = running
    const { states, outputs } = this.#layouts
    for (let row = 0; row < count; row++) {
      const slot = memory.rows[2 * row]
      if (slot < 0 || failures[row] !== undefined) continue
      for (let k = 0; k < states.length; k++) {
        const source = { data: instance.inputs[this.#opening.states[k].place], from: 0, rows }
        copyRow(states[k], slotOf(states[k], memory.states[k], slot), 0, source, row)
      }
      for (let k = 0; k < outputs.length; k++) {
        const source = { data: instance.outputs[this.#opening.outputs[k].place], from: 0, rows }
        copyRow(outputs[k], slotOf(outputs[k], memory.outputs[k], row), 0, source, row)
      }
    }
    program.give(instance)
    return failures
  }
}
