// Nodes as whole models: the file of a model, and what `Model` makes of nodes whose inputs are given when it runs.

import { Model } from 'native-rnn'
import { bytes, integer, joined, nodeOf, opset, tensorBody, text, typeCodes } from './run-graph.mjs'

/** The body of a ValueInfoProto; a size may be a name, and all of them left out. */
export function valueInfo(name, type, dims) {
  const dim = (size) => bytes(1, typeof size === 'number' ? integer(1, size) : text(2, size))
  const shape = dims ? [bytes(2, joined(dims.map(dim)))] : []
  return joined([text(1, name), bytes(2, bytes(1, joined([integer(1, typeCodes[type]), ...shape])))])
}

/** The file of a model. */
export function modelFile({ nodes, version, inputs, constants, outputs }) {
  const graph = [
    ...nodes,
    text(2, 'nodes'),
    ...[...constants].map(([name, one]) => bytes(5, tensorBody(name, one))),
    ...inputs.map(({ name, type, dims }) => bytes(11, valueInfo(name, type, dims))),
    ...outputs.map(({ name, type }) => bytes(12, valueInfo(name, type))),
  ]
  return joined([integer(1, 8), bytes(7, joined(graph)), opset('', version), opset('com.microsoft', 1)])
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
}

/** @param {import('./run-graph.mjs').GraphValue} value */
export function arrayOf({ type, bytes }) {
  return new arrays[type](bytes.slice().buffer)
}

/**
 * What one operator makes as a model on a backend; with the arguments of `runOperator`.
 *
 * @param {import('native-rnn').BackendName} backend
 * @returns {typeof import('./run-graph.mjs').runOperator}
 */
export const operatorOn = (backend) => (opType, inputs, attributes, options) => {
  const { fields, version, given, outputs } = nodeOf(opType, inputs, attributes, options)
  const infos = Object.entries(given).map(([name, one]) => ({ name, ...one }))
  const file = modelFile({ nodes: fields, version, inputs: infos, constants: [], outputs })
  const model = Model.read(file, { backend })
  const values = Object.entries(given).map(([name, one]) => [name, { data: arrayOf(one), shape: one.dims }])
  const results = model.run(Object.fromEntries(values))
  model.dispose()
  return outputs.map(({ name }) => ({ dims: [...results[name].shape], values: Array.from(results[name].data, Number) }))
}
