/** Operators that give the same values another shape, or say what shape they have. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import type { Pass } from '../pace.ts'
import { expanded, gathered, stridesOf, transposed } from '../strides.ts'
import { count, type GraphTensor, lengthOf } from '../tensor.ts'
import { permutation } from './arguments.ts'
import { type Rows, rowOf, unbounded } from './row.ts'

function reshape(call: Call): GraphTensor {
  const x = call.input(0)
  const wanted = call.numbersOf(1, 'shape') ?? call.fail('the shape is missing')
  const keepsZero = call.flag('allowzero')
  const shape = wanted.map((size, axis) => (size === 0 && !keepsZero ? (x.shape[axis] ?? -2) : size))
  const open = shape.indexOf(-1)
  if (open >= 0) {
    const rest = count(shape.filter((_, axis) => axis !== open))
    if (shape.lastIndexOf(-1) !== open || !(rest > 0) || lengthOf(x) % rest !== 0) {
      call.fail(`${list(x.shape)} cannot become ${list(wanted)}`)
    }
    shape[open] = lengthOf(x) / rest
  }
  return call.view(x, shape)
}

function squeeze(call: Call): GraphTensor {
  const x = call.input(0)
  const given = call.numbersOf(1, 'axes')
  const axes = given && call.axes(given, x.shape.length)
  for (const axis of axes ?? []) if (x.shape[axis] !== 1) call.fail(`axis ${axis} of ${list(x.shape)} is not 1`)
  return call.view(
    x,
    x.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
  )
}

function unsqueeze(call: Call): GraphTensor {
  const x = call.input(0)
  const given = call.numbersOf(1, 'axes') ?? call.fail('axes are missing')
  const rank = x.shape.length + given.length
  const axes = call.axes(given, rank)
  const rest = [...x.shape]
  return call.view(
    x,
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)),
  )
}

function flatten(call: Call): GraphTensor {
  const x = call.input(0)
  const rank = x.shape.length
  const axis = call.axisOf(1, rank, rank)
  return call.view(x, [count(x.shape.slice(0, axis)), count(x.shape.slice(axis))])
}

function transpose(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  const rank = x.shape.length
  const order = permutation(call, x.shape)
  if (order.length !== rank) call.fail(`perm ${list(order)} of a tensor of rank ${rank}`)
  return transposed(call, x, order)
}

function expand(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  const wanted = call.numbers(1) ?? call.fail('the shape is missing')
  const missing = Math.max(0, x.shape.length - wanted.length)
  const all = [...x.shape.slice(0, missing), ...wanted]
  const shape = all.map((size, axis) => {
    const own = x.shape[axis - all.length + x.shape.length] ?? 1
    if (own !== size && own !== 1 && size !== 1) call.fail(`${list(x.shape)} does not expand to ${list(wanted)}`)
    return own === 1 ? size : own
  })
  return expanded(call, x, shape)
}

function* tile(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  const repeats = call.numbers(1) ?? call.fail('the repeats are missing')
  if (repeats.length !== x.shape.length) call.fail(`${repeats.length} repeats of a tensor of rank ${x.shape.length}`)
  const own = stridesOf(x.shape)
  // Each axis as two, the repeats before it and no step along them; one of two that is 1 is left out.
  const pairs = x.shape.flatMap((size, axis) => [
    { size: repeats[axis], stride: 0 },
    { size, stride: own[axis] },
  ])
  const moved = pairs.filter(({ size }) => size !== 1)
  const made = yield* gathered(
    call,
    x,
    moved.map(({ size }) => size),
    moved.map(({ stride }) => stride),
  )
  return call.view(
    made,
    x.shape.map((size, axis) => size * repeats[axis]),
  )
}

function shapeOf(call: Call): GraphTensor {
  const { shape } = call.input(0)
  const part = shape.slice(call.integer('start', 0), call.integer('end', shape.length))
  const made = call.known('int64', [part.length])
  for (const [i, size] of part.entries()) made.data[i] = BigInt(size)
  return made
}

function sizeOf(call: Call): GraphTensor {
  const made = call.known('int64', [])
  made.data[0] = BigInt(lengthOf(call.input(0)))
  return made
}

/** Outside training it gives its input back; its second output says that nothing was dropped. */
function dropout(call: Call): readonly GraphTensor[] {
  const x = call.floats(0)
  if (call.inputs[2] && call.number(2, 'training_mode') !== 0) call.unsupported('training_mode is not supported')
  if (call.node.outputs.length < 2) return [x]
  const mask = call.allocate(call.opset < 10 ? x.type : 'bool', x.shape)
  mask.data.fill(1 as never)
  return [x, mask]
}

export const shapes: Rows = {
  Identity: rowOf((call) => call.input(0), 1, 1),
  Dropout: rowOf(dropout, 1, 3, 'ratio seed'),
  Reshape: rowOf(reshape, 1, 2, 'allowzero shape'),
  Squeeze: rowOf(squeeze, 1, 2, 'axes'),
  Unsqueeze: rowOf(unsqueeze, 1, 2, 'axes'),
  Flatten: rowOf(flatten, 1, 1, 'axis'),
  Transpose: rowOf(transpose, 1, 1, 'perm'),
  Expand: rowOf(expand, 2, 2),
  Tile: rowOf(tile, 2, unbounded),
  Shape: rowOf(shapeOf, 1, 1, 'start end'),
  Size: rowOf(sizeOf, 1, 1),
}
