/** What a recurrent node is made of, by the places of its inputs: its weights as floats, quantized ones decoded; knows onnxruntime's DynamicQuantizeLSTM. */

import { describe, RNNError } from '../../errors.ts'
import { entryOf } from '../../intrinsics/properties.ts'
import { setScales } from '../../precision/scales.ts'
import type { ReadTensor } from '../../tensor/read.ts'
import type { Budget, Refuse } from '../budget.ts'
import type { AttributeValue } from '../graph.ts'
import type { StepAttribute } from '../plan.ts'
import { scalesOfRows } from '../scales.ts'
import { type GraphTensor, kindOf } from '../tensor.ts'
import type { OnnxOpType } from './attributes.ts'
import type { NodeParts } from './node.ts'

/** The inputs that may change from run to run; all others are weights. */
export const recurrentPlaces = { x: 0, lengths: 4, h0: 5, c0: 6 } as const

/** Whether an input is a weight, by its place. */
export function isWeight(place: number): boolean {
  return place > recurrentPlaces.x && (place < recurrentPlaces.lengths || place > recurrentPlaces.c0)
}

/** The domains of the recurrent operators. */
export const recurrent: Readonly<Record<string, string>> = {
  RNN: '',
  GRU: '',
  LSTM: '',
  DynamicQuantizeLSTM: 'com.microsoft',
}

/** Whether an operator is a recurrent layer. */
export function isRecurrent({ domain, opType }: { readonly domain: string; readonly opType: string }): boolean {
  return entryOf(recurrent, opType) === domain
}

/** The layer that an operator computes. */
export function layerType(opType: string): OnnxOpType {
  return opType.endsWith('LSTM') ? 'LSTM' : (opType as OnnxOpType)
}

/** A constant input by its place; `what` names it in errors. Undefined where it is left out. */
type Constant = (place: number, what: string) => GraphTensor | undefined

/** The parts of a node. Nothing is held against anything yet. */
export function nodeParts(
  opType: string,
  attributes: ReadonlyMap<string, AttributeValue | StepAttribute>,
  constant: Constant,
  budget: Budget,
  refuse: Refuse,
): NodeParts {
  const needed = (place: number, what: string) => constant(place, what) ?? refuse(`${what} is missing`)
  const floats = (tensor: GraphTensor, what: string) => toFloats(tensor, what, budget, refuse)
  const weight = (place: number, what: string, scales: number): ReadTensor => {
    const tensor = needed(place, what)
    if (opType !== 'DynamicQuantizeLSTM') return withRows(tensor, floats(tensor, what))
    const zero = constant(scales + 1, `${what}_zero_point`)
    return dequantized(tensor, needed(scales, `${what}_scale`), zero, what, budget, refuse)
  }
  const optional = (place: number, what: string) => {
    const tensor = constant(place, what)
    return tensor && floats(tensor, what)
  }
  return {
    opType: layerType(opType),
    attributes: plainAttributes(attributes, refuse),
    W: weight(1, 'W', 8),
    R: weight(2, 'R', 10),
    B: optional(3, 'B'),
    P: optional(7, 'P'),
  }
}

/** Rules of nodes do not know where a node stands: what they refuse is refused in its name. */
export function inNameOf<T>(refuse: Refuse, rule: () => T): T {
  try {
    return rule()
  } catch (cause) {
    if (!(cause instanceof RNNError)) throw cause
    return refuse(cause.message)
  }
}

/** The attributes as numbers and texts: recurrent nodes have no others. */
export function plainAttributes(
  attributes: ReadonlyMap<string, AttributeValue | StepAttribute>,
  refuse: Refuse,
): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null)
  for (const [name, value] of attributes) {
    if (typeof value === 'object' && !Array.isArray(value)) {
      refuse(`the attribute ${describe(name)} is neither numbers nor text`)
    }
    plain[name] = value
  }
  return plain
}

/** A tensor of floating-point values as float32. */
export function toFloats({ type, shape, data }: GraphTensor, what: string, budget: Budget, refuse: Refuse): ReadTensor {
  if (kindOf(type) !== 'float') refuse(`its ${what} is of type ${type}, where floating-point values belong`)
  if (data instanceof Float32Array) return { data, shape: [...shape] }
  budget.take(4 * data.length, refuse)
  return { data: Float32Array.from(data as Float64Array), shape: [...shape] }
}

/** Notes the scales of the rows, which are the last axis. */
function withRows(tensor: GraphTensor, read: ReadTensor): ReadTensor {
  const columns = read.shape.at(-1) || 1
  setScales(read.data, scalesOfRows(tensor, read.data.length / columns, columns))
  return read
}

/** (D, K, N) quantized a tensor or a column becomes LSTM's (D, N, K). */
function dequantized(
  { type, shape, data }: GraphTensor,
  scale: GraphTensor,
  zero: GraphTensor | undefined,
  what: string,
  budget: Budget,
  refuse: Refuse,
): ReadTensor {
  const [D, K, N] = shape
  const fits = (one: GraphTensor) => [1, D, D * N].includes(one.data.length) && one.shape.length <= 2
  if (type !== 'int8' && type !== 'uint8') refuse(`its ${what} is of type ${type}, where int8 or uint8 belong`)
  if (shape.length !== 3)
    refuse(`Expected ${what} size (num_directions, inputs, 4·hidden_size), got rank ${shape.length}`)
  if (kindOf(scale.type) !== 'float' || !fits(scale)) refuse(`${what}_scale does not fit ${what}`)
  if (zero !== undefined && (zero.type !== type || !fits(zero))) refuse(`${what}_zero_point does not fit ${what}`)
  budget.spend(data.length, refuse)
  budget.take(4 * data.length, refuse)
  const values = new Float32Array(data.length)
  const scales = new Float32Array(D * N)
  /** A value for each direction and column, of a list that has one, D, or D·N. */
  const of = (list: GraphTensor, d: number, n: number) => {
    const { length } = list.data
    return Number(list.data[length === 1 ? 0 : length === D * N ? d * N + n : d])
  }
  for (let d = 0; d < D; d++) {
    for (let n = 0; n < N; n++) {
      const s = of(scale, d, n)
      scales[d * N + n] = s
      const z = zero === undefined ? 0 : of(zero, d, n)
      for (let k = 0; k < K; k++) values[(d * N + n) * K + k] = ((data[(d * K + k) * N + n] as number) - z) * s
    }
  }
  setScales(values, scales)
  return { data: values, shape: [D, N, K] }
}
