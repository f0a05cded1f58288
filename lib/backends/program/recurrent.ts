/** Recurrent layers: the engine's own networks, their inputs and outputs as views of what ONNX has. */

import { type RecurrentNetwork, recurrentNetwork } from '../../graph/recurrent/network.ts'
import { recurrentPlaces } from '../../graph/recurrent/parts.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import { directionsOf } from '../../spec/spec.ts'
import { specNumbers } from '../packing.ts'
import type { Op } from './op.ts'
import type { Row, Rows } from './row.ts'
import { orderOf, permuted, reshaped, type View } from './views.ts'

type Sizes = Pick<RecurrentNetwork, 'spec' | 'batchFirst'>

/** What was read of weights once, by those of the input: plans for other shapes need not read them again. */
const known = new WeakMap<GraphTensor, Map<string, Sizes>>()

function networkOf(op: Op): Sizes & { readonly memory: number } {
  const { step, to } = op
  const constant = op.constant(weightPlace) ?? op.fail('its W is not constant')
  const others = otherPlaces.map((place) => to.weights.nameOf(op.constant(place)))
  const attributes = [...step.attributes].map(([name, value]) => `${name} ${value}`)
  const key = [step.opType, ...others, ...attributes].join()
  const read = () =>
    recurrentNetwork(step, (value) => to.plan.values[value]?.constant, to.threads, to.weights.precision)
  const all = known.get(constant) ?? new Map<string, Sizes>()
  known.set(constant, all)
  const fresh = all.has(key) ? undefined : read()
  if (fresh) all.set(key, { spec: fresh.spec, batchFirst: fresh.batchFirst })
  const { batchFirst, ...sizes } = all.get(key)!
  const spec = { ...sizes.spec, ...to.weights.precision, threads: to.threads }
  const memory = to.weights.network(constant, key, spec, () => (fresh ?? read()).weights)
  return { spec, batchFirst, memory }
}

const weightPlace = 1
/** R, B and P, and what quantized weights are made of. */
const otherPlaces = [2, 3, 7, 8, 9, 10, 11]

const recurrent: Row = (op) => {
  const { spec, batchFirst, memory } = networkOf(op)
  const D = directionsOf(spec)
  const H = spec.hiddenSize
  const given = op.view(recurrentPlaces.x)
  /** Between what ONNX has and what the engine has, which is its own reverse. */
  const turned = (view: View) => (batchFirst ? permuted(view, [1, 0, 2]) : view)
  const x = turned(given)
  const [T, B] = x.shape
  const state = (place: number) => {
    const isZero = op.constant(place)?.data.every((value: number | bigint) => Number(value) === 0)
    const view = isZero ? undefined : op.optional(place)
    return view && turned(view)
  }
  const [h0, c0] = [state(recurrentPlaces.h0), state(recurrentPlaces.c0)]
  const hasCell = cellTraits[spec.cell].hasCellState
  if (T === 0) {
    checkNoLengths(op)
    const zeros = op.scalar('float32', 0, [D, B, H])
    return [op.make('float32', op.wants(0) ? op.result().shape : []), turned(h0 ?? zeros), turned(c0 ?? zeros)]
  }
  // In the order in which x lies.
  const [outermost] = orderOf(x)
  const y = op.wanted(0, 'float32', [T, B, D * H], outermost === 1 ? [1, 0, 2] : [0, 1, 2])
  const hn = op.wanted(1, 'float32', [D, B, H])
  const cn = hasCell ? op.wanted(2, 'float32', [D, B, H]) : undefined
  const numbers = specNumbers(spec)
  const inputs = [
    memory,
    numbers.length,
    ...numbers,
    x,
    op.optional(recurrentPlaces.lengths),
    h0,
    hasCell ? c0 : undefined,
  ]
  op.emit('network', inputs, [y, hn, cn])
  const split = y && reshaped(y, [T, B, D, H])!
  return [split && permuted(split, batchFirst ? [1, 0, 2, 3] : [0, 2, 1, 3]), hn && turned(hn), cn && turned(cn)]
}

/** Of no steps every length must be 0: its square is taken as a place of one value, which fails as a length that is too long does. */
function checkNoLengths(op: Op): void {
  const lengths = op.optional(recurrentPlaces.lengths)
  if (lengths === undefined) return
  const wide = op.cast(lengths, 'int64')
  op.run('gather', [0, op.scalar('float32', 0, [1]), op.zip('mul', wide, wide)], { ...wide, type: 'float32' })
}

export const recurrents: Rows = { RNN: recurrent, GRU: recurrent, LSTM: recurrent }
export const microsoftRecurrents: Rows = { DynamicQuantizeLSTM: recurrent }
