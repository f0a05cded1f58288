/** A Keras layer's weights in PyTorch's shapes; it alone knows how Keras, Keras 1 and CuDNN lay them and in which order their gates stand. */

import { describe, fail, failOption, list, withArticle } from '../../errors.ts'
import { checkFinite } from '../../graph/recurrent/node.ts'
import { copyOf } from '../../intrinsics/captured.ts'
import { isObject } from '../../intrinsics/properties.ts'
import { largestSize } from '../../options/checks.ts'
import type { CellWeights, ClassName } from '../../spec/spec.ts'
import { checkNotDetached, type ReadTensor, readTensor } from '../../tensor/read.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { KerasOptions, KerasType } from './config.ts'

/** The places of a layer's gates in PyTorch's order; of Keras 1, whose layers have three arrays a gate, in the order of Keras 2. */
interface Layout {
  readonly className: ClassName
  readonly gates: readonly number[]
  readonly keras1?: readonly number[]
  readonly cudnn: boolean
}

const gru = { className: 'GRU', gates: [1, 0, 2] } as const // z r h → r z n
const lstm = { className: 'LSTM', gates: [0, 1, 2, 3] } as const // i f c o → i f g o
const layouts: Readonly<Record<KerasType, Layout>> = {
  SimpleRNN: { className: 'RNN', gates: [0], cudnn: false },
  GRU: { ...gru, keras1: [0, 1, 2], cudnn: false },
  LSTM: { ...lstm, keras1: [0, 2, 1, 3], cudnn: false }, // Keras 1: i c f o
  CuDNNGRU: { ...gru, cudnn: true },
  CuDNNLSTM: { ...lstm, cudnn: true },
}

/** Of an LSTM of Keras 1 in two directions. */
const mostArrays = 24

/** The weights of all directions, and what they tell of the layer. */
export interface KerasWeights {
  readonly className: ClassName
  readonly inputSize: number
  readonly hiddenSize: number
  readonly bias: boolean
  /** Of a GRU. */
  readonly resetAfter: boolean
  readonly weights: readonly CellWeights[]
}

/** Reads the argument `weights`, each tensor once, into copies: nothing that these arrays are or do is asked again. */
export function readTensors(value: unknown): ReadTensor[] {
  if (!Array.isArray(value)) {
    const saved = isObject(value) ? '; Object.values(file) of those that a file has in order' : ''
    fail(
      'ERR_RNN_STATE_DICT',
      `weights must be an array of tensors, as get_weights() gives them, got ${describe(value)}${saved}`,
    )
  }
  const read: ReadTensor[] = []
  const count = value.length
  if (count > mostArrays) fail('ERR_RNN_STATE_DICT', `weights must be at most ${mostArrays} tensors, got ${count}`)
  for (let i = 0; i < count; i++) read.push(readTensor(value[i], `weights[${i}]`))
  // A getter that was read later can have detached an array that was read before.
  for (const [i, tensor] of read.entries()) checkNotDetached(`weights[${i}]`, tensor)
  return read.map(({ data, shape }) => ({ data: copyOf(data), shape }))
}

/** Checks weights and turns them into PyTorch's; the result shares no memory with them. */
export function convertWeights(type: KerasType, tensors: readonly ReadTensor[], options: KerasOptions): KerasWeights {
  const layout = layouts[type]
  const directions = splitDirections(type, layout, tensors, options)
  const sizes = readSizes(type, layout, directions[0], options)
  const bias = directions[0].length === 3
  const resetAfter = resetAfterOf(type, directions[0][2], options)
  for (const [d, set] of directions.entries()) checkSet(type, layout, sizes, set, resetAfter, d)
  const { I, H } = sizes
  const weights = directions.map((set) => convertSet(layout, set, I, H, resetAfter))
  return { className: layout.className, inputSize: I, hiddenSize: H, bias, resetAfter, weights }
}

