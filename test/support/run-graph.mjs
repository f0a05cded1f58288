// Computes nodes of an ONNX graph through `readOnnx`: inputs become constants of a file, and each result the weight W of an RNN, out of
// which it is read again. Knows of ONNX's files what that takes, and how a result travels as weights: its rank, its sizes, its values,
// and a 0 of the type that it must have.

import { readOnnx } from 'native-rnn'

/**
 * @typedef {object} GraphValue
 * @property {string} type NumPy's name of the type, and `bfloat16`
 * @property {readonly number[]} dims
 * @property {Uint8Array} bytes the values as they are in memory, little-endian
 *
 * @typedef {{ dims: number[], values: number[] }} Result values of a result as float32 has them
 */

export const typeCodes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
}
Object.assign(typeCodes, { uint32: 12, uint64: 13, bfloat16: 16 })
const sizes = { 1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2 }

/** @param {readonly Uint8Array[]} parts */
export const joined = (parts) => new Uint8Array(Buffer.concat(parts))

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Uint8Array.from([...bytes, Number(rest)])
}

/** Fields of protobuf: an integer, bytes, a text. */
export const integer = (id, value) => joined([varint(id * 8), varint(value)])
export const bytes = (id, value) => joined([varint(id * 8 + 2), varint(value.length), value])
export const text = (id, value) => bytes(id, new TextEncoder().encode(value))

/** The body of a TensorProto. */
export function tensorBody(name, { type, dims, bytes: data }) {
  return joined([...dims.map((size) => integer(1, size)), integer(2, typeCodes[type]), text(8, name), bytes(9, data)])
}

const floatBytes = (value) => new Uint8Array(Float32Array.of(value).buffer)

/** The body of an AttributeProto: integers by themselves, others as `{ float }`, `{ tensor }`, `{ floats }`. */
function attributeBody(name, value) {
  const typed = (type, ...fields) => joined([text(1, name), ...fields, integer(20, type)])
  if (typeof value === 'number' || typeof value === 'bigint') return typed(2, integer(3, value))
  if (typeof value === 'string') return typed(3, text(4, value))
  if (Array.isArray(value)) return typed(7, ...value.map((one) => integer(8, one)))
  if ('float' in value) return typed(1, varint(2 * 8 + 5), floatBytes(value.float))
  if ('floats' in value) return typed(6, bytes(7, new Uint8Array(Float32Array.from(value.floats).buffer)))
  return typed(4, bytes(5, tensorBody('', value.tensor)))
}

/** A node of a graph as one of its fields. */
export function node(opType, inputs, outputs, attributes = {}, domain = '') {
  return bytes(
    1,
    joined([
      ...inputs.map((name) => text(1, name)),
      ...outputs.map((name) => text(2, name)),
      text(4, opType),
      ...Object.entries(attributes).map(([name, value]) => bytes(5, attributeBody(name, value))),
      text(7, domain),
    ]),
  )
}

export const opset = (domain, version) => bytes(8, joined([text(1, domain), integer(2, version)]))

/** Numbers as a value. Halves and bigints' types are made elsewhere. */
export function value(array, dims, type = array.constructor.name.replace('Array', '').toLowerCase()) {
  const names = { bigint64: 'int64', biguint64: 'uint64' }
  return { type: names[type] ?? type, dims, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) }
}

const zeroOf = (type) => ({ type, dims: [1], bytes: new Uint8Array(sizes[typeCodes[type]]) })
const float64 = (number) => value(Float64Array.of(number), [])
const names = (k) => (what) => `${what} of result ${k}`

/** The largest numbers that weights can be, for those that they cannot. */
const infinite = 3.25e38
const noNumber = 3.375e38

