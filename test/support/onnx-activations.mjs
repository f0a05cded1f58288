// The nodes by which `npm run conformance` holds every activation, clip and input_forget against onnxruntime. It alone writes ONNX
// models for it: a graph of one node, whose weights are inputs.

const activations = [
  'Tanh',
  'Sigmoid',
  'Relu',
  'Affine',
  'LeakyRelu',
  'ThresholdedRelu',
  'ScaledTanh',
  'HardSigmoid',
  'Elu',
  'Softsign',
  'Softplus',
]
const alphas = ['Affine', 'LeakyRelu', 'ThresholdedRelu', 'ScaledTanh', 'HardSigmoid', 'Elu']
const betas = ['Affine', 'ScaledTanh', 'HardSigmoid']
const gates = { RNN: 1, GRU: 3, LSTM: 4 }
const functions = { RNN: 1, GRU: 2, LSTM: 3 }

/** The columns of the table: an operator, and what makes it the cell it is. */
export const kinds = [
  { title: 'RNN', opType: 'RNN', attributes: {} },
  { title: 'GRU, reset before', opType: 'GRU', attributes: { linear_before_reset: 0 } },
  { title: 'GRU, reset after', opType: 'GRU', attributes: { linear_before_reset: 1 } },
  { title: 'LSTM, peepholes', opType: 'LSTM', attributes: {} },
]

/** The rows: every activation in all places of a cell, then what bounds and couples. */
export const rows = [
  ...activations.map((name) => ({ title: name, activation: name, attributes: {} })),
  { title: '`clip` 0.2', attributes: { clip: 0.2 } },
  { title: 'Relu, `clip` 0.2', activation: 'Relu', attributes: { clip: 0.2 } },
  { title: '`input_forget`', only: 'LSTM', attributes: { input_forget: 1 } },
]

const [T, B, I, H] = [5, 3, 3, 5]

function scaled(factor, { dims, data }) {
  return { dims, data: data.map((value) => value * factor) }
}

/** The node of a row and a column, with inputs and its model; undefined where the operator has no such attribute. */
export function activationNode(row, kind) {
  const { opType } = kind
  if (row.only !== undefined && row.only !== opType) return undefined
  const G = gates[opType]
  const lists = row.activation && listsOf(row.activation, 2 * functions[opType])
  const attributes = { direction: 'bidirectional', hidden_size: H, ...kind.attributes, ...row.attributes, ...lists }
  let state = 7
  const random = (...dims) => {
    const data = Array.from({ length: dims.reduce((a, b) => a * b) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.fround(state / 2 ** 31 - 1) * 0.7
    })
    return { dims, data }
  }
  const inputs = {
    X: random(T, B, I),
    W: scaled(0.5, random(2, G * H, I)),
    // Small, as most functions have no bound: five steps of an LSTM of Softplus pass 1e20 else.
    R: scaled(0.2, random(2, G * H, H)),
    B: scaled(0.5, random(2, 2 * G * H)),
    sequence_lens: { dims: [B], data: [5, 2, 4] },
    initial_h: random(2, B, H),
    ...(opType === 'LSTM' && { initial_c: random(2, B, H), P: random(2, 3 * H) }),
  }
  const outputs = opType === 'LSTM' ? ['Y', 'Y_h', 'Y_c'] : ['Y', 'Y_h']
  return {
    name: `${kind.title}, ${row.title}`,
    opType,
    attributes,
    inputs,
    model: model(opType, attributes, inputs, outputs),
  }
}

function listsOf(name, count) {
  const factors = (given, first) =>
    given.includes(name) ? Array.from({ length: count }, (_, i) => first + 0.05 * i) : []
  return {
    activations: Array(count).fill(name),
    activation_alpha: factors(alphas, 0.25),
    activation_beta: factors(betas, 0.4),
  }
}

// Protocol buffers, as far as a model needs them.
const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)])
const integer = (id, value) => [...varint(id << 3), ...varint(value)]
const bytes = (id, body) => [...varint((id << 3) | 2), ...varint(body.length), ...body]
const text = (id, value) => bytes(id, [...Buffer.from(value)])
const float = (value) => [...new Uint8Array(Float32Array.of(value).buffer)]

function attribute(name, value) {
  const body = text(1, name)
  if (typeof value === 'string') return [...body, ...text(4, value), ...integer(20, 3)]
  if (name === 'clip') return [...body, ...varint((2 << 3) | 5), ...float(value), ...integer(20, 1)]
  if (typeof value === 'number') return [...body, ...integer(3, value), ...integer(20, 2)]
  if (typeof value[0] === 'string') return [...body, ...value.flatMap((one) => text(9, one)), ...integer(20, 8)]
  return [...body, ...bytes(7, value.flatMap(float)), ...integer(20, 6)]
}

function model(opType, attributes, inputs, outputs) {
  const valueInfo = (name, type, dims) => {
    const shape =
      dims &&
      bytes(
        2,
        dims.flatMap((dim) => bytes(1, integer(1, dim))),
      )
    return [...text(1, name), ...bytes(2, bytes(1, [...integer(1, type), ...(shape ?? [])]))]
  }
  const order = ['X', 'W', 'R', 'B', 'sequence_lens', 'initial_h', 'initial_c', 'P'].filter((name) => inputs[name])
  const node = [
    ...order.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, opType),
    ...Object.entries(attributes).flatMap(([name, value]) => {
      return Array.isArray(value) && value.length === 0 ? [] : bytes(5, attribute(name, value))
    }),
  ]
  const graph = [
    ...bytes(1, node),
    ...text(2, 'one'),
    ...order.flatMap((name) => bytes(11, valueInfo(name, name === 'sequence_lens' ? 6 : 1, inputs[name].dims))),
    ...outputs.flatMap((name) => bytes(12, valueInfo(name, 1))),
  ]
  const opset = [...text(1, ''), ...integer(2, 14)]
  return Buffer.from([...integer(1, 8), ...bytes(7, graph), ...bytes(8, opset)]).toString('base64')
}
