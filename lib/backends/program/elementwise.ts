/** Operators that compute each value from those at its own place, broadcast to one shape. */

import { factsOf } from '../../graph/tensor.ts'
import type { mapFunction, zipFunction } from '../protocol.ts'
import { mapCalls, namedAlike } from './functions.ts'
import type { Op } from './op.ts'
import type { Row, Rows } from './row.ts'
import { type Element, orderOf, orderOfLargest, spread, type View } from './views.ts'

type Zip = keyof typeof zipFunction

/** Arithmetic is of float32, int32 and int64: smaller integers are widened for it, and wrap when they are narrowed again. */
export function wide(op: Op, view: View): View {
  return view.type === 'uint8' || view.type === 'int8' || view.type === 'bool' ? op.cast(view, 'int32') : view
}

/** Two operands, the result of their type. */
export function zipped(op: Op, name: Zip, a: View, b: View, shape = a.shape): View {
  return op.cast(op.zip(name, wide(op, a), wide(op, b), shape), a.type)
}

const two =
  (name: Zip): Row =>
  (op) =>
    zipped(op, name, op.view(0), op.view(1), op.result().shape)

const compared =
  (name: Zip): Row =>
  (op) =>
    op.zip(name, wide(op, op.view(0)), wide(op, op.view(1)), op.result().shape, 'bool')

const logical =
  (name: Zip): Row =>
  (op) =>
    op.zip(name, op.view(0), op.view(1), op.result().shape)

/** Any number of operands, from the first on. */
function folded(op: Op, name: Zip): View {
  const { shape } = op.result()
  const [first, ...rest] = op.views
  return rest.reduce((made, view) => zipped(op, name, made, view, shape), spread(first, shape))
}

const mean: Row = (op) => {
  const sum = folded(op, 'add')
  return op.zip('div', sum, op.scalar(sum.type, op.views.length))
}

/** A function of each value; what is not of floats is said by min and max, or is exact for integers too. */
const mapped =
  (name: string): Row =>
  (op) => {
    const x = op.view(0)
    const call = x.type === 'float32' ? mapCalls[name](op.call) : undefined
    if (call) return op.run('map', [...call, x], x, orderOf(x))
    return others[name]?.(op) ?? op.fail(`${x.type} is not supported`)
  }

const exact =
  (name: keyof typeof mapFunction): Row =>
  (op) =>
    op.cast(op.map(name, wide(op, op.view(0))), op.view(0).type)

const clip: Row = (op) => {
  const within = (name: Zip, x: View, place: number) => {
    const bound = op.optional(place)
    return bound ? zipped(op, name, x, op.reshape(bound, [])) : x
  }
  return within('min', within('max', op.view(0), 1), 2)
}

const others: Readonly<Record<string, Row>> = {
  ...namedAlike('Abs Neg Sign', exact),
  Relu: (op) => zipped(op, 'max', op.view(0), op.scalar(op.view(0).type, 0)),
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
    const square = () => op.zip('mul', x, x)
    const value = Number(exponent.data[0])
    if (value === 1) return x
    if (value === 2) return square()
    if (value === 3) return op.zip('mul', square(), x)
    if (value === 0.5) return op.map('sqrt', x)
    if (value === -1) return op.map('reciprocal', x)
  }
  const common = y.type === 'float32' ? y.type : wide(op, x).type
  return op.cast(op.zip('pow', op.cast(x, common), op.cast(y, common), shape), type)
}

const remainder: Row = (op) => two(op.call.flag('fmod') ? 'fmod' : 'mod')(op)

const not: Row = (op) => op.map('logicalNot', op.view(0))

const where: Row = (op) => {
  const made = op.result()
  const [condition, x, y] = op.views
  const wide = op.views.map((view) => spread(view, made.shape))
  return op.run('where', wide, made, orderOfLargest([x, y, condition], made.shape))
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
  ...namedAlike('Add Sub Mul Div', two),
  Mod: remainder,
  Pow: power,
  Min: (op) => folded(op, 'min'),
  Max: (op) => folded(op, 'max'),
  Sum: (op) => folded(op, 'add'),
  Mean: mean,
  ...namedAlike('Equal Less LessOrEqual Greater GreaterOrEqual', compared),
  And: logical('logicalAnd'),
  Or: logical('logicalOr'),
  Xor: logical('logicalXor'),
  Not: not,
  Where: where,
  Cast: cast,
  CastLike: cast,
}
