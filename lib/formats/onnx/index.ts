/** The door to ONNX: a node, or the nodes of a file, become layers. Knows which weights a node names, and no byte of the format. */

import { list, named } from '../../errors.ts'
import { Budget } from '../../graph/budget.ts'
import type { OnnxOpType } from '../../graph/recurrent/attributes.ts'
import { type NodeNetwork, nodeNetwork } from '../../graph/recurrent/node.ts'
import { inNameOf } from '../../graph/recurrent/parts.ts'
import { layerFromSpec } from '../../layers/from-network.ts'
import type { GRU } from '../../layers/gru.ts'
import type { LSTM } from '../../layers/lstm.ts'
import type { RNN } from '../../layers/rnn.ts'
import { type Checked, checkOwn, layerChecks, precisionChecks, precisionOf, readOptions } from '../../options/checks.ts'
import type { LayerOptions, PrecisionOptions } from '../../options/options.ts'
import { fitsInt8 } from '../../precision/scales.ts'
import { type BackendName, directionsOf, type NetworkSpec } from '../../spec/spec.ts'
import type { ReadTensor } from '../../tensor/read.ts'
import { Tensor, type TensorLike } from '../../tensor/tensor.ts'
import { checkBytes, onnxFile } from '../file-kind.ts'
import { checkExternalData, ExternalFiles } from './external.ts'
import { FileModel } from './model.ts'
import { readNodeParts } from './node.ts'
import { bytesOfLayer, type Found, recurrentPart } from './recurrent.ts'
import { recurrentNodes } from './walk.ts'

/** A recurrent node of an ONNX graph with its constant inputs; D is 2 for `direction: 'bidirectional'`, G the number of gates. */
export interface OnnxNode {
  opType: OnnxOpType
  /**
   * As in the file: `direction`, `hidden_size`, `layout`, `clip`, `activations` with `activation_alpha` and `activation_beta`,
   * `linear_before_reset` of a GRU, `input_forget` of an LSTM. Numbers may be bigints. An unknown attribute is refused.
   */
  attributes?: Record<string, unknown>
  /** (D, G·H, I), gates in ONNX's order: z r h for a GRU, i o f c for an LSTM. */
  W: TensorLike
  /** (D, G·H, H) */
  R: TensorLike
  /** (D, 2·G·H): the biases of W, then those of R. Without it the layer has no bias. */
  B?: TensorLike
  /** LSTM only: (D, 3·H), the peepholes of i, o and f. */
  P?: TensorLike
}

/** Options of {@link fromOnnxNode}. */
export interface OnnxOptions extends PrecisionOptions {
  /** Default: the best one this machine can run. */
  backend?: BackendName
  /** The most threads one call may use; 1 by default. */
  threads?: number
}

/**
 * Options of {@link readOnnx}, of all layers that it makes: as for a constructor. `batchFirst` and `clip` take the place of what a node says; sizes,
 * biases and directions are the nodes' own, and an option that says otherwise is an error.
 */
export interface ReadOnnxOptions extends LayerOptions {
  /**
   * Gives the bytes of another file that holds weights, by its location: the text that stands in the model, which nobody has checked.
   * A program that takes files from strangers looks only into a folder of its own. Called once for each location.
   */
  externalData?: (location: string) => Uint8Array
}

/** A layer that {@link readOnnx} found. */
export interface OnnxLayer {
  /**
   * The node's name in the graph, or, where it has none, the name of its first output. In a function: the name of the node that calls
   * it, a slash, and that name.
   */
  name: string
  layer: RNN | GRU | LSTM
  /** The initial state, (D, B, H), where it stands in the file. */
  h0?: Tensor
  /** LSTM only: the initial cell state, (D, B, H), where it stands in the file. */
  c0?: Tensor
}

const optionChecks = { backend: layerChecks.backend, threads: layerChecks.threads, ...precisionChecks }
const fileChecks = { ...layerChecks, externalData: checkExternalData }

/**
 * Makes a layer of an ONNX RNN, GRU or LSTM node.
 *
 * The layer has PyTorch's shapes, whatever the node's `layout`: `layout = 1` only makes it `batchFirst`. So ONNX's Y, (T, D, B, H) or
 * (B, T, D, H), is the layer's `output` (T, B, D·H) or (B, T, D·H), and states are (D, B, H) where `layout = 1` has (B, D, H). What
 * ONNX passes at run time (`sequence_lens`, `initial_h`, `initial_c`) is passed to `forward` as `lengths`, `h0`, `c0`. A node with
 * `direction: 'reverse'` gives a layer that runs backward only; it has no stream.
 *
 * Source: https://onnx.ai/onnx/operators/
 *
 * @param node the operator, its attributes and its weights in ONNX's shapes; nothing of it is kept
 * @param options backend and threads
 * @returns an RNN, GRU or LSTM of one layer
 * @throws RNNError `ERR_RNN_MODEL_FILE` naming the attribute that is not supported, `ERR_RNN_SHAPE` for weights that do not fit,
 * `ERR_RNN_STATE_DICT` for weights that are not finite, `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
 * @example
 * const gru = fromOnnxNode({ opType: 'GRU', attributes: { linear_before_reset: 1 }, W, R, B })
 * const { hn } = gru.forward(frames)
 */
export function fromOnnxNode(node: OnnxNode, options?: OnnxOptions): RNN | GRU | LSTM {
  const read = readOptions(options, optionChecks, 'fromOnnxNode')
  precisionOf(read)
  return layerOf(nodeNetwork(readNodeParts(node)), read)
}

