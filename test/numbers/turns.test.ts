/**
 * Models on WebAssembly whose instructions are long: they are cut into short ones, so that runs beside the thread leave it to others in
 * between. Each kind of instruction is long enough here to be cut, and has the bits that it has in one piece.
 */
import { type BackendName, Model, type ModelInput } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends, bitGroups } from '../support/backends.ts'
import { modelFile, symmetricFilters, weight } from '../support/model-files.ts'
import type { TestNode } from '../support/onnx-writer.ts'

const whole = bitGroups.find((group) => group.includes('wasm'))?.find((name) => name !== 'wasm')

/** From −1 to 1, in no pattern. */
const some = new Float32Array(128 * 128 * 132)
for (let i = 0, bits = 1; i < some.length; i++) {
  bits = (Math.imul(bits, 1664525) + 1013904223) | 0
  some[i] = bits / 2 ** 31
}
const valuesOf = (shape: readonly number[]) => ({
  data: some.subarray(
    0,
    shape.reduce((a, b) => a * b, 1),
  ),
  shape,
})
const placesOf = (shape: readonly number[], below: number) => ({
  data: BigInt64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => BigInt((7 * i) % below)),
  shape,
})

type Attributes = TestNode['attributes']
interface Case {
  readonly x?: readonly number[]
  readonly opType: string
  /** Beside x. */
  readonly inputs?: readonly string[]
  readonly attributes?: Attributes
  readonly outputs?: readonly string[]
  readonly more?: Readonly<Record<string, ModelInput>>
  readonly weights?: Parameters<typeof modelFile>[0]['weights']
  readonly lists?: Readonly<Record<string, readonly number[]>>
  readonly type?: 'int64' | 'bool'
}

