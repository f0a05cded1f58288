/** A model file of one recurrent node, made in memory; knows as much of protobuf and of ONNX as that takes. */
import { reorderGates, transposed } from './data.mjs'
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

const [FLOAT, INT8] = [1, 3]
const tensor = (name, dims, values) =>
  bytes(
    5,
    ...dims.map((dim) => integer(1, dim)),
    integer(2, values instanceof Int8Array ? INT8 : FLOAT),
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

const microsoft = 'com.microsoft'
const turned = ({ cell }, values) => reorderGates(values, gates[cell], orders[cell])

/** The file of one node. `more` are inputs that stand behind the states (with `''` for those between), `tensors` what stands in the file. */
function modelOf({ cell, I, H, T, B, form }, { opType, domain, more = [], tensors }) {
  const cellState = cell === 'lstm'
  const states = form === 'stream' ? (cellState ? ['', 'h0', 'c0'] : ['', 'h0']) : more.length > 0 ? ['', '', ''] : []
  const outputs = cellState ? ['Y', 'Y_h', 'Y_c'] : ['Y', 'Y_h']
  const node = bytes(
    1,
    ...['X', 'W', 'R', 'B', ...states, ...more].map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, opType),
    attribute('hidden_size', H),
    ...(cell === 'gru' ? [attribute('linear_before_reset', 1)] : []),
    ...(domain ? [bytes(7, domain)] : []),
  )
  const graph = bytes(
    7,
    node,
    bytes(2, 'bench'),
    ...tensors,
    value(11, 'X', [T, B, I]),
    ...states.filter(Boolean).map((name) => value(11, name, [1, B, H])),
    ...outputs.map((name) => value(12, name, name === 'Y' ? [T, 1, B, H] : [1, B, H])),
  )
  const imports = [bytes(8, integer(2, 14)), ...(domain ? [bytes(8, bytes(1, domain), integer(2, 1))] : [])]
  return Buffer.concat([integer(1, 8), graph, ...imports])
}

function biasTensor(shape, data) {
  const rows = gates[shape.cell] * shape.H
  const bias = new Float32Array(2 * rows)
  bias.set(turned(shape, data.biasIh))
  bias.set(turned(shape, data.biasHh), rows)
  return tensor('B', [1, 2 * rows], bias)
}

/** Inputs X (and the states, where they are fed back), outputs Y, Y_h (and Y_c); shapes are fixed, so that they can be planned. */
export function onnxModel(shape, data) {
  const { cell, I, H } = shape
  const rows = gates[cell] * H
  const W = tensor('W', [1, rows, I], turned(shape, data.weightIh))
  const R = tensor('R', [1, rows, H], turned(shape, data.weightHh))
  return modelOf(shape, { opType: cell.toUpperCase(), tensors: [W, R, biasTensor(shape, data)] })
}

/** The same of an LSTM whose weights are integers of 8 bits with a scale for each row of PyTorch's: onnxruntime's DynamicQuantizeLSTM. */
export function quantizedOnnxModel(shape, data) {
  const { I, H } = shape
  const tensors = ['W', 'R'].flatMap((name) => {
    const [K, given] = name === 'W' ? [I, data.weightIh] : [H, data.weightHh]
    const { integers, scales } = quantizedRows(turned(shape, given), K)
    const rows = scales.length
    return [
      tensor(name, [1, K, rows], Int8Array.from(transposed(integers, rows, K))),
      tensor(`${name}_scale`, [1, rows], scales),
      tensor(`${name}_zero`, [1, rows], new Int8Array(rows)),
    ]
  })
  const more = ['', 'W_scale', 'W_zero', 'R_scale', 'R_zero']
  const node = { opType: 'DynamicQuantizeLSTM', domain: microsoft, more }
  return modelOf(shape, { ...node, tensors: [...tensors, biasTensor(shape, data)] })
}

/**
 * Each row of K values as integers of −64 … 64 and a scale: the reduced range that onnxruntime advises for processors without VNNI, where
 * sums of larger products saturate. It takes the same time.
 */
function quantizedRows(values, K) {
  const integers = new Float32Array(values.length)
  const scales = new Float32Array(values.length / K)
  for (let r = 0; r < scales.length; r++) {
    const row = values.subarray(r * K, (r + 1) * K)
    scales[r] = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 64
    for (let k = 0; k < K; k++) integers[r * K + k] = Math.round(row[k] / scales[r])
  }
  return { integers, scales }
}