/**
 * Reads the recurrent layers out of an ONNX file: every RNN, GRU and LSTM node and onnxruntime's DynamicQuantizeLSTM, also in the bodies
 * of If, Loop and Scan and in functions (once for each call), in the order of the file. The rest of the graph is passed over; a file
 * without recurrent nodes gives none. Layers are as {@link fromOnnxNode} makes them.
 *
 * Weights that stand in the file as integers with scales (DequantizeLinear, DynamicQuantizeLSTM) are those very integers as int8 where `weights` is left out
 * and no bit of what they stand for is lost: within ±127 of the zero point, a scale for each row or for all; else they are float32.
 *
 * Weights may be what operators make of constants in any number of steps (Slice, Concat, Unsqueeze, Transpose, Cast, DequantizeLinear
 * and about a hundred more), and may lie in other files. The file need not be trusted: all layers take at most 64 MiB and 16 times the bytes
 * of the files, and so do the values on the way to one layer.
 *
 * @param bytes the whole file
 * @param options as for a constructor, of all layers: `batchFirst` and `clip` in place of what each node says; `externalData` for weights in other files
 * @returns the layers, the names of their nodes, and initial states that stand in the file
 * @throws RNNError `ERR_RNN_MODEL_FILE` for a file that is damaged or no ONNX file, or a recurrent node that cannot be taken (weights that
 * depend on an input, attributes that are not supported): what, and where; `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
 * @example
 * const [{ layer, h0 }] = readOnnx(await readFile('model.onnx'))
 */
export function readOnnx(bytes: Uint8Array, options?: ReadOnnxOptions): OnnxLayer[] {
  checkBytes(bytes, 'readOnnx(await readFile(path))')
  const read = readOptions(options, fileChecks, 'readOnnx')
  precisionOf(read)
  const file = onnxFile(bytes)
  const budget = new Budget(file.length)
  const layers: OnnxLayer[] = []
  try {
    addLayers(new FileModel(file, new ExternalFiles(read.externalData, budget)), budget, read, layers)
  } catch (error) {
    for (const { layer } of layers) layer.dispose()
    throw error
  }
  return layers
}

function addLayers(model: FileModel, budget: Budget, options: ReadOptions, layers: OnnxLayer[]): void {
  let used = 0
  for (const { scope, node, name } of recurrentNodes(model, budget)) {
    budget.refill()
    const found = recurrentPart(scope, node, budget)
    used += bytesOfLayer(found)
    if (used > budget.room) {
      node.refuse('its weights are used so often that the layers would be far larger than the file')
    }
    layers.push({ name, ...made(name, found, node.refuse, options) })
    // What was computed for one node is not kept for the next: layers that share weights are few.
    for (let one: typeof scope | undefined = scope; one; one = one.parent ?? one.call?.scope) one.known.clear()
  }
}

type ReadOptions = Checked<typeof fileChecks>

function made(
  name: string,
  { parts: own, h0, c0 }: Found,
  refuse: (what: string) => never,
  options: ReadOptions,
): Omit<OnnxLayer, 'name'> {
  const { clip } = options
  const parts = clip === undefined ? own : { ...own, attributes: { ...own.attributes, clip } }
  const network = inNameOf(refuse, () => nodeNetwork(parts))
  checkOwn(options, network, `the node "${named(name)}"`)
  const batchFirst = options.batchFirst ?? network.batchFirst
  const states = {
    ...(h0 && { h0: stateOf('initial_h', h0, network, refuse) }),
    ...(c0 && { c0: stateOf('initial_c', c0, network, refuse) }),
  }
  const isInt8 = network.weights.every(({ weightIh, weightHh }) => fitsInt8(weightIh) && fitsInt8(weightHh))
  const { weights = isInt8 ? 'int8' : 'f32' } = options
  return {
    layer: layerOf({ ...network, batchFirst }, { __proto__: null, ...options, weights } as OnnxOptions),
    ...states,
  }
}

/** An initial state as the API has it: (D, B, H), which is what ONNX has without `layout`. */
function stateOf(
  name: string,
  { data, shape }: ReadTensor,
  { batchFirst, hiddenSize: H, direction }: NodeNetwork,
  refuse: (what: string) => never,
): Tensor {
  const D = directionsOf({ direction })
  const [B, given] = batchFirst ? [shape[0], shape[1]] : [shape[1], shape[0]]
  if (shape.length !== 3 || given !== D || shape[2] !== H) {
    refuse(`Expected ${name} size ${batchFirst ? `(batch, ${D}, ${H})` : `(${D}, batch, ${H})`}, got ${list(shape)}`)
  }
  const values = new Float32Array(data.length)
  for (let d = 0; d < D; d++) {
    for (let b = 0; b < B; b++) {
      const from = (batchFirst ? b * D + d : d * B + b) * H
      values.set(data.subarray(from, from + H), (d * B + b) * H)
    }
  }
  return new Tensor(values, [D, B, H])
}

function layerOf({ batchFirst, weights, ...sizes }: NodeNetwork, options: OnnxOptions) {
  const { backend, threads = 1 } = options
  const spec: NetworkSpec = { ...sizes, projSize: 0, numLayers: 1, threads, ...precisionOf(options) }
  return layerFromSpec(spec, weights, { backend, batchFirst })
}