/** The arrays of each direction: kernel, recurrent kernel, and bias where there is one. */
function splitDirections(
  type: KerasType,
  { gates, keras1, cudnn }: Layout,
  tensors: readonly ReadTensor[],
  { useBias, bidirectional }: KerasOptions,
): ReadTensor[][] {
  const count = tensors.length
  const of1 = 3 * gates.length
  if (keras1 && (count === of1 || count === 2 * of1) && (bidirectional ?? count > of1) === count > of1) {
    const sets = count === of1 ? [tensors] : [tensors.slice(0, of1), tensors.slice(of1)]
    return sets.map((set) => joinGates(set, keras1))
  }
  const bias = useBias ?? (cudnn || count % 3 === 0)
  const each = bias ? 3 : 2
  const twice = bidirectional ?? count === 2 * each
  if (count !== (twice ? 2 : 1) * each) {
    const arrays = bias ? 'kernel, recurrent_kernel and bias' : 'kernel and recurrent_kernel'
    const counts =
      bidirectional === undefined
        ? `${each} (${arrays}), or ${2 * each} for a Bidirectional`
        : `${twice ? 2 * each : each} (${arrays}${twice ? ', forward then backward' : ''})`
    fail(
      'ERR_RNN_STATE_DICT',
      `weights of ${withArticle(type)}${bias ? '' : ' without bias'} must be ${counts}, got ${count}`,
    )
  }
  return twice ? [tensors.slice(0, each), tensors.slice(each)] : [[...tensors]]
}

/** Keras 1's W, U, b of each gate, side by side in Keras 2's order. */
function joinGates(set: readonly ReadTensor[], places: readonly number[]): ReadTensor[] {
  return [0, 1, 2].map((part) => {
    const [first, ...others] = places.map((place) => set[3 * place + part])
    const rank = part === 2 ? 1 : 2
    const { shape } = first
    const wrong = shape.length !== rank ? first : others.find((other) => !sameShape(other.shape, shape))
    if (wrong) {
      fail(
        'ERR_RNN_STATE_DICT',
        `the ${'WUb'[part]} of all gates must have one shape of ${rank} axes, got ${list(shape)} and ${list(wrong.shape)}`,
      )
    }
    const columns = shape[rank - 1]
    const rows = rank === 1 ? 1 : shape[0]
    const data = new Float32Array(rows * columns * places.length)
    places.forEach((place, gate) => {
      const from = set[3 * place + part].data
      for (let row = 0; row < rows; row++) {
        data.set(from.subarray(row * columns, (row + 1) * columns), (row * places.length + gate) * columns)
      }
    })
    return { data, shape: rank === 1 ? [data.length] : [rows, columns * places.length] }
  })
}

interface Sizes {
  readonly I: number
  readonly H: number
}

function readSizes(
  type: KerasType,
  { gates }: Layout,
  [kernel, recurrent]: ReadTensor[],
  { units }: KerasOptions,
): Sizes {
  const H = units ?? recurrent.shape[0]
  const I = kernel.shape[0]
  for (const [name, size] of [['units', H] as const, ['input_dim', I] as const]) {
    if (size >= 1 && size <= largestSize) continue
    const wanted = `kernel (I, ${gates.length}·H) and recurrent_kernel (H, ${gates.length}·H)`
    const got = `${list(kernel.shape)} and ${list(recurrent.shape)}`
    fail('ERR_RNN_STATE_DICT', `${withArticle(type)} wants ${wanted}, ${name} from 1 to ${largestSize}, got ${got}`)
  }
  return { I, H }
}

/** A GRU with the reset after the product has a bias for each product. */
function resetAfterOf(type: KerasType, bias: ReadTensor | undefined, options: KerasOptions): boolean {
  if (type === 'CuDNNGRU') {
    if (options.resetAfter === false) failOption('config.reset_after of a CuDNNGRU must be true, got false')
    return true
  }
  return options.resetAfter ?? (bias === undefined ? options.resetAfterByVersion : bias.shape.length === 2)
}

