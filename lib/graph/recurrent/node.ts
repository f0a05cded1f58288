/** What an ONNX RNN, GRU or LSTM node computes, in PyTorch's terms; knows ONNX's shapes and gate orders. */

import { fail, failOption, failShape, list, tuple } from '../../errors.ts'
import { intsOf } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import { largestSize } from '../../options/checks.ts'
import { scalesOf, setScales } from '../../precision/scales.ts'
import { type CellFunctions, cellWith } from '../../spec/cell-functions.ts'
import { type CellName, type CellWeights, type Direction, directionsOf } from '../../spec/spec.ts'
import type { ReadTensor } from '../../tensor/read.ts'
import { elements, placeIn, sameShape } from '../../tensor/shape.ts'
import type { Refuse } from '../budget.ts'
import { type NodeAttributes, type OnnxOpType, readNodeAttributes } from './attributes.ts'

/** A node as it was read: what it is, and its tensors. Nothing has been held against anything yet. */
export interface NodeParts {
  readonly opType: OnnxOpType
  readonly attributes: Readonly<Record<string, unknown>>
  readonly W: ReadTensor
  readonly R: ReadTensor
  readonly B?: ReadTensor
  readonly P?: ReadTensor
}

/** The network of one layer that a node stands for. */
export interface NodeNetwork {
  readonly cell: CellName
  readonly functions?: CellFunctions
  readonly inputSize: number
  readonly hiddenSize: number
  readonly bias: boolean
  readonly direction: Direction
  readonly batchFirst: boolean
  /** One for each direction. */
  readonly weights: readonly CellWeights[]
}

/** Where ONNX keeps each gate, in PyTorch's order of gates: r z n, i f g o. The peepholes' order is i f o. */
const gatePlaces = {
  RNN: [0], // one gate
  GRU: [1, 0, 2], // ONNX: z r h
  LSTM: [0, 2, 3, 1], // ONNX: i o f c
} as const
const peepholePlaces = [0, 2, 1] // ONNX: i o f

/** Checks a node: its attributes, and its weights against them. */
export function checkNode(node: NodeParts): { readonly attributes: NodeAttributes; readonly sizes: Sizes } {
  const attributes = readNodeAttributes(node.opType, node.attributes)
  const sizes = readSizes(node, attributes)
  checkTensors(node, sizes)
  return { attributes, sizes }
}

/** Checks a node and turns its weights into PyTorch's shapes and gate orders; the result shares no memory with it. */
export function nodeNetwork(node: NodeParts): NodeNetwork {
  const { opType, B, P } = node
  const { attributes, sizes } = checkNode(node)
  const cell: Record<OnnxOpType, CellName> = {
    RNN: 'rnnTanh',
    GRU: attributes.resetAfter ? 'gru' : 'gruResetBefore',
    LSTM: P === undefined ? 'lstm' : 'lstmPeephole',
  }
  return {
    ...cellWith(cell[opType], attributes.functions),
    inputSize: sizes.I,
    hiddenSize: sizes.H,
    bias: B !== undefined,
    direction: attributes.direction,
    batchFirst: attributes.batchFirst,
    weights: Array.from({ length: sizes.D }, (_, d) => directionWeights(node, sizes, d)),
  }
}

/** What weights say. */
export interface Sizes {
  /** Directions. */
  readonly D: number
  /** Gates. */
  readonly G: number
  readonly I: number
  readonly H: number
}

/** The sizes by the shapes of W and R. */
function readSizes({ opType, W, R }: NodeParts, attributes: NodeAttributes): Sizes {
  const D = directionsOf(attributes)
  const { hiddenSize } = attributes
  const G = gatePlaces[opType].length
  if (R.shape.length !== 3) refuseShape('R', `(num_directions, ${G}·hidden_size, hidden_size)`, R.shape, refuse)
  const H = R.shape[2]
  if (hiddenSize !== undefined && hiddenSize !== H) {
    refuse(`R.size(-1) must be equal to the attribute hidden_size. Expected ${hiddenSize}, got ${H}`)
  }
  if (W.shape.length !== 3) refuseShape('W', `(${D}, ${G * H}, input_size)`, W.shape, refuse)
  const I = W.shape[2]
  checkSizes({ hidden_size: H, input_size: I }, refuse)
  return { D, G, I, H }
}

