/** Operators that compute each value from those at its own place, broadcast to one shape. */

import { factsOf } from '../../graph/tensor.ts'
import { mapFunction, zipFunction } from '../protocol.ts'
import { mapCalls } from './functions.ts'
import type { Op } from './op.ts'
import type { Row, Rows } from './row.ts'
import { type Element, orderOf, spread, type View } from './views.ts'

type Zip = keyof typeof zipFunction

/** Arithmetic is of float32, int32 and int64: smaller integers are widened for it, and wrap when they are narrowed again. */
export function wide(op: Op, view: View): View {
  return view.type === 'uint8' || view.type === 'int8' || view.type === 'bool' ? op.cast(view, 'int32') : view
}

/** Two operands, the result of their type. */
export function zipped(op: Op, name: Zip, a: View, b: View, shape: readonly number[]): View {
  return op.cast(op.zip(zipFunction[name], wide(op, a), wide(op, b), shape), a.type)
}

const two =
  (name: Zip): Row =>
  (op) =>
    zipped(op, name, op.view(0), op.view(1), op.result().shape)

const compared =
  (name: Zip): Row =>
  (op) =>
    op.zip(zipFunction[name], wide(op, op.view(0)), wide(op, op.view(1)), op.result().shape, 'bool')

const logical =
  (name: Zip): Row =>
  (op) =>
    op.zip(zipFunction[name], op.view(0), op.view(1), op.result().shape)

/** Any number of operands, from the first on. */
function folded(op: Op, name: Zip): View {
  const { shape } = op.result()
  let made = spread(op.view(0), shape)
  for (let i = 1; i < op.arity; i++) made = zipped(op, name, made, op.view(i), shape)
  return made
}

const mean: Row = (op) => {
  const { shape, type } = op.result()
  return op.zip(zipFunction.div, folded(op, 'add'), op.scalar(type, op.arity), shape)
}

/** A function of each value; what is not of floats is said by min and max, or is exact for integers too. */
const mapped =
  (name: string): Row =>
  (op) => {
    const x = op.view(0)
    const call = x.type === 'float32' ? mapCalls[name](op.call) : undefined
    if (call) return op.map(call.fn, x, call.alpha, call.beta)
    return (others[name] ?? (() => op.fail(`${x.type} is not supported`)))(op)
  }

const exact =
  (fn: number): Row =>
  (op) =>
    op.cast(op.map(fn, wide(op, op.view(0))), op.view(0).type)

const clip: Row = (op) => {
  const x = op.view(0)
  const [least, most] = [op.optional(1), op.optional(2)]
  const above = least ? zipped(op, 'max', x, reshapedScalar(op, least), x.shape) : x
  return most ? zipped(op, 'min', above, reshapedScalar(op, most), x.shape) : above
}

const reshapedScalar = (op: Op, view: View) => op.reshape(view, [])

const others: Readonly<Record<string, Row>> = {
  Abs: exact(mapFunction.abs),
  Neg: exact(mapFunction.neg),
  Sign: exact(mapFunction.sign),
  Relu: (op) => zipped(op, 'max', op.view(0), op.scalar(op.view(0).type, 0), op.view(0).shape),
  Clip: clip,
  PRelu: two('prelu'),
}

/** Powers that are products or roots are made so; integers stay exact, and a real exponent of theirs is cut off at the end. */
const power: Row = (op) => {
  const { shape, type } = op.result()
  const x = op.view(0)
  const exponent = op.constant(1)
  const isFloat = exponent !== undefined && type === 'float32'
  const y = isFloat ? op.floats(Float32Array.from(exponent.data as Float32Array, Number), exponent.shape) : op.view(1)
  const same = (view: View) => view.shape.length === shape.length
  if (type === 'float32' && exponent?.data.length === 1 && same(x)) {
    const square = () => op.zip(zipFunction.mul, x, x, shape)
    const value = Number(exponent.data[0])
    if (value === 1) return x
    if (value === 2) return square()
    if (value === 3) return op.zip(zipFunction.mul, square(), x, shape)
    if (value === 0.5) return op.map(mapFunction.sqrt, x)
    if (value === -1) return op.map(mapFunction.reciprocal, x)
  }
  const common = y.type === 'float32' ? y.type : wide(op, x).type
  return op.cast(op.zip(zipFunction.pow, op.cast(x, common), op.cast(y, common), shape), type)
}

const remainder: Row = (op) => two(op.call.flag('fmod') ? 'fmod' : 'mod')(op)

const not: Row = (op) => op.map(mapFunction.logicalNot, op.view(0))

const where: Row = (op) => {
  const { shape, type } = op.result()
  const [condition, x, y] = [0, 1, 2].map((place) => op.view(place))
  const made = op.likeThese(type, shape, [x, y, condition])
  op.emit('where', [spread(condition, shape), spread(x, shape), spread(y, shape)], [made])
  return made
}

/** Halves lie as float32; only what becomes one is rounded to it. */
const cast: Row = (op) => {
  const x = op.view(0)
  const from = op.to.plan.values[op.step.inputs[0]]!.type
  const { type } = op.to.plan.values[op.step.outputs[0]]!
  const element = op.to.element(type)
  if (from === type || (type === 'float32' && factsOf(from).bits === 16 && x.type === 'float32')) return x
  const made = op.make(element, x.shape, orderOf(x))
  op.emit('cast', [x], [type === 'float16' ? { ...made, type: 'float16' as Element } : made])
  return made
}

export const elementwise: Rows = {
  ...Object.fromEntries(Object.keys(mapCalls).map((name) => [name, mapped(name)])),
  Add: two('add'),
  Sub: two('sub'),
  Mul: two('mul'),
  Div: two('div'),
  Mod: remainder,
  Pow: power,
  Min: (op) => folded(op, 'min'),
  Max: (op) => folded(op, 'max'),
  Sum: (op) => folded(op, 'add'),
  Mean: mean,
  Equal: compared('equal'),
  Less: compared('less'),
  LessOrEqual: compared('lessOrEqual'),
  Greater: compared('greater'),
  GreaterOrEqual: compared('greaterOrEqual'),
  And: logical('logicalAnd'),
  Or: logical('logicalOr'),
  Xor: logical('logicalXor'),
  Not: not,
  Where: where,
  Cast: cast,
  CastLike: cast,
}