const wide = [128, 128, 132]
const cases: Record<string, Case> = {
  map: { x: [64, 80, 100], opType: 'Tanh' },
  'map over a copy of another order': { x: wide, opType: 'Transpose', attributes: { perm: [2, 0, 1] } },
  zip: { x: wide, opType: 'Mul', inputs: ['w'], weights: { w: weight(1, 132) } },
  where: { x: [128, 128, 96], opType: 'Clip', inputs: ['low'], weights: { low: { shape: [], data: [-0.25] } } },
  cast: { x: wide, opType: 'Cast', attributes: { to: 7 }, type: 'int64' },
  'sums of rows': { x: wide, opType: 'ReduceSum', inputs: ['axes'], lists: { axes: [2] } },
  'sums of columns': { x: wide, opType: 'ReduceSum', inputs: ['axes'], lists: { axes: [0] } },
  greatest: { x: wide, opType: 'ArgMax', attributes: { axis: 1 }, type: 'int64' },
  softmax: { x: [40, 100, 80], opType: 'Softmax', attributes: { axis: 1 } },
  'the sum of all': { x: [3, 70_001], opType: 'ReduceSum', attributes: { keepdims: 0 } },
  'the mean of one row': { x: [1, 150_000], opType: 'ReduceMean', attributes: { axes: [1] } },
  'the greatest of one row': { x: [1, 150_000], opType: 'ArgMax', attributes: { axis: 1 }, type: 'int64' },
  'softmax of one row': { x: [1, 150_000], opType: 'Softmax', attributes: { axis: 1 } },
  'its logarithm': { x: [1, 150_000], opType: 'LogSoftmax', attributes: { axis: 1 } },
  'softmax of long columns': { x: [150_000, 3], opType: 'Softmax', attributes: { axis: 0 } },
  'log of a sum of powers': { x: [2, 300_000], opType: 'ReduceLogSumExp', attributes: { axes: [1] } },
  'a sum along another order': {
    x: [2, 3, 200_000],
    opType: 'ReduceSum',
    inputs: ['axes'],
    lists: { axes: [0, 2] },
  },
  'norm of one row': {
    x: [1, 600_000],
    opType: 'LayerNormalization',
    inputs: ['w', 'b'],
    weights: { w: weight(1, 600_000), b: weight(2, 600_000) },
  },
  'norm of one row, without a bias': {
    x: [1, 1000, 600],
    opType: 'LayerNormalization',
    inputs: ['w'],
    weights: { w: weight(1, 600) },
    attributes: { axis: 1 },
  },
  'norm of groups': {
    x: [1, 4, 250_000],
    opType: 'InstanceNormalization',
    inputs: ['w', 'b'],
    weights: { w: weight(1, 4), b: weight(2, 4) },
  },
  'the first of a long row': {
    x: [1, 200_000],
    opType: 'TopK',
    inputs: ['k'],
    lists: { k: [70_000] },
    outputs: ['y', 'places'],
  },
  'long sums of products': { x: [3, 300_000], opType: 'MatMul', inputs: ['v'], more: { v: valuesOf([300_000, 5]) } },
  'sums of products with columns': {
    x: [600, 90],
    opType: 'Gemm',
    inputs: ['v'],
    more: { v: valuesOf([300, 90]) },
    attributes: { transB: 1 },
  },
  norm: { x: [100, 90, 90], opType: 'LayerNormalization', inputs: ['w'], weights: { w: weight(1, 90) } },
  'rows taken': {
    x: [50, 8, 700],
    opType: 'Gather',
    inputs: ['places'],
    more: { places: placesOf([3, 60], 8) },
    attributes: { axis: 1 },
  },
  'values taken': {
    x: [9, 600, 220],
    opType: 'GatherElements',
    inputs: ['places'],
    more: { places: placesOf([9, 590, 220], 600) },
    attributes: { axis: 1 },
  },
  'running sums': { x: wide, opType: 'CumSum', inputs: ['axis'], weights: {}, lists: { axis: [1] } },
  'the first few': { x: [12, 90, 100], opType: 'TopK', inputs: ['k'], lists: { k: [3] }, outputs: ['y', 'places'] },
  'rows by a matrix': { x: [5, 301, 96], opType: 'MatMul', inputs: ['w'], weights: { w: weight(1, 96, 80) } },
  'rows by a large matrix': { x: [3, 300], opType: 'MatMul', inputs: ['w'], weights: { w: weight(1, 300, 5000) } },
  'a row by a huge matrix': {
    x: [1, 1024],
    opType: 'MatMul',
    inputs: ['w'],
    weights: { w: weight(1, 1024, 4100) },
  },
  'two matrices': { x: [4, 150, 90], opType: 'MatMul', inputs: ['v'], more: { v: valuesOf([4, 90, 110]) } },
  convolution: {
    x: [2, 24, 3001],
    opType: 'Conv',
    inputs: ['w', 'b'],
    weights: { w: weight(1, 40, 24, 5), b: weight(2, 40) },
    attributes: { pads: [2, 1], strides: [2] },
  },
  'convolution by symmetric filters': {
    x: [3, 1, 9001],
    opType: 'Conv',
    inputs: ['w'],
    weights: { w: symmetricFilters(1, 70, 200, 40, true) },
    attributes: { strides: [5] },
  },
  'convolution of a plane': {
    x: [1, 12, 70, 66],
    opType: 'Conv',
    inputs: ['w'],
    weights: { w: weight(1, 30, 6, 3, 3) },
    attributes: { pads: [1, 2, 2, 1], dilations: [2, 1], group: 2 },
  },
  'convolution by channels': {
    x: [1, 64, 130, 90],
    opType: 'Conv',
    inputs: ['w'],
    weights: { w: weight(1, 64, 1, 3, 3) },
    attributes: { pads: [1, 1, 1, 1], group: 64 },
  },
  'its transpose': {
    x: [1, 20, 60, 40],
    opType: 'ConvTranspose',
    inputs: ['w', 'b'],
    weights: { w: weight(1, 20, 12, 5, 4), b: weight(2, 12) },
    attributes: { strides: [2, 3], pads: [1, 2, 0, 1], dilations: [2, 1] },
  },
  means: {
    x: [1, 40, 130, 90],
    opType: 'AveragePool',
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1, ceil_mode: 1, strides: [1, 2] },
  },
  maxima: { x: [2, 50, 3000], opType: 'MaxPool', attributes: { kernel_shape: [11], pads: [5, 5] } },
  'its transpose with few pixels': {
    x: [1, 1, 4],
    opType: 'ConvTranspose',
    inputs: ['w'],
    weights: { w: weight(1, 1, 1, 400_000) },
  },
  'a recurrent layer': {
    x: [300, 3, 40],
    opType: 'LSTM',
    inputs: ['w', 'r', '', 'lengths'],
    weights: { w: weight(1, 2, 192, 40), r: weight(2, 2, 192, 48) },
    more: { lengths: { data: Int32Array.of(300, 7, 211), shape: [3] } },
    attributes: { hidden_size: 48, direction: 'bidirectional' },
    outputs: ['y', 'h', 'c'],
  },
}

