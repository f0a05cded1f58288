/**
 * Runs in turns of the event loop, counted: with a clock that leaps, each piece of work has a turn of its own. What takes long comes in many,
 * however few values each row, window or product of it has, and however long one row is.
 */
import { type BackendName, Model, type ModelInput } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { modelFile, weight } from '../support/model-files.ts'
import type { TestNode } from '../support/onnx-writer.ts'

const K = 1024
const values = Float32Array.from({ length: 512 * K }, (_, i) => Math.sin(i))
const of = (...shape: number[]): ModelInput => ({
  data: values.subarray(
    0,
    shape.reduce((a, b) => a * b, 1),
  ),
  shape,
})
const places = (...shape: number[]): ModelInput => ({
  data: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7919) % shape[0]),
  shape,
})

interface Case {
  readonly op: string
  /** In the order of the operator's inputs; weights and lists come after them. */
  readonly inputs: readonly ModelInput[]
  readonly attributes?: TestNode['attributes']
  readonly weights?: Parameters<typeof modelFile>[0]['weights']
  readonly lists?: Readonly<Record<string, readonly number[]>>
  readonly outputs?: readonly ('float32' | 'int64' | 'int32')[]
  /** The fewest pieces, those that copy inputs and results included. */
  readonly wasm: number
}

const cases: Readonly<Record<string, Case>> = {
  'norms of few values': {
    op: 'LayerNormalization',
    inputs: [of(64 * K, 4)],
    weights: { w: weight(1, 4) },
    wasm: 5,
  },
  'a norm of one row': {
    op: 'LayerNormalization',
    inputs: [of(1, 512 * K)],
    weights: { w: weight(1, 1) },
    wasm: 24,
  },
  'a softmax of one row': { op: 'Softmax', inputs: [of(1, 512 * K)], wasm: 24 },
  'a softmax of columns': { op: 'Softmax', inputs: [of(256 * K, 2)], attributes: { axis: 0 }, wasm: 24 },
  'log-sum-exps of few values': {
    op: 'ReduceLogSumExp',
    inputs: [of(64 * K, 4)],
    attributes: { axes: [1] },
    wasm: 6,
  },
  'a log-sum-exp of all': { op: 'ReduceLogSumExp', inputs: [of(512 * K)], wasm: 16 },
  'a sum of integers': { op: 'ReduceSum', inputs: [places(512 * K)], outputs: ['int32'], wasm: 8 },
  'the largest of few values': {
    op: 'ArgMax',
    inputs: [of(128 * K, 2)],
    attributes: { axis: 1 },
    outputs: ['int64'],
    wasm: 5,
  },
  'the first few of one row': {
    op: 'TopK',
    inputs: [of(256 * K)],
    lists: { k: [5] },
    outputs: ['float32', 'int64'],
    wasm: 16,
  },
  'a row in order': {
    op: 'TopK',
    inputs: [of(64 * K)],
    lists: { k: [64 * K] },
    outputs: ['float32', 'int64'],
    wasm: 12,
  },
  'values by places': { op: 'Gather', inputs: [of(256 * K), places(256 * K)], wasm: 6 },
  'elements by places': { op: 'GatherElements', inputs: [of(256 * K), places(256 * K)], wasm: 6 },
  'runs of two values': { op: 'Expand', inputs: [of(256 * K, 1)], lists: { to: [1, 2] }, wasm: 6 },
  'small matrices': { op: 'MatMul', inputs: [of(128 * K, 2, 2), of(128 * K, 2, 2)], wasm: 9 },
  'a long sum of products': { op: 'MatMul', inputs: [of(1, 512 * K), of(512 * K, 1)], wasm: 12 },
  'rows by a column': {
    op: 'MatMul',
    inputs: [of(256 * K, 1)],
    weights: { w: weight(1, 1, 2) },
    wasm: 6,
  },
  'windows of one channel': {
    op: 'MaxPool',
    inputs: [of(1, 1, 256, 256)],
    attributes: { kernel_shape: [3, 3] },
    wasm: 12,
  },
  'a convolution of one channel': {
    op: 'Conv',
    inputs: [of(1, 1, 512, 512)],
    weights: { w: weight(1, 1, 1, 3, 3) },
    wasm: 10,
  },
  'its transpose': {
    op: 'ConvTranspose',
    inputs: [of(1, 1, 128, 128)],
    weights: { w: weight(1, 1, 1, 4, 4) },
    attributes: { strides: [2, 2] },
    wasm: 3,
  },
}

function fileOf({ op, inputs, attributes, weights = {}, lists = {}, outputs = ['float32'] }: Case) {
  const given = inputs.map((_, i) => `x${i}`)
  const made = outputs.map((_, i) => `y${i}`)
  const typeOf = ({ data }: { readonly data: unknown }) => (data instanceof Int32Array ? 'int32' : 'float32')
  return modelFile({
    nodes: [
      { opType: op, inputs: [...given, ...Object.keys(weights), ...Object.keys(lists)], outputs: made, attributes },
    ],
    inputs: Object.fromEntries(given.map((name, i) => [name, { type: typeOf(inputs[i] as { data: unknown }) }])),
    outputs: Object.fromEntries(made.map((name, i) => [name, { type: outputs[i] }])),
    weights,
    lists,
  })
}

/** How many pieces a run has beside the thread: a slice asks the clock when it begins and after each piece. */
async function piecesOf(model: Model, inputs: Record<string, ModelInput>) {
  let looks = 0
  Object.defineProperty(performance, 'now', { value: () => 100 * ++looks, configurable: true })
  try {
    const results = await model.runAsync(inputs)
    return { pieces: looks / 2, results }
  } finally {
    delete (performance as Partial<typeof performance>).now // and the prototype's is there again
  }
}

const inTurns = ['wasm', 'typescript'] as const satisfies readonly BackendName[]
/** Of the TypeScript backend, where values take longer and rows no less. */
const fewestThere = 16

describe.each(inTurns.filter((name) => backends.includes(name)))('pieces on %s', (backend) => {
  it.each(Object.entries(cases))('%s', async (_, given) => {
    const model = Model.read(fileOf(given), { backend })
    const inputs = Object.fromEntries(given.inputs.map((value, i) => [`x${i}`, value]))
    const { pieces, results } = await piecesOf(model, inputs)
    const fewest = backend === 'wasm' ? given.wasm : fewestThere
    expect(pieces).toBeGreaterThanOrEqual(fewest)
    expect(pieces).toBeLessThan(given.op === 'TopK' ? 1000 : 20 * fewest)
    expect(results).toEqual(model.run(inputs))
    model.dispose()
  })

  it('a row in order is that of a sort', () => {
    const given = cases['a row in order']
    const model = Model.read(fileOf(given), { backend })
    const x = values.slice(0, 64 * K).map((value) => Math.round(100 * value))
    const { y0, y1 } = model.run({ x0: { data: x, shape: [x.length] } })
    const order = Array.from(x, (_, i) => i).sort((i, j) => x[j] - x[i] || i - j)
    expect(Buffer.compare(bytesOf(y0.data), bytesOf(Float32Array.from(order, (i) => x[i])))).toBe(0)
    expect(Buffer.compare(bytesOf(y1.data), bytesOf(BigInt64Array.from(order, BigInt)))).toBe(0)
    model.dispose()
  })
})

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
