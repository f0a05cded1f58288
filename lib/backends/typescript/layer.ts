/** One step of one layer in one direction for one row: the only place that puts products, cell and projection together. */

import { newDoubles, zeros } from '../../intrinsics/captured.ts'
import { KeptMatrix } from '../../precision/kept.ts'
import type { CellWeights } from '../../spec/spec.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { Functions } from './activations.ts'
import type { Cell, Row } from './cells/cell.ts'
import { MatrixProduct } from './product.ts'

/** A layer in one direction, with scratch of its own: a step allocates nothing. */
export class CellRun {
  readonly #cell: Cell
  readonly #weights: CellWeights
  readonly #ih: MatrixProduct
  readonly #hh: MatrixProduct
  readonly #hr: MatrixProduct | undefined
  readonly #row: Row
  readonly #x: Float64Array
  readonly #projected: Float64Array
  readonly #inputs: number
  readonly #outputs: number

  /** `weights` as `keep` made them. */
  constructor(
    cell: Cell,
    weights: CellWeights,
    { weights: type, activations }: Precision,
    inputs: number,
    units: number,
    outputs: number,
    /** Of a general cell. */
    functions: Functions | undefined,
  ) {
    const sums = cell.gates * units
    this.#cell = cell
    this.#weights = weights
    const productOf = (memory: Float32Array, rows: number, columns: number) =>
      new MatrixProduct(new KeptMatrix(type, memory, rows, columns), activations)
    this.#ih = productOf(weights.weightIh, sums, inputs)
    this.#hh = productOf(weights.weightHh, sums, outputs)
    this.#hr = weights.weightHr && productOf(weights.weightHr, outputs, units)
    this.#inputs = inputs
    this.#outputs = outputs
    this.#x = newDoubles(inputs)
    this.#projected = newDoubles(weights.weightHr ? outputs : 0)
    this.#row = {
      H: units,
      fromInput: newDoubles(sums),
      fromState: newDoubles(sums),
      h: newDoubles(outputs),
      c: newDoubles(cell.cellState ? units : 0),
      secondInput: newDoubles(cell.secondInput ? units : 0),
      peephole: weights.peephole ?? zeros(0),
      functions: functions ?? cell.functions!,
      next: newDoubles(units),
    }
  }

  /** Reads a row of x and of the state at the places given and replaces the state, rounded to float32. */
  step(x: Float32Array, xAt: number, h: Float32Array, hAt: number, c: Float32Array, cAt: number): void {
    const { biasIh, biasHh } = this.#weights
    const hr = this.#hr
    const cell = this.#cell
    const row = this.#row
    const { H } = row
    const I = this.#inputs
    const O = this.#outputs
    const C = cell.cellState ? H : 0
    const sums = cell.gates * H
    load(this.#x, x, xAt, I)
    load(row.h, h, hAt, O)
    load(row.c, c, cAt, C)
    this.#ih.run(row.fromInput, biasIh, this.#x, 0, sums)
    if (cell.secondInput) {
      this.#hh.run(row.fromState, biasHh, row.h, 0, sums - H)
      cell.secondInput(row)
      this.#hh.run(row.fromState, biasHh, row.secondInput, sums - H, sums)
    } else {
      this.#hh.run(row.fromState, biasHh, row.h, 0, sums)
    }
    cell.step(row)
    hr?.run(this.#projected, undefined, row.next, 0, O)
    const next = hr ? this.#projected : row.next
    for (let j = 0; j < O; j++) h[hAt + j] = next[j]
    for (let j = 0; j < C; j++) c[cAt + j] = row.c[j]
  }
}

function load(target: Float64Array, source: Float32Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) target[i] = source[at + i]
}