/** Nodes that make a result the weights of an RNN. */
function tail(output, k) {
  const of = names(k)
  return [
    node('Shape', [output], [of('sizes')]),
    node('Shape', [of('sizes')], [of('rank')]),
    node('Cast', [of('sizes')], [of('sizes as numbers')], { to: 11 }),
    node('Cast', [of('rank')], [of('rank as a number')], { to: 11 }),
    node('Reshape', [output, 'all in a row'], [of('values')]),
    node('Concat', [of('values'), of('zero')], [of('values and zero')], { axis: 0 }),
    node('Cast', [of('values and zero')], [of('numbers')], { to: 11 }),
    node('Clip', [of('numbers'), 'least', 'most'], [of('finite')]),
    node('Equal', [of('numbers'), of('numbers')], [of('is a number')]),
    node('Where', [of('is a number'), of('finite'), 'no number'], [of('all')]),
    node('Concat', [of('rank as a number'), of('sizes as numbers'), of('all')], [of('list')], { axis: 0 }),
    node('Reshape', [of('list'), 'as weights'], [of('W')]),
    node('RNN', ['x', of('W'), 'R'], [`result ${k}`]),
  ]
}

const isClose = (a, b) => Math.abs(a / b - 1) < 1e-6

function numberOf(weight) {
  if (isClose(Math.abs(weight), infinite)) return Math.sign(weight) * Infinity
  return isClose(weight, noNumber) ? Number.NaN : weight
}

/**
 * What nodes make of constants. Throws what `readOnnx` throws.
 *
 * @param {object} graph
 * @param {readonly Uint8Array[]} graph.fields nodes, and whatever else the graph has
 * @param {readonly Uint8Array[]} graph.versions of operators, and whatever else the model has
 * @param {Readonly<Record<string, GraphValue>>} graph.inputs
 * @param {readonly { name: string, type: string }[]} graph.outputs which results, and of which types they must be
 * @returns {Result[]}
 */
export function runGraph({ fields, versions, inputs, outputs }) {
  const constants = {
    ...inputs,
    'all in a row': value(BigInt64Array.of(-1n), [1]),
    'as weights': value(BigInt64Array.of(1n, 1n, -1n), [3]),
    'no number': float64(noNumber),
    least: float64(-infinite),
    most: float64(infinite),
    R: value(Float32Array.of(0), [1, 1, 1]),
    ...Object.fromEntries(outputs.map(({ type }, k) => [names(k)('zero'), zeroOf(type)])),
  }
  const file = joined([
    integer(1, 8),
    bytes(
      7,
      joined([
        ...fields,
        ...outputs.flatMap(({ name }, k) => tail(name, k)),
        ...Object.entries(constants).map(([name, one]) => bytes(5, tensorBody(name, one))),
      ]),
    ),
    ...versions,
  ])
  const layers = readOnnx(file, { backend: 'typescript' })
  return layers.map(({ layer }) => {
    const [rank, ...list] = layer.stateDict().weight_ih_l0.data
    layer.dispose()
    return { dims: list.slice(0, rank), values: list.slice(rank, -1).map(numberOf) }
  })
}

/** The node of an operator with inputs `X0` … and outputs `Y0` …, and what `runOperator` was given by these names. */
export function nodeOf(opType, inputs, attributes = {}, { version = 17, domain = '', types = ['float32'] } = {}) {
  const outputs = types.map((type, i) => ({ name: `Y${i}`, type }))
  const names = inputs.map((one, i) => (one === undefined ? '' : `X${i}`))
  const made = outputs.map(({ name }) => name)
  return {
    fields: [node(opType, names, made, attributes, domain)],
    version,
    given: Object.fromEntries(inputs.flatMap((one, i) => (one === undefined ? [] : [[`X${i}`, one]]))),
    outputs: outputs.filter(({ type }) => type !== ''),
  }
}

/**
 * What one operator makes.
 *
 * @param {string} opType
 * @param {readonly (GraphValue | undefined)[]} inputs
 * @param {Record<string, unknown>} [attributes] as `node` takes them
 * @param {{ version?: number, domain?: string, types?: readonly string[] }} [options] opset, domain, and the types of the outputs that are wanted
 * @returns {Result[]}
 */
export function runOperator(opType, inputs, attributes, options) {
  const { fields, version, given, outputs } = nodeOf(opType, inputs, attributes, options)
  return runGraph({ fields, versions: [opset('', version), opset('com.microsoft', 1)], inputs: given, outputs })
}
