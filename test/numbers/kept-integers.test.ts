/** Weights that are integers with scales already: they are kept as these very integers and scales, whatever they come out of. */
import { Embedding, GRU, Linear, LSTM, Model, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { modelBackends, modelFile } from '../support/model-files.ts'
import { filler } from '../support/networks.ts'
import { bytes, rawTensorBody, type TestNode } from '../support/onnx-writer.ts'

const { fround } = Math

describe('constants of a model that DequantizeLinear makes', () => {
  const [N, K] = [6, 10]
  /** None has a 127 in its row, so that its values alone would ask for other scales, and other integers. */
  const integer = (n: number, k: number) => ((n * 53 + k * 37 + 11) % 201) - 100
  const some = (n: number) => fround(0.0123 * (1 + n / 7))
  const one = () => fround(0.0171)

  interface Case {
    readonly nodes: readonly Omit<TestNode, 'outputs'>[]
    readonly scale: (n: number) => number
    /** The integers as they lie: place → output and input. */
    readonly shape: readonly number[]
    readonly at: (i: number) => readonly [n: number, k: number]
    /** Their zero point where they are unsigned. */
    readonly zero?: number
    readonly axis?: number
    readonly groups?: number
    readonly lists?: Readonly<Record<string, readonly number[]>>
  }
  const rows = { shape: [N, K], at: (i: number) => [Math.floor(i / K), i % K] as const }
  const columns = { shape: [K, N], at: (i: number) => [i % N, Math.floor(i / N)] as const }
  const node = (opType: string, inputs: string[], attributes = {}) => ({ opType, inputs, attributes })
  const cases: Record<string, Case> = {
    'MatMul, one scale': { nodes: [node('MatMul', ['x', 'd'])], scale: one, ...columns },
    'MatMul, a scale for each column': { nodes: [node('MatMul', ['x', 'd'])], scale: some, axis: 1, ...columns },
    'Gemm, unsigned around 128': {
      nodes: [node('Gemm', ['x', 'd'], { transB: 1 })],
      scale: some,
      zero: 128,
      axis: 0,
      ...rows,
    },
    'a transpose': {
      nodes: [node('Transpose', ['d'], { perm: [1, 0] }), node('MatMul', ['x', '0'])],
      scale: some,
      axis: 0,
      ...rows,
    },
    'slices in another order': {
      nodes: [
        node('Slice', ['d', 'from', 'end', 'axes']),
        node('Slice', ['d', 'start', 'from', 'axes']),
        node('Concat', ['0', '1'], { axis: 0 }),
        node('Unsqueeze', ['2', 'axes']),
        node('Reshape', ['3', 'shape']),
        node('Gemm', ['x', '4'], { transB: 1 }),
      ],
      lists: { start: [0], from: [2], end: [N], axes: [0], shape: [N, K] },
      scale: some,
      axis: 0,
      ...rows,
    },
    'an axis less': {
      nodes: [node('Squeeze', ['d', 'axes']), node('Gemm', ['x', '0'], { transB: 1 })],
      lists: { axes: [0] },
      scale: some,
      axis: 1,
      shape: [1, N, K],
      at: (i) => [Math.floor(i / K), i % K],
    },
    'an axis more': {
      nodes: [node('Unsqueeze', ['d', 'axes']), node('MatMul', ['x', '0']), node('Squeeze', ['1', 'axes'])],
      lists: { axes: [0] },
      scale: some,
      axis: 1,
      ...columns,
    },
    'Conv of two groups': {
      nodes: [node('Unsqueeze', ['x', 'last']), node('Conv', ['0', 'd'], { group: 2 }), node('Squeeze', ['1', 'last'])],
      lists: { last: [2] },
      scale: some,
      axis: 0,
      groups: 2,
      shape: [N, K / 2, 1],
      at: (i) => [Math.floor(i / (K / 2)), i % (K / 2)],
    },
    'Conv, each channel by itself': {
      nodes: [
        node('Unsqueeze', ['x', 'last']),
        node('Pad', ['0', 'pads']),
        node('Slice', ['1', 'from', 'end', 'one']),
        node('Conv', ['2', 'd'], { group: N }),
        node('Squeeze', ['3', 'last']),
      ],
      lists: { last: [2], pads: [0, 0, 0, 0, 0, 0], from: [0], end: [N], one: [1] },
      scale: some,
      axis: 0,
      groups: N,
      shape: [N, 1, 1],
      at: (i) => [i, 0],
    },
  }

  const fileOf = ({ nodes, scale, shape, at, zero, axis, lists }: Case) => {
    const length = shape.reduce((product, size) => product * size, 1)
    const q = Uint8Array.from({ length }, (_, i) => integer(...at(i)) + (zero ?? 0))
    const scales = scale === one ? [one()] : Array.from({ length: N }, (_, n) => scale(n))
    const type = zero === undefined ? 3 : 2
    const zeros = new Uint8Array(scales.length).fill(zero ?? 0)
    return modelFile({
      nodes: [
        {
          opType: 'DequantizeLinear',
          inputs: ['q', 's', 'z'],
          outputs: ['d'],
          attributes: axis === undefined ? {} : { axis },
        },
        ...nodes.map((own, i) => ({ ...own, outputs: [i === nodes.length - 1 ? 'y' : `${i}`] })),
      ],
      inputs: { x: { shape: [K, K] } },
      outputs: { y: {} },
      weights: { s: { shape: scale === one ? [] : [N], data: scales } },
      lists,
      more: [
        bytes(5, rawTensorBody('q', type, shape, q)),
        bytes(5, rawTensorBody('z', type, scale === one ? [] : [N], zeros)),
      ],
    })
  }

  describe.each(modelBackends)('on %s', (backend) => {
    it.each(Object.keys(cases))('%s', (name) => {
      const own = cases[name]
      const groups = own.groups ?? 1
      const order = name.startsWith('slices') ? (n: number) => (n + 2) % N : (n: number) => n
      for (const activations of ['f32', 'int8'] as const) {
        // One value in each row: its products are sums of their own. Of 127 the scale of a row is 1.
        const value = activations === 'int8' ? 127 : 1
        const x = new Tensor(new Float32Array(K * K), [K, K])
        for (let k = 0; k < K; k++) x.data[k * K + k] = value
        const model = Model.read(fileOf(own), { backend, weights: 'int8', activations })
        const { y } = model.run({ x })
        for (let k = 0; k < K; k++) {
          for (let n = 0; n < N; n++) {
            const width = groups === N ? 1 : K / groups
            const isOwn = Math.floor(k / width) === Math.floor(n / (N / groups))
            const want = isOwn ? fround(own.scale(order(n)) * value * integer(order(n), k % width)) : 0
            expect(Number(y.data[k * N + n]), `${activations}: y[${k}, ${n}]`).toBe(want)
          }
        }
        const shared = Model.fromShared(structuredClone(model.share()))
        expect(shared.run({ x }).y).toEqual(y)
      }
    })
  })
})

describe.runIf(modelBackends.includes('wasm'))('a matrix that WebAssembly takes in parts', () => {
  it('keeps the integers and scales of each', () => {
    const [N, K] = [4100, 1024]
    const scales = Float32Array.from({ length: N }, (_, n) => 0.0123 * (1 + n / 7))
    const q = Int8Array.from({ length: N * K }, (_, i) => ((i * 53 + 11) % 201) - 100)
    const file = modelFile({
      nodes: [
        { opType: 'DequantizeLinear', inputs: ['q', 's'], outputs: ['w'], attributes: { axis: 0 } },
        { opType: 'Gemm', inputs: ['x', 'w'], outputs: ['y'], attributes: { transB: 1 } },
      ],
      inputs: { x: { shape: [1, K] } },
      outputs: { y: {} },
      weights: { s: { shape: [N], data: [...scales] } },
      more: [bytes(5, rawTensorBody('q', 3, [N, K], new Uint8Array(q.buffer)))],
    })
    const x = new Tensor(new Float32Array(K), [1, K])
    x.data[5] = 1
    const { y } = Model.read(file, { backend: 'wasm', weights: 'int8' }).run({ x })
    for (let n = 0; n < N; n++) {
      if (y.data[n] !== fround(scales[n] * q[n * K + 5])) expect([n, y.data[n]]).toEqual([n, scales[n] * q[n * K + 5]])
    }
  })
})

describe.each(backends)('an int8 layer of the stateDict() of another on %s', (backend) => {
  const others = backends.filter((name) => name !== backend).slice(0, 1)
  const sizes = [
    [1, 3],
    [9, 20],
  ] as const
  const layers = {
    RNN: (I: number, H: number, more: object) => new RNN(I, H, more),
    GRU: (I: number, H: number, more: object) => new GRU(I, H, { ...more, bidirectional: true }),
    'GRU, reset before': (I: number, H: number, more: object) => new GRU(I, H, { ...more, resetAfter: false }),
    LSTM: (I: number, H: number, more: object) => new LSTM(I, H, { ...more, numLayers: 2, bias: false }),
    'LSTM with a projection': (I: number, H: number, more: object) => new LSTM(I, H, { ...more, projSize: 2 }),
  }

  it.each(Object.keys(layers) as (keyof typeof layers)[])('is the same %s by bits', (name) => {
    for (const [I, H] of sizes) {
      for (let seed = 0; seed < 3; seed++) {
        for (const activations of ['f32', 'int8'] as const) {
          const format = { weights: 'int8', activations } as const
          const first = layers[name](I, H, { ...format, seed, backend })
          const dict = first.stateDict()
          const again = layers[name](I, H, { ...format, seed: 99, backend })
          again.loadStateDict(dict)
          const x = filler(seed)(3, 2, I)
          expect(again.forward(x)).toEqual(first.forward(x))
          expect(again.stateDict()).toEqual(dict)
          for (const other of others) {
            const there = layers[name](I, H, { ...format, seed: 98, backend: other })
            there.loadStateDict(dict)
            expect(there.stateDict()).toEqual(dict)
          }
        }
      }
    }
  })

  it('is the same Linear and the same Embedding by bits', () => {
    for (let seed = 0; seed < 12; seed++) {
      for (const activations of ['f32', 'int8'] as const) {
        const format = { weights: 'int8', activations, backend } as const
        const first = new Linear(5, 7, { ...format, seed })
        const x = filler(seed)(3, 5)
        const again = Linear.fromStateDict(first.stateDict(), format)
        expect(again.forward(x)).toEqual(first.forward(x))
        expect(again.stateDict()).toEqual(first.stateDict())
      }
      const table = new Embedding(4, 3, { weights: 'int8', seed })
      const again = Embedding.fromStateDict(table.stateDict(), { weights: 'int8' })
      expect(again.stateDict()).toEqual(table.stateDict())
    }
  })

  it('continues what the other has saved', () => {
    const first = new GRU(1, 5, { weights: 'int8', seed: 3, backend })
    const stream = first.stream()
    stream.step(new Float32Array([0.5]))
    const again = GRU.fromStateDict(first.stateDict(), { weights: 'int8', backend })
    const x = new Float32Array([-0.25])
    expect(again.restoreStream(stream.save()).step(x)).toEqual(stream.step(x))
  })

  it('has what was written into the dict meanwhile, rounded as any numbers are', () => {
    const dict = new Linear(4, 2, { weights: 'int8', seed: 1, backend }).stateDict()
    dict.weight.data.set([0.3, 0.2, 0.1, 0.77])
    const plain = { ...dict, weight: new Tensor(dict.weight.data.slice(), [2, 4]) }
    const [got, want] = [dict, plain].map((one) => Linear.fromStateDict(one, { weights: 'int8', backend }).stateDict())
    expect(got.weight.data.subarray(0, 4)).toEqual(want.weight.data.subarray(0, 4))
    const turned = { weight: new Tensor(dict.weight.data, [4, 2]) }
    expect(Linear.fromStateDict(turned, { weights: 'int8', backend }).outFeatures).toBe(4)
  })
})
