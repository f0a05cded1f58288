/** Einstein sums of one or two operands; it alone reads equations. */

import { describe, list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { Pace, type Pass, rowByRow } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { stridesOf } from '../strides.ts'
import { count, type GraphTensor, lengthOf, mostAxes } from '../tensor.ts'
import { allFloats } from './arguments.ts'
import { type Rows, rowOf, unbounded } from './row.ts'

/** What an equation names along an axis: a letter, or a number for an axis of an ellipsis, counted from the last one. */
export type Label = string

const ellipsis = '...'
/** Whether a label is an axis of an ellipsis. */
const isHidden = (label: Label) => /\d/.test(label)
/** More than two operands with an axis of each kind need. */
const longest = 256

/** The labels of one term, its ellipsis as so many axes. */
function labelsOf(call: Call, term: string, rank: number | undefined, hidden: number): Label[] {
  const parts = term.split(ellipsis)
  const letters = parts.join('')
  if (parts.length > 2 || !/^[a-zA-Z]*$/.test(letters)) call.fail(`${describe(term)} is no term of an equation`)
  const own = parts.length === 1 ? 0 : rank === undefined ? hidden : rank - letters.length
  if (own < 0 || (rank !== undefined && letters.length + own !== rank)) {
    call.fail(`the term ${describe(term)} of an operand of rank ${rank}`)
  }
  const between = Array.from({ length: own }, (_, i) => `${own - 1 - i}`)
  return [...parts[0], ...between, ...(parts[1] ?? '')]
}

export interface Equation {
  readonly operands: readonly Label[][]
  readonly result: readonly Label[]
}

/** What a call asks for. */
export function equationOf(call: Call, ranks: readonly number[]): Equation {
  const text = call.text('equation', '').replaceAll(' ', '')
  if (text.length > longest) call.fail(`an equation of ${text.length} letters`)
  const [left, right, ...others] = text.split('->')
  const terms = left.split(',')
  if (others.length > 0 || terms.length !== ranks.length) {
    call.fail(`the equation ${describe(text)} of ${ranks.length} operands`)
  }
  const labels = terms.map((term, i) => labelsOf(call, term, ranks[i], 0))
  const all = labels.flat()
  const hidden = [...new Set(all)].filter(isHidden).sort((a, b) => Number(b) - Number(a))
  const once = all.filter((label) => !isHidden(label) && all.indexOf(label) === all.lastIndexOf(label))
  // Without an arrow the result has what comes once, by the alphabet, upper case first.
  const result = right === undefined ? [...hidden, ...once.sort()] : labelsOf(call, right, undefined, hidden.length)
  if (new Set(result).size !== result.length || result.some((label) => !all.includes(label))) {
    call.fail(`the result of ${describe(text)}`)
  }
  return { operands: labels, result }
}

/** The size of each label; axes of an ellipsis broadcast. */
function sizesOf(call: Call, { operands }: Equation, shapes: readonly (readonly number[])[]): Map<Label, number> {
  const sizes = new Map<Label, number>()
  for (const [i, labels] of operands.entries()) {
    for (const [axis, label] of labels.entries()) {
      const size = shapes[i][axis]
      const known = sizes.get(label) ?? 1
      const gives = !sizes.has(label) || known === size || (isHidden(label) && (known === 1 || size === 1))
      if (!gives)
        call.fail(`sizes ${known} and ${size} of ${label}, of operands ${shapes.map((one) => list(one)).join(' and ')}`)
      sizes.set(label, known === 1 ? size : known)
    }
  }
  return sizes
}

/** Where each combination of some labels of these sizes lies in an operand, the last label the fastest. */
function* placesOf(
  call: Call,
  labels: readonly Label[],
  sizes: readonly number[],
  own: readonly Label[],
  shape: readonly number[],
): Pass<Float64Array> {
  const strides = stridesOf(shape)
  const places = call.scratch(count(sizes))
  let length = Math.min(1, places.length)
  const pace = new Pace()
  // Each label multiplies what is there already: backwards, so that nothing is overwritten before it was read.
  for (const [i, label] of labels.entries()) {
    let stride = 0
    for (const [axis, other] of own.entries()) if (other === label && shape[axis] !== 1) stride += strides[axis]
    const size = sizes[i]
    for (let at = length * size - 1; at >= 0; at--) {
      const k = at % size
      places[at] = places[(at - k) / size] + k * stride
      if (pace.isOver(1)) yield
    }
    length *= size
  }
  return places
}

function* einsum(call: Call): Pass<GraphTensor> {
  if (call.inputs.length > 2) call.unsupported(`${call.inputs.length} operands are not supported; 1 or 2 are`)
  const operands = allFloats(call)
  const shapes = operands.map(({ shape }) => shape)
  const equation = equationOf(
    call,
    shapes.map(({ length }) => length),
  )
  const sizes = sizesOf(call, equation, shapes)
  if (sizes.size > mostAxes) call.fail(`${sizes.size} labels; at most ${mostAxes} are possible`)
  const sizesOfAll = (labels: readonly Label[]) => labels.map((label) => sizes.get(label)!)
  const made = call.allocate(operands[0].type, sizesOfAll(equation.result))
  const summed = [...sizes.keys()].filter((label) => !equation.result.includes(label))
  const terms = count(sizesOfAll(summed))
  // Empty sums are 0, which is there already.
  if (lengthOf(made) === 0 || terms === 0) return made
  call.spend(lengthOf(made) * (terms + 1) + 2 * terms)
  if (call.isDry) return made
  const tables: Float64Array[] = []
  for (const [i, { shape }] of operands.entries()) {
    for (const labels of [equation.result, summed]) {
      tables.push(yield* placesOf(call, labels, sizesOfAll(labels), equation.operands[i], shape))
    }
  }
  const [a, b] = operands.map(({ data }) => data as Float32Array)
  const [outerA, innerA, outerB, innerB] = tables
  let kept = 0
  yield* rowByRow(made.data.length, terms, (i, from, to) => {
    let sum = from === 0 ? 0 : kept
    const [p, q] = [outerA[i], outerB === undefined ? 0 : outerB[i]]
    if (innerB === undefined) for (let k = from; k < to; k++) sum += a[p + innerA[k]]
    else for (let k = from; k < to; k++) sum += a[p + innerA[k]] * b[q + innerB[k]]
    kept = sum
    if (to === terms) made.data[i] = sum
  })
  return yield* rounded(made)
}

export const einsums: Rows = { Einsum: rowOf(einsum, 1, unbounded, 'equation') }
