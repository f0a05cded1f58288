/** One step of one layer in one direction for one row: the only place that puts products, cell and projection together. */
import type { CellWeights } from '../../spec/spec.ts'
import type { Cell, Row } from './cells/cell.ts'
import { product } from './math.ts'

/** A layer in one direction, with scratch of its own: a step allocates nothing. */
export class CellRun {
  readonly #cell: Cell
  readonly #weights: CellWeights
  readonly #row: Row
  readonly #x: Float64Array
  readonly #projected: Float64Array
  readonly #outputs: number

  constructor(cell: Cell, weights: CellWeights, inputs: number, units: number, outputs: number) {
    const sums = cell.gates * units
    this.#cell = cell
    this.#weights = weights
    this.#outputs = outputs
    this.#x = new Float64Array(inputs)
    this.#projected = new Float64Array(weights.weightHr ? outputs : 0)
    this.#row = {
      H: units,
      fromInput: new Float64Array(sums),
      fromState: new Float64Array(sums),
      h: new Float64Array(outputs),
      c: new Float64Array(cell.cellState ? units : 0),
      secondInput: new Float64Array(cell.secondInput ? units : 0),
      peephole: weights.peephole ?? new Float32Array(0),
      next: new Float64Array(units),
    }
  }

  /** Reads a row of x and of the state at the places given and replaces the state, rounded to float32. */
  step(x: Float32Array, xAt: number, h: Float32Array, hAt: number, c: Float32Array, cAt: number): void {
    const { weightIh, weightHh, biasIh, biasHh, weightHr } = this.#weights
    const cell = this.#cell
    const row = this.#row
    const { H } = row
    const O = this.#outputs
    const sums = cell.gates * H
    load(this.#x, x, xAt)
    load(row.h, h, hAt)
    load(row.c, c, cAt)
    product(row.fromInput, weightIh, biasIh, this.#x, this.#x.length, 0, sums)
    if (cell.secondInput) {
      product(row.fromState, weightHh, biasHh, row.h, O, 0, sums - H)
      cell.secondInput(row)
      product(row.fromState, weightHh, biasHh, row.secondInput, O, sums - H, sums)
    } else {
      product(row.fromState, weightHh, biasHh, row.h, O, 0, sums)
    }
    cell.step(row)
    if (weightHr) product(this.#projected, weightHr, undefined, row.next, H, 0, O)
    const next = weightHr ? this.#projected : row.next
    for (let j = 0; j < O; j++) h[hAt + j] = next[j]
    for (let j = 0; j < row.c.length; j++) c[cAt + j] = row.c[j]
  }
}

function load(target: Float64Array, source: Float32Array, at: number): void {
  for (let i = 0; i < target.length; i++) target[i] = source[at + i]
}
