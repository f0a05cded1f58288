/** How a model's batch runs: on the program for so many rows, which frames and states are copied to; row by row where one of them is refused. */

import type { ProgramInstance, SlotRows } from '../backends/interface.ts'
import { RNNError } from '../errors.ts'
import { mapDelete, mapEach, mapGet, mapSet, newInts } from '../intrinsics/captured.ts'
import type { BatchOpening } from './batch-opening.ts'
import type { StreamValue } from './opening.ts'
import type { LoadedProgram } from './programs.ts'
import { copyRow, type RowLayout, type RowsAt } from './rows.ts'
import { SlotArrays } from './slot-arrays.ts'

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

/** Runs batches out of arrays by slot, which are in the order of the layouts, and into them. */
export class ModelLauncher {
  readonly rows: Int32Array
  readonly states: SlotArrays
  readonly frames: SlotArrays
  /** By row of the batch that was collected last. */
  readonly outputs: SlotArrays
  readonly #batch: BatchOpening
  readonly #maxBatch: number
  /** Row by row. */
  readonly #inOrder: Int32Array
  readonly #running = new Map<number, Running>()
  /** By their rows: powers of two, and the most. */
  readonly #programs = new Map<number, LoadedProgram>()
  #tickets = 0
  #failures: readonly unknown[] | undefined

  constructor(batch: BatchOpening, maxBatch: number) {
    const { layouts } = batch
    this.rows = newInts(2 * maxBatch)
    this.states = new SlotArrays(layouts.states, 0)
    this.frames = new SlotArrays(layouts.inputs, 0)
    this.outputs = new SlotArrays(layouts.outputs, maxBatch)
    this.#batch = batch
    this.#maxBatch = maxBatch
    this.#inOrder = newInts(maxBatch)
    for (let row = 0; row < maxBatch; row++) this.#inOrder[row] = row
  }

  dispose(): void {
    mapEach(this.#programs, (program) => program.release())
  }

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    let rows = 1
    while (rows < count) rows *= 2
    if (rows > this.#maxBatch) rows = this.#maxBatch
    const program = this.#program(rows)
    const instance = program.take()
    const running: Running = { count, rows, program, instance, failures: undefined }
    const ticket = this.#tickets++
    try {
      this.#fill(running)
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

  #program(rows: number): LoadedProgram {
    const program = mapGet(this.#programs, rows) ?? this.#batch.programFor(rows)
    mapSet(this.#programs, rows, program)
    return program
  }

  /** Copies frames and states to the rows of the program. */
  #fill(running: Running): void {
    const { opening } = this.#batch
    copySlots(running, 'inputs', opening.states, this.states, false, this.rows, 0, 2)
    copySlots(running, 'inputs', opening.inputs, this.frames, false, this.rows, 1, 2)
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
    try {
      const program = this.#program(1)
      const instance = program.take()
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
        throw error
      }
    } catch (error) {
      next(error)
    }
  }

  /** Copies a row of a batch's instance to one of a single row, or what that made of it back. */
  #moveRow({ rows, instance }: Running, row: number, single: ProgramInstance, isBack: boolean): void {
    const copy = (side: Side, values: readonly StreamValue[], layouts: readonly RowLayout[]) => {
      for (let k = 0; k < values.length; k++) {
        const { place } = values[k]
        const many: RowsAt = { data: instance[side][place], from: 0, rows }
        const alone: RowsAt = { data: single[side][place], from: 0, rows: 1 }
        copyRow(layouts[k], alone, many, row, !isBack)
      }
    }
    const { opening, layouts } = this.#batch
    copy('inputs', opening.states, layouts.states)
    if (isBack) copy('outputs', opening.outputs, layouts.outputs)
    else copy('inputs', opening.inputs, layouts.inputs)
  }

  collect(ticket: number): void {
    const running = mapGet(this.#running, ticket)!
    mapDelete(this.#running, ticket)
    const { count, program, instance, failures } = running
    const { rows } = this
    for (let row = 0; failures && row < count; row++) if (failures[row] !== undefined) rows[2 * row] = -1
    const { opening } = this.#batch
    copySlots(running, 'inputs', opening.states, this.states, true, rows, 0, 2)
    copySlots(running, 'outputs', opening.outputs, this.outputs, true, this.#inOrder, 0, 1)
    program.give(instance)
    this.#failures = failures
  }

  failure(row: number): unknown {
    return this.#failures?.[row]
  }
}

/** Where a program has its values; a state is an input after a run too. */
type Side = 'inputs' | 'outputs'

/**
 * Copies slots to the rows of values of the program, or back to those that are not negative. `order` has a row's slot at first + row · stride. What is
 * beyond the batch runs too, and gets values of the first row.
 */
function copySlots(
  { count, rows, instance }: Running,
  side: Side,
  values: readonly StreamValue[],
  slots: SlotArrays,
  isBack: boolean,
  order: Int32Array,
  first: number,
  stride: number,
): void {
  for (let k = 0; k < values.length; k++) {
    if (slots.lengths[k] === 0) continue
    const { place } = values[k]
    const layout = slots.layouts[k]
    const { outer, inner } = layout
    if (instance.gather) {
      const moved: SlotRows = { outer, inner, rows, memory: slots.bytes[k], order, first, stride, count }
      if (isBack) instance.scatter!(side, place, moved)
      else instance.gather(place, moved)
      continue
    }
    const all: RowsAt = { data: instance[side][place], from: 0, rows }
    for (let row = 0; row < (isBack ? count : rows); row++) {
      const slot = order[row < count ? first + row * stride : first]
      if (slot < 0) continue
      copyRow(layout, { data: slots.data[k], from: slot * slots.lengths[k], rows: 1 }, all, row, isBack)
    }
  }
}
