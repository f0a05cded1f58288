/** The door to ONNX: a node, or the nodes of a file, become layers. Knows which weights a node names, and no byte of the format. */

import { describe, fail, RNNError } from '../../errors.ts'
import { trueLength, typedArrayName } from '../../intrinsics/typed-arrays.ts'
import { layerFromSpec } from '../../layers/from-network.ts'
import type { GRU } from '../../layers/gru.ts'
import type { LSTM } from '../../layers/lstm.ts'
import type { RNN } from '../../layers/rnn.ts'
import { layerChecks, readOptions } from '../../options/checks.ts'
import type { BackendName, NetworkSpec } from '../../spec/spec.ts'
import type { TensorLike } from '../../tensor/tensor.ts'
import { isOpType, type OnnxOpType } from './attributes.ts'
import { type Graph, type GraphNode, isStandard, readAttributes, readGraph } from './graph.ts'
import { type NodeNetwork, type NodeParts, nodeNetwork, readNodeParts } from './node.ts'
import { tensorValues } from './tensor.ts'

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

/** Options of {@link fromOnnxNode} and {@link readOnnx}. */
export interface OnnxOptions {
  /** Default: the best one this machine can run. */
  backend?: BackendName
  /** The most threads one call may use; 1 by default. */
  threads?: number
}

/** A layer that {@link readOnnx} found. */
export interface OnnxLayer {
  /** The node's name in the graph, or, where it has none, the name of its first output. */
  name: string
  layer: RNN | GRU | LSTM
}

const optionChecks = { backend: layerChecks.backend, threads: layerChecks.threads }

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
  const make = layerMaker(options, 'fromOnnxNode')
  return make(nodeNetwork(readNodeParts(node)))
}

/**
 * Reads the recurrent layers out of an ONNX file: every RNN, GRU and LSTM node of the main graph whose weights are in the file, as
 * initializers or `Constant` nodes, in the order of the graph. The rest of the graph is passed over, and so are nodes whose weights
 * are computed or passed in. Layers are as {@link fromOnnxNode} makes them; initial states are not part of them.
 *
 * Weights may be FLOAT, FLOAT16, BFLOAT16 or DOUBLE. The file need not be trusted: nothing is allocated that its bytes do not back.
 *
 * @param bytes the whole file
 * @param options backend and threads of all layers
 * @returns the layers and the names of their nodes
 * @throws RNNError `ERR_RNN_MODEL_FILE` for a file that is damaged, or a recurrent node that is not supported (`external_data`,
 * …): what, and where; `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
 * @example
 * const [{ layer }] = readOnnx(await readFile('model.onnx'))
 */
export function readOnnx(bytes: Uint8Array, options?: OnnxOptions): OnnxLayer[] {
  if (typedArrayName(bytes) !== 'Uint8Array') {
    fail('ERR_RNN_MODEL_FILE', `bytes must be a Uint8Array with the whole file, got ${describe(bytes)}`)
  }
  const make = layerMaker(options, 'readOnnx')
  // A plain view: a Buffer's slice would be no copy.
  const length = trueLength(bytes)
  const file = length === 0 ? new Uint8Array() : new Uint8Array(bytes.buffer, bytes.byteOffset, length)
  const graph = readGraph(file)
  // Nodes may share weights, but not so many that a small file fills the memory.
  let room = 16 * file.length + 2 ** 26
  const found: { name: string; network: NodeNetwork }[] = []
  for (const node of graph.nodes) {
    const tensors = nodeTensors(node, graph)
    if (tensors === undefined) continue
    const values = tensors.map((tensor) => tensor && tensorValues(tensor))
    for (const tensor of values) room -= tensor === undefined ? 0 : tensor.data.byteLength
    if (room < 0) {
      node.message.fail(
        'its weights are used so often that the layers would be far larger than the file',
        node.message.start,
      )
    }
    const [W, R, B, P] = values
    const parts: NodeParts = { opType: node.opType as OnnxOpType, attributes: readAttributes(node), W: W!, R: R!, B, P }
    found.push({
      name: node.name || node.outputs.find((output) => output !== '') || '',
      network: checkedNetwork(node, parts),
    })
  }
  return found.map(({ name, network }) => ({ name, layer: make(network) }))
}

/** Where the constant inputs W, R, B and P stand among a node's inputs. */
const places = [1, 2, 3, 7]

/** The tensors of W, R, B and P, or undefined where this is no recurrent node or one of them is not in the file. */
function nodeTensors(node: GraphNode, { tensors }: Graph) {
  if (!isOpType(node.opType) || !isStandard(node)) return undefined
  const names = places.map((place) => node.inputs[place] ?? '')
  const [W, R] = names
  if (W === '' || R === '' || names.some((name) => name !== '' && !tensors.has(name))) return undefined
  return names.map((name) => tensors.get(name))
}

function checkedNetwork(node: GraphNode, parts: NodeParts): NodeNetwork {
  try {
    return nodeNetwork(parts)
  } catch (cause) {
    if (!(cause instanceof RNNError)) throw cause
    const name = node.name === '' ? '' : ` ${describe(node.name)}`
    throw new RNNError(
      'ERR_RNN_MODEL_FILE',
      `The ONNX file cannot be read: ${node.message.name}${name}: ${cause.message}`,
      { cause },
    )
  }
}

function layerMaker(given: unknown, where: string): (network: NodeNetwork) => RNN | GRU | LSTM {
  const options = readOptions(given, optionChecks, where)
  return ({ batchFirst, weights, ...sizes }) => {
    const spec: NetworkSpec = { ...sizes, projSize: 0, numLayers: 1, threads: options.threads ?? 1 }
    return layerFromSpec(spec, weights, { backend: options.backend, batchFirst })
  }
}
