/**
 * Numbers that were integers with scales: which scale each row of an array was made with. It stands beside the array, not in it, and is held against
 * the values before anybody trusts it: whoever writes into the array has numbers like any others.
 */

import { bytesIn, fround, weakDelete, weakGet, weakSet, zeros } from '../intrinsics/captured.ts'
import { quantized, scaleOf } from './rounding.ts'

const known = new WeakMap<Float32Array, Float32Array>()

/** Notes what the rows of a matrix were multiplied by, as many as there are scales; undefined where nothing is known. */
export function setScales(values: Float32Array, scales: Float32Array | undefined): void {
  if (scales) weakSet(known, values, scales)
  else weakDelete(known, values)
}

/** What was noted of an array: a scale for each row, which may not be true any more. */
export function scalesOf(values: Float32Array): Float32Array | undefined {
  return weakGet(known, values)
}

/** Whether a row is integers within ±127 times this scale, to the last bit. */
function isMultiple(values: Float32Array, from: number, columns: number, scale: number): boolean {
  if (!(scale > 0 && scale < Infinity)) return false
  for (let k = from; k < from + columns; k++) {
    if (fround(scale * quantized(values[k], scale)) !== values[k]) return false
  }
  return true
}

/**
 * The scale of each row of a matrix that is to be kept as int8: the one that it was made with, where that is true, else the one that its values
 * ask for. Undefined where nothing is noted of the matrix: then all rows have the latter.
 */
export function rowScales(values: Float32Array): Float32Array | undefined {
  const given = scalesOf(values)
  if (!given) return undefined
  const { rows, columns } = sizesOf(values, given)
  const scales = zeros(rows)
  for (let row = 0; row < rows; row++) {
    const from = row * columns
    scales[row] = isMultiple(values, from, columns, given[row]) ? given[row] : scaleOf(values, from, columns)
  }
  return scales
}

/** Whether int8 keeps every bit of a matrix by the scales that it was made with. */
export function fitsInt8(values: Float32Array): boolean {
  const given = scalesOf(values)
  if (!given) return false
  const { rows, columns } = sizesOf(values, given)
  for (let row = 0; row < rows; row++) if (!isMultiple(values, row * columns, columns, given[row])) return false
  return true
}

function sizesOf(values: Float32Array, scales: Float32Array): { rows: number; columns: number } {
  const rows = bytesIn(scales) / 4
  return { rows, columns: bytesIn(values) / 4 / rows }
}
