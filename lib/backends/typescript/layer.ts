/** One step of one layer in one direction for one row: the only place that puts products, cell and projection together. */

import { newDoubles, zeros } from '../../intrinsics/captured.ts'
import { KeptMatrix } from '../../precision/kept.ts'
import type { CellWeights } from '../../spec/spec.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { Functions } from './activations.ts'
import type { Cell, Row } from './cells/cell.ts'
import { matrixProduct } from './product.ts'

/** Reads a row of x and of the state at the places given and replaces the state, rounded to float32. */
export type CellStep = (
  x: Float32Array,
  xAt: number,
  h: Float32Array,
  hAt: number,
  c: Float32Array,
  cAt: number,
) => void

/** A layer in one direction, with scratch of its own: a step allocates nothing. `weights` as `keep` made them. */
export function cellStep(
  cell: Cell,
  weights: CellWeights,
  { weights: type, activations }: Precision,
  I: number,
  H: number,
  O: number,
  /** Of a general cell. */
  functions: Functions | undefined,
): CellStep {
  const { secondInput } = cell
  const { biasIh, biasHh } = weights
  const sums = cell.gates * H
  const C = cell.cellState ? H : 0
  const productOf = (memory: Float32Array, rows: number, columns: number) =>
    matrixProduct(new KeptMatrix(type, memory, rows, columns), activations)
  const ih = productOf(weights.weightIh, sums, I)
  const hh = productOf(weights.weightHh, sums, O)
  const hr = weights.weightHr && productOf(weights.weightHr, O, H)
  const input = newDoubles(I)
  const row: Row = {
    H,
    fromInput: newDoubles(sums),
    fromState: newDoubles(sums),
    h: newDoubles(O),
    c: newDoubles(C),
    secondInput: newDoubles(secondInput ? H : 0),
    peephole: weights.peephole ?? zeros(0),
    functions: functions ?? cell.functions!,
    next: newDoubles(H),
  }
  const next = hr ? newDoubles(O) : row.next
  return (x, xAt, h, hAt, c, cAt) => {
    load(input, x, xAt, I)
    load(row.h, h, hAt, O)
    load(row.c, c, cAt, C)
    ih(row.fromInput, biasIh, input, 0, sums)
    if (secondInput) {
      hh(row.fromState, biasHh, row.h, 0, sums - H)
      secondInput(row)
      hh(row.fromState, biasHh, row.secondInput, sums - H, sums)
    } else {
      hh(row.fromState, biasHh, row.h, 0, sums)
    }
    cell.step(row)
    hr?.(next, undefined, row.next, 0, O)
    for (let j = 0; j < O; j++) h[hAt + j] = next[j]
    for (let j = 0; j < C; j++) c[cAt + j] = row.c[j]
  }
}

function load(target: Float64Array, source: Float32Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) target[i] = source[at + i]
}
