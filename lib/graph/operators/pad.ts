/** Padding: values put around a tensor, constant or taken from it; negative pads take away. */

import { entryOf } from '../../intrinsics/properties.ts'
import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, stretch } from '../pace.ts'
import { stridesOf } from '../strides.ts'
import { count, type GraphTensor, kindOf } from '../tensor.ts'
import { oneValue, padsOf } from './arguments.ts'
import { type Rows, rowOf } from './row.ts'

/** Which value stands at `i`, counted from the first of `size`; -1 for the constant. */
type Mode = (i: number, size: number) => number

const modes: Readonly<Record<string, Mode>> = {
  constant: (i, size) => (i >= 0 && i < size ? i : -1),
  edge: (i, size) => Math.min(Math.max(i, 0), size - 1),
  // Without the edge itself, so that as many values as there are, less one, can be seen on each side.
  reflect: (i, size) => (i < 0 ? -i : i < size ? i : 2 * (size - 1) - i),
}

function* pad(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  const name = call.text('mode', 'constant')
  const mode = entryOf(modes, name) ?? call.unsupported(`mode ${name} is not supported`)
  const { before, after } = padsOf(call, x.shape)
  const shape = x.shape.map((size, axis) => size + before[axis] + after[axis])
  const constant =
    oneValue(call, 2, 'constant_value', x.type) ?? (kindOf(x.type) === 'big' ? 0n : call.real('value', 0))
  const made = call.allocate(x.type, shape)
  if (count(shape) === 0) return made
  const strides = stridesOf(x.shape)
  const places: Float64Array[] = []
  for (const [axis, length] of shape.entries()) {
    const [left, right] = [before[axis], after[axis]]
    // Values that are taken away are not seen in a mirror either.
    const first = Math.max(0, -left)
    const size = x.shape[axis] - first - Math.max(0, -right)
    const furthest = name === 'reflect' ? size - 1 : name === 'edge' && size <= 0 ? 0 : Infinity
    if (Math.max(left, right) > furthest) call.fail(`pads ${left} and ${right} of ${size} values in mode ${name}`)
    if (call.isDry) continue
    const line = call.scratch(length)
    yield* inStretches(length, (from, to) => {
      for (let i = from; i < to; i++) {
        const at = mode(i - Math.max(0, left), size)
        line[i] = at < 0 ? -1 : (first + at) * strides[axis]
      }
    })
    places.push(line)
  }
  if (!call.isDry) yield* fill(call, x, made, places, constant)
  return made
}

/** Each value by the places of its indices, line by line along the last axis. */
function* fill(
  call: Call,
  x: GraphTensor,
  made: GraphTensor,
  places: readonly Float64Array[],
  constant: number | bigint,
): Pass<void> {
  const rank = places.length
  if (rank === 0) {
    made.data[0] = x.data[0]
    return
  }
  const last = places[rank - 1]
  const index = places.map(() => 0)
  const pace = new Pace()
  call.spend(rank * (made.data.length / last.length))
  for (let next = 0; next < made.data.length; ) {
    let at = 0
    for (let axis = 0; axis < rank - 1; axis++) {
      const place = places[axis][index[axis]]
      at = place < 0 || at < 0 ? -1 : at + place
    }
    for (let first = 0; first < last.length; first += stretch) {
      const end = Math.min(last.length, first + stretch)
      for (let i = first; i < end; i++)
        made.data[next++] = (at < 0 || last[i] < 0 ? constant : x.data[at + last[i]]) as never
      if (pace.isOver(end - first + 4)) yield
    }
    for (let axis = rank - 2; axis >= 0 && ++index[axis] === places[axis].length; axis--) index[axis] = 0
  }
}

export const paddings: Rows = { Pad: rowOf(pad, 1, 4, 'mode pads paddings value') }