function checkSet(
  type: KerasType,
  { className, gates, cudnn }: Layout,
  { I, H }: Sizes,
  set: readonly ReadTensor[],
  resetAfter: boolean,
  d: number,
): void {
  const rows = gates.length * H
  const biasShape = cudnn ? [2 * rows] : className === 'GRU' && resetAfter ? [2, rows] : [rows]
  const wanted = [[I, rows], [H, rows], ...(set.length === 3 ? [biasShape] : [])]
  const names = ['kernel', 'recurrent_kernel', 'bias']
  const fits = set.every(({ shape }, at) => sameShape(shape, wanted[at]))
  if (!fits) {
    const shown = wanted.map(
      ([first, ...others], at) => `${names[at]} (${[at === 0 && d === 0 ? 'I' : first, ...others].join(', ')})`,
    )
    const got = set.map(({ shape }) => list(shape)).join(', ')
    const of = `${withArticle(type)} of ${H} units${d === 1 ? ', backward,' : ''}`
    fail(
      'ERR_RNN_STATE_DICT',
      `${of} wants ${shown.join(', ')}, got ${got}${areTurned(set, gates.length) ? '; these are transposed, as PyTorch has them' : hintOf(type, rows, set[2]?.shape, resetAfter)}`,
    )
  }
  for (const [at, tensor] of set.entries()) checkFinite(`${d === 1 ? 'backward ' : ''}${names[at]}`, tensor)
}

/** Whether both kernels have the gates' units as rows, not as columns. */
function areTurned([kernel, recurrent]: readonly ReadTensor[], gates: number): boolean {
  const [rows, columns] = recurrent.shape
  return gates > 1 && rows === gates * columns && kernel.shape[0] === rows
}

/** What a bias of another kind of layer tells. */
function hintOf(type: KerasType, rows: number, bias: readonly number[] | undefined, resetAfter: boolean): string {
  if (bias === undefined || type === 'SimpleRNN') return ''
  const isFlat = bias.length === 1
  if (isFlat && bias[0] === 2 * rows) return `; a bias of ${2 * rows} is that of a CuDNN${type.replace('CuDNN', '')}`
  if (type.startsWith('CuDNN'))
    return isFlat && bias[0] === rows ? `; a bias of ${rows} is that of ${withArticle(type.slice(5))}` : ''
  if (type === 'GRU' && resetAfter && isFlat) return '; a bias of one axis is that of reset_after: false'
  return type === 'GRU' && bias.length === 2 ? '; a bias of two axes is that of reset_after: true' : ''
}

function convertSet(
  { gates, cudnn }: Layout,
  set: readonly ReadTensor[],
  I: number,
  H: number,
  resetAfter: boolean,
): CellWeights {
  const [kernel, recurrent, bias] = set.map(({ data }) => data)
  const rows = gates.length * H
  const twoBiases = cudnn || (resetAfter && bias?.length === 2 * rows)
  return {
    weightIh: gatesAsRows(kernel, gates, I, H, cudnn),
    weightHh: gatesAsRows(recurrent, gates, H, H, cudnn),
    biasIh: bias && gatesAsRows(bias, gates, 1, H),
    biasHh: bias && (twoBiases ? gatesAsRows(bias.subarray(rows), gates, 1, H) : new Float32Array(rows)),
  }
}

/**
 * (K, G·H) → (G·H, K), the gates in PyTorch's order. Of CuDNN's kernels (`asTheyLie`) the values of a gate, in the order that they have in its
 * (K, H), are those of its (H, K).
 */
function gatesAsRows(
  from: Float32Array,
  gates: readonly number[],
  K: number,
  H: number,
  asTheyLie = false,
): Float32Array {
  const columns = gates.length * H
  const to = new Float32Array(columns * K)
  for (const [gate, place] of gates.entries()) {
    for (let unit = 0; unit < H; unit++) {
      for (let k = 0; k < K; k++) {
        const at = asTheyLie ? unit * K + k : k * H + unit
        to[(gate * H + unit) * K + k] = from[Math.floor(at / H) * columns + place * H + (at % H)]
      }
    }
  }
  return to
}
