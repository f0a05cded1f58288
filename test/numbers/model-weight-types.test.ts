/** Whole models whose weights are kept in fewer bytes: recurrent layers, Gemm, MatMul and Conv against float32 models and plain loops. */
import { Embedding, Model, type ModelTensor, type Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { printed } from '../support/child.ts'
import { expectError } from '../support/errors.ts'
import { product } from '../support/integers.ts'
import { type Declared, modelBackends, modelFile, recurrent, symmetricFilters, weight } from '../support/model-files.ts'
import type { TestNode, TestTensor } from '../support/onnx-writer.ts'
import { ramp } from '../support/tensors.ts'

type Weights = Readonly<Record<string, TestTensor>>

interface Case {
  readonly nodes: readonly TestNode[]
  readonly weights: Weights
  /** Those that are kept in fewer bytes. */
  readonly kept: readonly string[]
  readonly inputs: Readonly<Record<string, readonly number[]>>
  /** Float32 multiplies factors into its weights before it runs: the bits differ then. */
  readonly hasFactors?: boolean
  /** What the output is of sums: row r of the matrix times the vector of each place, in the order of the output. */
  readonly sums?: (kind: 'f32' | 'int8') => number[]
}

const node = (opType: string, inputs: string[], attributes: TestNode['attributes'] = {}, output = 'y'): TestNode => ({
  opType,
  inputs,
  outputs: [output],
  attributes,
})
const matrix = ({ data }: TestTensor, rows: number, columns: number) =>
  ({ data: Float32Array.from(data), shape: [rows, columns] }) as unknown as Tensor
const turned = ({ data, shape: [A, B] }: TestTensor): TestTensor => ({
  shape: [B, A],
  data: Float32Array.from({ length: A * B }, (_, i) => data[(i % A) * B + Math.floor(i / A)]),
})
const rowsOf = (x: Float32Array, K: number) =>
  Array.from({ length: x.length / K }, (_, m) => x.subarray(m * K, (m + 1) * K))

const [B35, C5] = [weight(2, 35, 17), weight(3, 17)]
const V = weight(4, 20, 33)
const [W1, W2] = [weight(5, 8, 3, 3), weight(6, 5, 4, 3, 2)]
const cosines = symmetricFilters(4, 11, 24, 6, true)

/** The windows of a Conv over (N, C, rows, columns), each a vector of one group, by loops over everything. */
function windows(
  x: Tensor,
  groups: number,
  [kr, kc]: number[],
  [sr, sc]: number[],
  [pr, pc]: number[],
  [outR, outC]: number[],
) {
  const [N, C, R, L] = x.shape
  const found: { n: number; g: number; r: number; c: number; values: number[] }[] = []
  for (let n = 0; n < N; n++)
    for (let g = 0; g < groups; g++)
      for (let r = 0; r < outR; r++)
        for (let c = 0; c < outC; c++) {
          const values: number[] = []
          for (let i = 0; i < C / groups; i++)
            for (let a = 0; a < kr; a++)
              for (let b = 0; b < kc; b++) {
                const [y, z] = [r * sr + a - pr, c * sc + b - pc]
                const isInside = y >= 0 && y < R && z >= 0 && z < L
                values.push(isInside ? x.data[((n * C + g * (C / groups) + i) * R + y) * L + z] : 0)
              }
          found.push({ n, g, r, c, values })
        }
  return found
}

function convolved(
  w: TestTensor,
  x: Tensor,
  groups: number,
  shape: { kernel: number[]; strides: number[]; pads: number[]; out: number[] },
  bias: ArrayLike<number>,
  kind: 'f32' | 'int8',
) {
  const [M] = w.shape
  const K = w.data.length / M
  const [outR, outC] = shape.out
  const y: number[] = []
  for (const { n, g, r, c, values } of windows(x, groups, shape.kernel, shape.strides, shape.pads, shape.out)) {
    const sums = product(matrix(w, M, K), values, kind)
    for (let o = (g * M) / groups; o < ((g + 1) * M) / groups; o++)
      y[((n * M + o) * outR + r) * outC + c] = sums[o] + bias[o]
  }
  return y
}

const cases: Readonly<Record<string, Case>> = {
  MatMul: {
    nodes: [node('MatMul', ['x', 'V'])],
    weights: { V },
    kept: ['V'],
    inputs: { x: [2, 3, 20] },
    sums: (kind) => rowsOf(ramp(2, 3, 20).data, 20).flatMap((row) => product(matrix(turned(V), 33, 20), row, kind)),
  },
  'MatMul with weights on the left': {
    nodes: [node('MatMul', ['V', 'x'])],
    weights: { V },
    kept: ['V'],
    inputs: { x: [2, 33, 3] },
    sums: (kind) => {
      const { data } = ramp(2, 33, 3)
      const y: number[] = []
      for (let b = 0; b < 2; b++)
        for (let n = 0; n < 3; n++) {
          const column = Array.from({ length: 33 }, (_, k) => data[(b * 33 + k) * 3 + n])
          for (const [m, sum] of product(matrix(V, 20, 33), column, kind).entries()) y[(b * 20 + m) * 3 + n] = sum
        }
      return y
    },
  },
  'MatMul with factors that follow it': {
    nodes: [
      node('MatMul', ['x', 'V'], {}, 'sums'),
      node('Mul', ['sums', 'factors'], {}, 'scaled'),
      node('Add', ['scaled', 'terms'], {}, 'line'),
      node('Relu', ['line']),
    ],
    weights: { V, factors: weight(7, 33), terms: weight(8, 33) },
    kept: ['V'],
    hasFactors: true,
    inputs: { x: [3, 20] },
  },
  'Gemm, B turned, with factors': {
    nodes: [node('Gemm', ['x', 'B', 'C'], { transB: 1, alpha: { float: 0.3 }, beta: { float: 2 } })],
    weights: { B: { shape: [17, 35], data: turned(B35).data }, C: C5 },
    kept: ['B'],
    hasFactors: true,
    inputs: { x: [4, 35] },
    sums: (kind) =>
      rowsOf(ramp(4, 35).data, 35).flatMap((row) => {
        const sums = product(matrix(turned(B35), 17, 35), row, kind)
        return sums.map((sum, n) => Math.fround(0.3) * sum + 2 * Number(C5.data[n]))
      }),
  },
  'Gemm, A turned': {
    nodes: [node('Gemm', ['x', 'B'], { transA: 1 })],
    weights: { B: B35 },
    kept: ['B'],
    inputs: { x: [35, 3] },
    sums: (kind) => {
      const { data } = ramp(35, 3)
      return [0, 1, 2].flatMap((m) => {
        const row = Array.from({ length: 35 }, (_, k) => data[3 * k + m])
        return product(matrix(turned(B35), 17, 35), row, kind)
      })
    },
  },
  'Conv over time, in groups, with steps and padding': {
    nodes: [node('Conv', ['x', 'W', 'b'], { group: 2, strides: [2], pads: [1, 1] })],
    weights: { W: W1, b: weight(8, 8) },
    kept: ['W'],
    inputs: { x: [2, 6, 19] },
    sums: (kind) => {
      const x = ramp(2, 6, 19)
      const flat = { data: x.data, shape: [2, 6, 1, 19] } as unknown as Tensor
      const shape = { kernel: [1, 3], strides: [1, 2], pads: [0, 1], out: [1, 10] }
      return convolved(W1, flat, 2, shape, weight(8, 8).data, kind)
    },
  },
  'Conv over a plane': {
    nodes: [node('Conv', ['x', 'W'])],
    weights: { W: W2 },
    kept: ['W'],
    inputs: { x: [1, 4, 6, 7] },
    sums: (kind) => {
      const shape = { kernel: [3, 2], strides: [1, 1], pads: [0, 0], out: [4, 6] }
      return convolved(W2, ramp(1, 4, 6, 7), 1, shape, new Float32Array(5), kind)
    },
  },
  'Conv of one channel by filters that are symmetric': {
    nodes: [node('Conv', ['x', 'W', 'b'], { strides: [7] })],
    weights: { W: cosines, b: weight(8, 11) },
    kept: ['W'],
    inputs: { x: [3, 1, 61] },
    sums: (kind) => {
      const flat = { data: ramp(3, 1, 61).data, shape: [3, 1, 1, 61] } as unknown as Tensor
      const shape = { kernel: [1, 24], strides: [1, 7], pads: [0, 0], out: [1, 6] }
      return convolved(cosines, flat, 1, shape, weight(8, 11).data, kind)
    },
  },
  'Conv, each channel by itself': {
    nodes: [node('Conv', ['x', 'W'], { group: 6, pads: [2, 0] })],
    weights: { W: weight(9, 6, 1, 3) },
    kept: ['W'],
    inputs: { x: [1, 6, 12] },
    sums: (kind) => {
      const flat = { data: ramp(1, 6, 12).data, shape: [1, 6, 1, 12] } as unknown as Tensor
      const shape = { kernel: [1, 3], strides: [1, 1], pads: [0, 2], out: [1, 12] }
      return convolved(weight(9, 6, 1, 3), flat, 6, shape, new Float32Array(6), kind)
    },
  },
  LSTM: {
    nodes: [node('LSTM', ['x', 'W', 'R', 'B'], { hidden_size: 11, direction: 'bidirectional' })],
    weights: { W: weight(1, 2, 44, 9), R: weight(2, 2, 44, 11), B: weight(3, 2, 88) },
    kept: ['W', 'R'],
    inputs: { x: [5, 2, 9] },
  },
  'a GRU with the reset before the product': {
    nodes: [node('GRU', ['x', 'W', 'R'], { hidden_size: 13 })],
    weights: { W: weight(1, 1, 39, 7), R: weight(2, 1, 39, 13) },
    kept: ['W', 'R'],
    inputs: { x: [4, 1, 7] },
  },
  'what is no weight': {
    nodes: [
      node('ConvTranspose', ['x', 'W'], {}, 'w'),
      node('Transpose', ['w'], { perm: [0, 2, 1] }, 't'),
      node('MatMul', ['t', 'w'], {}, 'both'),
      node('Mul', ['both', 'V'], {}, 'y'),
    ],
    weights: { W: weight(1, 2, 3, 2), V: weight(2, 5, 5) },
    kept: [],
    inputs: { x: [1, 2, 4] },
  },
}

const fileOf = ({ nodes, inputs }: Case, weights: Weights) => {
  const declared = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]): [string, Declared] => [name, { shape }]),
  )
  return modelFile({ nodes, inputs: declared, outputs: { y: {} }, weights })
}
const inputsOf = ({ inputs }: Case) =>
  Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, ramp(...shape)]))