const refuse: Refuse = (what) => failShape(what)

/** Sizes of a layer, by the names that messages have for them. */
export function checkSizes(sizes: Readonly<Record<string, number>>, refuse: Refuse): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!(size >= 1 && size <= largestSize)) refuse(`${name} must be from 1 to ${largestSize}, got ${size}`)
  }
}

function checkTensors({ opType, W, R, B, P }: NodeParts, { D, G, I, H }: Sizes): void {
  if (P !== undefined && opType !== 'LSTM') {
    failOption(`P (peepholes) belongs to an LSTM, not to ${opType}`)
  }
  checkTensor('W', W, [D, G * H, I])
  checkTensor('R', R, [D, G * H, H])
  if (B !== undefined) checkTensor('B', B, [D, 2 * G * H])
  if (P !== undefined) checkTensor('P', P, [D, 3 * H])
}

/** The weights of direction `d`, in PyTorch's order of gates. */
function directionWeights({ opType, W, R, B, P }: NodeParts, { G, I, H }: Sizes, d: number): CellWeights {
  const places = gatePlaces[opType]
  return {
    weightIh: rowsInOrder(W, d * G, H, I, places),
    weightHh: rowsInOrder(R, d * G, H, H, places),
    biasIh: B && inOrder(B.data, 2 * d * G, H, places),
    biasHh: B && inOrder(B.data, (2 * d + 1) * G, H, places),
    weightHr: undefined,
    peephole: P && inOrder(P.data, d * 3, H, peepholePlaces),
  }
}

/** The same of blocks of H rows, with the scales that these were made with. */
function rowsInOrder({ data }: ReadTensor, first: number, H: number, columns: number, places: readonly number[]) {
  const ordered = inOrder(data, first, H * columns, places)
  const scales = scalesOf(data)
  if (scales && scales.length * columns === data.length) setScales(ordered, inOrder(scales, first, H, places))
  return ordered
}

/** The blocks of `size` values from block `first` on, taken in the order of `places`. */
function inOrder(data: Float32Array, first: number, size: number, places: readonly number[]): Float32Array {
  const ordered = new Float32Array(places.length * size)
  for (const [i, place] of places.entries()) {
    ordered.set(data.subarray((first + place) * size, (first + place + 1) * size), i * size)
  }
  return ordered
}

export function refuseShape(name: string, expected: string, shape: readonly number[], refuse: Refuse): never {
  return refuse(`Expected ${name} size ${expected}, got ${list(shape)}`)
}

export function checkShape(name: string, shape: readonly number[], wanted: readonly number[], refuse: Refuse): void {
  if (!sameShape(shape, wanted)) refuseShape(name, tuple(wanted), shape, refuse)
}

function checkTensor(name: string, { data, shape }: ReadTensor, wanted: readonly number[]): void {
  checkShape(name, shape, wanted, refuse)
  if (trueLength(data) !== elements(wanted)) refuse(`${name} was detached while the node was read`)
  checkFinite(name, { data, shape: wanted })
}

/** Throws `ERR_RNN_STATE_DICT` naming the first value that is not finite. */
export function checkFinite(
  name: string,
  { data, shape }: Pick<ReadTensor, 'data'> & { readonly shape: readonly number[] },
): void {
  if (areFinite(data)) return
  const wrong = data.findIndex((value) => !Number.isFinite(value))
  fail('ERR_RNN_STATE_DICT', `${name} must be finite, got ${data[wrong]} at ${list(placeIn(shape, wrong))}`)
}

/** Whether no value has the exponent of infinities and NaN: all bits set. */
function areFinite(data: Float32Array): boolean {
  const bits = intsOf(data)
  for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7f800000) === 0x7f800000) return false
  return true
}