function fileOf({ opType, inputs = [], attributes, outputs = ['y'], weights, lists, more = {}, type }: Case) {
  const typeOf = (value: ModelInput) =>
    (value as { data: unknown }).data instanceof BigInt64Array
      ? ('int64' as const)
      : (value as { data: unknown }).data instanceof Int32Array
        ? ('int32' as const)
        : ('float32' as const)
  return modelFile({
    nodes: [{ opType, inputs: ['x', ...inputs], outputs: [...outputs], attributes }],
    inputs: {
      x: {},
      ...Object.fromEntries(Object.entries(more).map(([name, value]) => [name, { type: typeOf(value) }])),
    },
    outputs: Object.fromEntries(outputs.map((name) => [name, { type: name === 'places' ? 'int64' : type }])),
    weights,
    lists,
  })
}

describe.runIf(backends.includes('wasm'))('long instructions on wasm', () => {
  it.each(Object.entries(cases))('%s', async (_, given) => {
    const file = fileOf(given)
    const inputs = { x: valuesOf(given.x!), ...given.more }
    const on = (backend: BackendName) => {
      const model = Model.read(file, { backend })
      const results = model.run(inputs)
      model.dispose()
      return results
    }
    const model = Model.read(file, { backend: 'wasm' })
    const cut = model.run(inputs)
    for (const name of Object.keys(cut)) {
      const expected = on(whole ?? 'wasm')[name]
      expect(cut[name].shape).toEqual(expected.shape)
      expect(Buffer.compare(bytesOf(cut[name].data), bytesOf(expected.data)), name).toBe(0)
    }
    const beside = await model.runAsync(inputs)
    for (const name of Object.keys(cut)) {
      expect(Buffer.compare(bytesOf(beside[name].data), bytesOf(cut[name].data)), name).toBe(0)
    }
    model.dispose()
  })

  it('leave the event loop to others many times', async () => {
    const file = fileOf({ opType: 'MatMul', inputs: ['w'], weights: { w: weight(1, 256, 512) } })
    const model = Model.read(file, { backend: 'wasm' })
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    // 10^9 multiply-adds.
    await model.runAsync({ x: valuesOf([8000, 256]) })
    isOver = true
    model.dispose()
    expect(turns).toBeGreaterThan(4)
  })

  it('end with a RangeError where there is no memory for them, and the model can be used afterwards', async () => {
    const file = fileOf({ opType: 'MatMul', inputs: ['w'], weights: { w: weight(1, 1, 4096) } })
    const model = Model.read(file, { backend: 'wasm' })
    const [large, small] = [valuesOf([150_000, 1]), valuesOf([2, 1])]
    const words = 'native-rnn: out of memory'
    const before = model.run({ x: small })
    expect(() => model.run({ x: large })).toThrow(new RangeError(words))
    await expect(model.runAsync({ x: large })).rejects.toThrow(new RangeError(words))
    expect(model.run({ x: small })).toEqual(before)
    model.dispose()
  })
})

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
