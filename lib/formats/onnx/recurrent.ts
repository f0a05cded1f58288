/** From a recurrent node of a file to its weights and states: which inputs it has, what they are made of, and what they will take. */

import { describe } from '../../errors.ts'
import type { Budget } from '../../graph/budget.ts'
import { fold } from '../../graph/fold.ts'
import { type Scope, Unknown } from '../../graph/scope.ts'
import { factsOf, type GraphTensor } from '../../graph/tensor.ts'
import type { ReadTensor } from '../../tensor/read.ts'
import type { OnnxOpType } from './attributes.ts'
import type { FileNode } from './file-node.ts'
import type { NodeParts } from './node.ts'

/** What a node has in the file. */
export interface Found {
  readonly parts: NodeParts
  readonly h0?: ReadTensor
  readonly c0?: ReadTensor
}

/** Reads a node's inputs; one that is needed and does not stand in the file is refused by name, and says what it depends on. */
export function recurrentPart(scope: Scope, node: FileNode, budget: Budget): Found {
  const value = (place: number): GraphTensor | Unknown | undefined => {
    const name = node.inputs[place] ?? ''
    return name === '' ? undefined : fold(scope, name, budget)
  }
  const constant = (place: number, what: string): GraphTensor | undefined => {
    const found = value(place)
    if (!(found instanceof Unknown)) return found
    return node.refuse(
      `its ${what}, ${describe(node.inputs[place])}, does not stand in the file: it depends on ${found.why}`,
    )
  }
  const needed = (place: number, what: string) => constant(place, what) ?? node.refuse(`${what} is missing`)
  const floats = (tensor: GraphTensor, what: string) => toFloats(tensor, what, node, budget)
  const weight = (place: number, what: string, scales: number): ReadTensor => {
    const tensor = needed(place, what)
    if (node.opType !== 'DynamicQuantizeLSTM') return floats(tensor, what)
    const zero = constant(scales + 1, `${what}_zero_point`)
    return dequantized(tensor, needed(scales, `${what}_scale`), zero, what, node, budget)
  }
  const optional = (place: number, what: string) => {
    const tensor = constant(place, what)
    return tensor && floats(tensor, what)
  }
  const state = (place: number, what: string) => {
    const found = value(place)
    return found === undefined || found instanceof Unknown ? undefined : floats(found, what)
  }
  if (node.opType === 'AttnLSTM') node.refuse('an LSTM with attention is not supported')
  const isLstm = node.opType.endsWith('LSTM')
  return {
    parts: {
      opType: isLstm ? 'LSTM' : (node.opType as OnnxOpType),
      attributes: attributesOf(scope, node),
      W: weight(1, 'W', 8),
      R: weight(2, 'R', 10),
      B: optional(3, 'B'),
      P: optional(7, 'P'),
    },
    h0: state(5, 'initial_h'),
    c0: isLstm ? state(6, 'initial_c') : undefined,
  }
}

/** The attributes as numbers and texts: recurrent nodes have no others. */
function attributesOf(scope: Scope, node: FileNode): Record<string, unknown> {
  const attributes: Record<string, unknown> = Object.create(null)
  for (const [name, value] of scope.attributesOf(node)) {
    if (typeof value === 'object' && !Array.isArray(value)) {
      node.refuse(`the attribute ${describe(name)} is neither numbers nor text`)
    }
    attributes[name] = value
  }
  return attributes
}

function toFloats({ type, shape, data }: GraphTensor, what: string, node: FileNode, budget: Budget): ReadTensor {
  if (factsOf(type).kind !== 'float') node.refuse(`its ${what} is of type ${type}, where floating-point values belong`)
  if (data instanceof Float32Array) return { data, shape: [...shape] }
  budget.take(4 * data.length, node.fail)
  return { data: Float32Array.from(data as Float64Array), shape: [...shape] }
}

/** (D, K, N) quantized a tensor or a column becomes LSTM's (D, N, K). */
function dequantized(
  { type, shape, data }: GraphTensor,
  scale: GraphTensor,
  zero: GraphTensor | undefined,
  what: string,
  node: FileNode,
  budget: Budget,
): ReadTensor {
  const [D, K, N] = shape
  const fits = (one: GraphTensor) => [1, D, D * N].includes(one.data.length) && one.shape.length <= 2
  if (type !== 'int8' && type !== 'uint8') node.refuse(`its ${what} is of type ${type}, where int8 or uint8 belong`)
  if (shape.length !== 3)
    node.refuse(`Expected ${what} size (num_directions, inputs, 4·hidden_size), got rank ${shape.length}`)
  if (factsOf(scale.type).kind !== 'float' || !fits(scale)) node.refuse(`${what}_scale does not fit ${what}`)
  if (zero !== undefined && (zero.type !== type || !fits(zero))) node.refuse(`${what}_zero_point does not fit ${what}`)
  budget.spend(data.length, node.fail)
  budget.take(4 * data.length, node.fail)
  const values = new Float32Array(data.length)
  /** A value for each direction and column, of a list that has one, D, or D·N. */
  const of = (list: GraphTensor, d: number, n: number) => {
    const { length } = list.data
    return Number(list.data[length === 1 ? 0 : length === D * N ? d * N + n : d])
  }
  for (let d = 0; d < D; d++) {
    for (let n = 0; n < N; n++) {
      const s = of(scale, d, n)
      const z = zero === undefined ? 0 : of(zero, d, n)
      for (let k = 0; k < K; k++) values[(d * N + n) * K + k] = ((data[(d * K + k) * N + n] as number) - z) * s
    }
  }
  return { data: values, shape: [D, N, K] }
}

/** What a layer takes beside its weights: objects here and in native code, buffers of its own. */
const bytesBeside = 8192
/** Units are packed in panels of at most so many, the last one padded. */
const panel = 16

/** What a layer takes for good: its weights as they are kept, padded to whole panels of units where they are packed. */
export function bytesOfLayer({ parts: { W, R, B, P }, h0, c0 }: Found): number {
  const H = R.shape[R.shape.length - 1] ?? 1
  const padded = (Math.ceil(H / panel) * panel) / Math.max(1, H)
  const packed = 4 * (W.data.length + R.data.length + (B?.data.length ?? 0) + (P?.data.length ?? 0)) * padded
  return bytesBeside + packed + 4 * ((h0?.data.length ?? 0) + (c0?.data.length ?? 0))
}
