/** Einstein sums as one product of matrices: axes of both that stay are the batch, axes of both that go are summed over. */

import { equationOf, type Label } from '../../graph/operators/einsum.ts'
import { axesOf, count } from '../../graph/tensor.ts'
import type { Op } from './op.ts'
import { unpacked } from './products.ts'
import { reduced } from './reductions.ts'
import type { Row, Rows } from './row.ts'
import { permuted, spread, type View } from './views.ts'

/** An operand whose axes have these labels, each once. */
interface Term {
  readonly labels: readonly Label[]
  readonly view: View
}

/** A label that comes twice walks along both axes at once. */
function withoutRepeats(labels: readonly Label[], { shape, strides, ...rest }: View): Term {
  const own = [...new Set(labels)]
  const axesAt = (label: Label) => axesOf(labels).filter((axis) => labels[axis] === label)
  const view = {
    ...rest,
    shape: own.map((label) => Math.max(...axesAt(label).map((axis) => shape[axis]))),
    strides: own.map((label) => axesAt(label).reduce((sum, axis) => sum + (shape[axis] === 1 ? 0 : strides[axis]), 0)),
  }
  return { labels: own, view }
}

/** Sums over labels that nobody else has. */
function summed(op: Op, { labels, view }: Term, kept: (label: Label) => boolean): Term {
  const axes = axesOf(labels).filter((axis) => !kept(labels[axis]))
  if (axes.length === 0) return { labels, view }
  const left = axesOf(labels).filter((axis) => !axes.includes(axis))
  const made = permuted(reduced(op, 'sum', view, axes), left)
  return { labels: left.map((axis) => labels[axis]), view: made }
}

/** The axes of some labels; one that is missing has 1 value. */
function arranged({ labels, view }: Term, wanted: readonly Label[]): View {
  const at = wanted.map((label) => labels.indexOf(label))
  return {
    ...view,
    shape: at.map((axis) => (axis < 0 ? 1 : view.shape[axis])),
    strides: at.map((axis) => (axis < 0 ? 0 : view.strides[axis])),
  }
}

const einsum: Row = (op) => {
  const { views } = op
  const { operands, result } = equationOf(
    op.call,
    views.map(({ shape }) => shape.length),
  )
  const terms = operands.map((labels, i) => withoutRepeats(labels, views[i]))
  if (terms.length === 1) {
    return arranged(
      summed(op, terms[0], (label) => result.includes(label)),
      result,
    )
  }
  const [a, b] = terms.map((term, i) =>
    summed(op, term, (label) => result.includes(label) || terms[1 - i].labels.includes(label)),
  )
  const inBoth = a.labels.filter((label) => b.labels.includes(label))
  const batch = inBoth.filter((label) => result.includes(label))
  const inner = inBoth.filter((label) => !result.includes(label))
  const left = a.labels.filter((label) => !inBoth.includes(label))
  const right = b.labels.filter((label) => !inBoth.includes(label))
  const sizes = (term: Term, labels: readonly Label[]) => arranged(term, labels).shape
  // Axes of an ellipsis may have 1 value on one side.
  const most = (label: Label) => Math.max(...sizes(a, [label]), ...sizes(b, [label]))
  const matrix = (term: Term, rows: readonly Label[], columns: readonly Label[]) => {
    const [down, right] = [rows, columns].map((labels) => labels.map(most))
    const own = sizes(term, batch)
    const wide = spread(arranged(term, [...batch, ...rows, ...columns]), [...own, ...down, ...right])
    return op.reshape(wide, [...own, count(down), count(right)])
  }
  const made = unpacked(op, matrix(a, left, inner), matrix(b, inner, right), 1)
  const shared = made.shape.slice(0, -2)
  const whole = op.reshape(made, [...shared, ...sizes(a, left), ...sizes(b, right)])
  return arranged({ labels: [...batch, ...left, ...right], view: whole }, result)
}

export const einsums: Rows = { Einsum: einsum }