/** The weights that are kept, rounded as an Embedding rounds. */
function rounded({ weights, kept }: Case, format: 'f16' | 'bf16'): Weights {
  const round = ({ data, shape }: TestTensor) => ({
    shape,
    data: Embedding.fromStateDict({ weight: [Array.from(data)] }, { weights: format }).stateDict().weight.data,
  })
  return Object.fromEntries(
    Object.entries(weights).map(([name, one]) => [name, kept.includes(name) ? round(one) : one]),
  )
}

const names = Object.keys(cases)

describe.each(modelBackends)('a model on %s', (backend) => {
  describe.each(['f16', 'bf16'] as const)('%s', (weights) => {
    it.each(names)('%s has the bits of float32 with the rounded weights', (name) => {
      const own = cases[name]
      const model = Model.read(fileOf(own, own.weights), { backend, weights })
      const plain = Model.read(fileOf(own, rounded(own, weights)), { backend })
      const [y, want] = [model.run(inputsOf(own)).y, plain.run(inputsOf(own)).y]
      if (!own.hasFactors || backend === 'typescript') expect(y).toEqual(want)
      else for (const [i, value] of want.data.entries()) expect(y.data[i]).toBeCloseTo(Number(value), 5)
    })
  })

  describe.each(['f32', 'int8'] as const)('int8 × %s', (activations) => {
    it.each(names.filter((name) => cases[name].sums))('%s follows the definition', (name) => {
      const own = cases[name]
      const model = Model.read(fileOf(own, own.weights), { backend, weights: 'int8', activations })
      const { y } = model.run(inputsOf(own)) as Record<string, ModelTensor & { data: Float32Array }>
      const want = own.sums!(activations)
      expect(y.data).toHaveLength(want.length)
      for (const [i, value] of want.entries()) expect(y.data[i], `y[${i}]`).toBeCloseTo(value, 4)
    })

    it('differs from float32 where there are weights, and nowhere else', () => {
      for (const name of names) {
        const own = cases[name]
        const [kept, plain] = [{ weights: 'int8', activations } as const, {}].map((format) =>
          Model.read(fileOf(own, own.weights), { backend, ...format }).run(inputsOf(own)),
        )
        if (own.kept.length > 0) expect(kept, name).not.toEqual(plain)
        else expect(kept, name).toEqual(plain)
      }
    })
  })

  it.each([
    { weights: 'f16' },
    { weights: 'bf16' },
    { weights: 'int8' },
    { weights: 'int8', activations: 'int8' },
  ] as const)(
    'streams, saved states, other threads and asynchronous runs have the bits of run: $weights',
    async (format) => {
      const model = Model.read(recurrent(), { backend, ...format })
      const frames = ramp(6, 1, 3)
      const state = ramp(1, 1, 5)
      const whole = model.run({ frames, state })
      expect(await model.runAsync({ frames, state })).toEqual(whole)
      const shared = Model.fromShared(structuredClone(model.share()))
      expect(shared.run({ frames, state })).toEqual(whole)
      const options = { states: { state: 'stateN' }, shapes: { frames: [1, 1, 3] } }
      let stream = model.stream(options)
      stream.reset({ state })
      for (let t = 0; t < 6; t++) {
        const { scores } = stream.step(frames.data.slice(3 * t, 3 * t + 3))
        expect(scores).toEqual((whole.scores.data as Float32Array).subarray(2 * t, 2 * t + 2))
        stream = shared.restoreStream(stream.save(), options)
      }
      expect(stream.state().state.data).toEqual(whole.stateN.data)
      const other = Model.read(recurrent(), { backend })
      expectError(() => other.restoreStream(stream.save(), options), 'ERR_RNN_STATE', 'of another model')
      expect(shared.memory()).toEqual(model.memory())
    },
  )

  it('integers are kept, whatever four of them are as one float32 number', async () => {
    // 0, 0, −127, 127: a NaN that signals. Code that V8 has not compiled yet reads such a number as one that does not. A row of the format is
    // a column of MatMul's operand.
    const V = { shape: [4, 4], data: [0, 0, -0.5, 0.5].flatMap((value) => [value, value, value, value]) }
    const file = modelFile({
      nodes: [node('MatMul', ['x', 'V'])],
      inputs: { x: { shape: [1, 4] } },
      outputs: { y: { shape: [1, 4] } },
      weights: { V },
    })
    const program = `
      import { Model } from 'native-rnn'
      const file = Buffer.from('${Buffer.from(file).toString('base64')}', 'base64')
      const model = Model.read(file, { weights: 'int8', backend: '${backend}' })
      console.log(JSON.stringify([...model.run({ x: [[1, 1, 1, 0]] }).y.data]))`
    expect(await printed(program)).toEqual([-0.5, -0.5, -0.5, -0.5])
  })

  it('a factor that follows does not bring weights beyond a format', () => {
    const own = cases['MatMul with factors that follow it']
    const factors = { shape: [33], data: new Float32Array(33).fill(2 ** 20) }
    const file = fileOf(own, { ...own.weights, factors })
    const [y, want] = (['f16', 'f32'] as const).map(
      (weights) => Model.read(file, { backend, weights }).run(inputsOf(own)).y.data,
    )
    for (const [i, value] of want.entries()) expect(Number(y[i]) / 2 ** 20).toBeCloseTo(Number(value) / 2 ** 20, 2)
  })

  it('refuses weights beyond a format, naming the node', () => {
    const large = (tensor: TestTensor) => ({ ...tensor, data: Float32Array.from(tensor.data).with(3, 1e5) })
    for (const [name, what, words] of [
      ['MatMul', 'V', 'B'],
      ['Conv over a plane', 'W', 'W'],
      ['LSTM', 'R', 'R'],
    ] as const) {
      const own = cases[name]
      const file = fileOf(own, { ...own.weights, [what]: large(own.weights[what]) })
      const opType = own.nodes[0].opType
      const message = new RegExp(
        `${opType}.*its weight ${words} must be a number that f16 can hold, at most ±65504, got 100000`,
      )
      expectError(() => Model.read(file, { backend, weights: 'f16' }), 'ERR_RNN_MODEL_FILE', message)
      Model.read(file, { backend, weights: 'bf16' }).dispose()
    }
    const spare = cases['what is no weight']
    Model.read(fileOf(spare, { W: large(spare.weights.W), V: large(spare.weights.V) }), {
      backend,
      weights: 'f16',
    }).dispose()
  })

  it('refuses options that do not go together', () => {
    expectError(() => Model.read(recurrent(), { weights: 'int4' as never }), 'ERR_RNN_OPTION', 'weights must be one of')
    expectError(() => Model.read(recurrent(), { activations: 'int8' }), 'ERR_RNN_OPTION', "need weights 'int8'")
    const handle = Model.read(recurrent(), { backend, weights: 'f16' }).share()
    expectError(() => Model.fromShared({ ...handle, activations: 'int8' }), 'ERR_RNN_OPTION', "need weights 'int8'")
  })
})
