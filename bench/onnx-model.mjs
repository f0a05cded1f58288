/** A model file of one recurrent node, made in memory; knows as much of protobuf and of ONNX as that takes. */
import { reorderGates } from './data.mjs'
import { gates } from './shapes.mjs'

function varint(value) {
  const bytes = []
  let rest = BigInt(value)
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(bytes)
}

const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)])
const bytes = (field, ...parts) => {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content])
}

const FLOAT = 1
const tensor = (name, dims, values) =>
  bytes(
    5,
    ...dims.map((dim) => integer(1, dim)),
    integer(2, FLOAT),
    bytes(8, name),
    bytes(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  )
const value = (field, name, dims) => {
  const shape = dims.map((dim) => bytes(1, integer(1, dim)))
  return bytes(field, bytes(1, name), bytes(2, bytes(1, integer(1, FLOAT), bytes(2, ...shape))))
}
const attribute = (name, number) => bytes(5, bytes(1, name), integer(3, number), integer(20, 2))

// ONNX's gates as PyTorch's: LSTM i o f c, GRU z r h.
const orders = { rnn: [0], gru: [1, 0, 2], lstm: [0, 3, 1, 2] }

/** Inputs X (and the states, where they are fed back), outputs Y, Y_h (and Y_c); shapes are fixed, so that they can be planned. */
export function onnxModel({ cell, I, H, T, B, form }, data) {
  const G = gates[cell]
  const turned = (values) => reorderGates(values, G, orders[cell])
  const biasIh = turned(data.biasIh)
  const bias = new Float32Array(2 * G * H)
  bias.set(biasIh)
  bias.set(turned(data.biasHh), G * H)
  const feedback = form === 'stream'
  const cellState = cell === 'lstm'
  const states = feedback ? (cellState ? ['', 'h0', 'c0'] : ['', 'h0']) : []
  const outputs = cellState ? ['Y', 'Y_h', 'Y_c'] : ['Y', 'Y_h']
  const node = bytes(
    1,
    ...['X', 'W', 'R', 'B', ...states].map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, cell.toUpperCase()),
    attribute('hidden_size', H),
    ...(cell === 'gru' ? [attribute('linear_before_reset', 1)] : []),
  )
  const graph = bytes(
    7,
    node,
    bytes(2, 'bench'),
    tensor('W', [1, G * H, I], turned(data.weightIh)),
    tensor('R', [1, G * H, H], turned(data.weightHh)),
    tensor('B', [1, 2 * G * H], bias),
    value(11, 'X', [T, B, I]),
    ...states.filter(Boolean).map((name) => value(11, name, [1, B, H])),
    ...outputs.map((name) => value(12, name, name === 'Y' ? [T, 1, B, H] : [1, B, H])),
  )
  return Buffer.concat([integer(1, 8), graph, bytes(8, integer(2, 14))])
}
