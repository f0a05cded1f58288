/** Corners of ONNX's definitions that no exporter's everyday graph meets: what is there for each, as the operator's text has it, on every backend. */
import { Model, type ModelInput } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { type Declared, modelBackends, modelFile, weight } from '../support/model-files.ts'
import type { TestNode, TestTensor } from '../support/onnx-writer.ts'

type Step = readonly [opType: string, inputs: readonly string[], output: string, attributes?: TestNode['attributes']]

interface Given {
  readonly steps: readonly Step[]
  readonly x: { readonly data: ModelInput; readonly shape: readonly number[]; readonly type?: Declared['type'] }
  readonly weights?: Readonly<Record<string, TestTensor>>
  readonly lists?: Readonly<Record<string, readonly number[]>>
  readonly opset?: number
}

const one = (value: number, ...shape: number[]): TestTensor => ({ shape, data: [value] })
const six = Float32Array.of(1, -2, 3, -4, 5, -6)
const small = Float32Array.of(1, -2, 0.5, -1, 2, -0.5)

/** Runs steps on x; the last one makes the output. */
function made(backend: (typeof modelBackends)[number], { steps, x, weights, lists, opset = 18 }: Given) {
  const outputs = { [steps[steps.length - 1][2]]: { type: x.type } }
  const nodes = steps.map(([opType, inputs, output, attributes]) => ({ opType, inputs, outputs: [output], attributes }))
  const inputs = { x: { type: x.type, shape: x.shape } }
  const model = Model.read(modelFile({ nodes, inputs, outputs, weights, lists, opset }), { backend })
  const [result] = Object.values(model.run({ x: { data: x.data, shape: x.shape } as ModelInput }))
  return result
}

/** GELU as exporters write it, its half with axes that x has not. */
const gelu: Step[] = [
  ['Div', ['x', 'root'], 'a'],
  ['Erf', ['a'], 'b'],
  ['Add', ['b', 'one'], 'c'],
  ['Mul', ['x', 'c'], 'd'],
  ['Mul', ['d', 'half'], 'y'],
]
const geluWeights = { root: one(Math.SQRT2), one: one(1), half: one(0.5, 1, 1, 1) }

/** A reduction that is asked for no axes, and reduces none. */
const ofNoAxes = (opType: string, data: readonly number[]) => ({
  steps: [[opType, ['x'], 'y', { noop_with_empty_axes: 1 }]] as const,
  x: { data: six, shape: [2, 3] },
  shape: [2, 3],
  data,
})

/** ONNX's text, by name: what the case is, and what is to come. */
const cases: Record<
  string,
  Given & { readonly shape: readonly number[]; readonly data: readonly (number | bigint)[] }
> = {
  'a constant of more axes than x, in what is one step': {
    steps: [...gelu, ['Sign', ['y'], 's'], ['ReduceSum', ['s', 'axes'], 'z']],
    x: { data: small, shape: [2, 3] },
    weights: geluWeights,
    lists: { axes: [0] },
    shape: [1, 2, 3],
    data: [1, -1, 1, -1, 1, -1],
  },
  'the same as the result': {
    steps: [...gelu, ['Sign', ['y'], 's']],
    x: { data: small, shape: [2, 3] },
    weights: geluWeights,
    shape: [1, 2, 3],
    data: [1, -1, 1, -1, 1, -1],
  },
  'a slope of more axes than x': {
    steps: [
      ['PRelu', ['x', 'slope'], 'y'],
      ['ReduceSum', ['y', 'axes'], 'z'],
    ],
    x: { data: six, shape: [2, 3] },
    weights: { slope: one(0.5, 1, 1, 1) },
    lists: { axes: [0] },
    shape: [1, 2, 3],
    data: [1, -1, 3, -2, 5, -3],
  },
  'Gemm over nothing is its third operand': {
    steps: [['Gemm', ['x', 'w', 'c'], 'y']],
    x: { data: new Float32Array(0), shape: [2, 0] },
    weights: { w: { shape: [0, 3], data: [] }, c: { shape: [3], data: [1, 2, 3] } },
    shape: [2, 3],
    data: [1, 2, 3, 1, 2, 3],
  },
  'a slice backwards from before the first value has that value': {
    steps: [['Slice', ['x', 'start', 'end', 'axes', 'step'], 'y']],
    x: { data: six, shape: [2, 3] },
    lists: { start: [-100], end: [-200], axes: [1], step: [-1] },
    shape: [2, 1],
    data: [1, -4],
  },
  'squares of no axes': ofNoAxes('ReduceSumSquare', [1, 4, 9, 16, 25, 36]),
  'magnitudes of no axes': ofNoAxes('ReduceL1', [1, 2, 3, 4, 5, 6]),
  'roots of squares of no axes': ofNoAxes('ReduceL2', [1, 2, 3, 4, 5, 6]),
  'a sum of no axes is x': ofNoAxes('ReduceSum', [...six]),
  'logarithms of no axes': {
    steps: [
      ['Abs', ['x'], 'a'],
      ['ReduceLogSum', ['a'], 'y', { noop_with_empty_axes: 1 }],
      ['Exp', ['y'], 'e'],
      ['Round', ['e'], 'z'],
    ],
    x: { data: six, shape: [2, 3] },
    shape: [2, 3],
    data: [1, 2, 3, 4, 5, 6],
  },
  'bounds of integers that no double holds': {
    steps: [
      ['Add', ['big', 'little'], 'sum'],
      ['Squeeze', ['sum'], 'least'],
      ['Clip', ['x', 'least'], 'y'],
    ],
    x: { data: BigInt64Array.of(2n ** 53n, 2n ** 53n + 2n), shape: [2], type: 'int64' },
    lists: { big: [2 ** 53], little: [1] },
    shape: [2],
    data: [2n ** 53n + 1n, 2n ** 53n + 2n],
  },
  'the mean of no integers': {
    steps: [['ReduceMean', ['x'], 'y', { axes: [0] }]],
    x: { data: new BigInt64Array(0), shape: [0, 3], type: 'int64' },
    opset: 17,
    shape: [1, 3],
    data: [0n, 0n, 0n],
  },
  'no values at all': {
    steps: [['Neg', ['x'], 'y']],
    x: { data: new Float32Array(0), shape: [0, 3] },
    shape: [0, 3],
    data: [],
  },
}

describe.each(modelBackends)('corners on %s', (backend) => {
  it.each(Object.entries(cases))('%s', (_, given) => {
    const { data, shape } = made(backend, given)
    expect({ data: Array.from(data as Float32Array), shape }).toEqual({
      data: [...given.data],
      shape: [...given.shape],
    })
  })

  it('a first state that is no number', () => {
    const H = 4
    const weights = { W: weight(1, 1, H, 3), R: weight(2, 1, H, H), h0: { shape: [1, 1, H], data: [NaN, 0, 0, 0] } }
    const steps: Step[] = [['RNN', ['x', 'W', 'R', '', '', 'h0'], 'y', { hidden_size: H }]]
    const { data } = made(backend, { steps, x: { data: new Float32Array(3), shape: [1, 1, 3] }, weights })
    expect(Array.from(data as Float32Array)).toEqual([NaN, NaN, NaN, NaN])
  })

  // A step of a stream knows no frames that the window saw too many; the whole run has them taken off by a step of its own.
  it.each(['BatchNormalization', 'Mul', 'Add', 'Relu'])('frames taken off between a window and %s', (opType) => {
    const C = 5
    const perChannel = { Mul: ['c'], Add: ['c'], Relu: [], BatchNormalization: ['gain', 'bias', 'mean', 'variance'] }
    const nodes = [
      { opType: 'Conv', inputs: ['x', 'w'], outputs: ['seen'], attributes: { pads: [4, 4], dilations: [2] } },
      { opType: 'Slice', inputs: ['seen', 'start', 'end', 'axes'], outputs: ['chomped'] },
      { opType, inputs: ['chomped', ...perChannel[opType as 'Mul']], outputs: ['y'] },
    ]
    const variance = Float32Array.from(weight(7, C).data, (value) => Math.abs(value) + 0.1)
    const file = modelFile({
      nodes,
      inputs: { x: { shape: [1, 4, 't'] } },
      outputs: { y: {} },
      weights: {
        w: weight(1, C, 4, 3),
        c: weight(2, C, 1),
        gain: weight(4, C),
        bias: weight(5, C),
        mean: weight(6, C),
        variance: { shape: [C], data: variance },
      },
      lists: { start: [0], end: [-4], axes: [2] },
    })
    const model = Model.read(file, { backend })
    const T = 40
    const x = Float32Array.from(weight(8, 4, T).data)
    const whole = model.run({ x: { data: x, shape: [1, 4, T] } }).y.data as Float32Array
    const { step } = model.stream({ along: 't', shapes: { x: [1, 4, 1] } })
    for (let t = 0; t < T; t++) {
      const frame = Float32Array.from({ length: 4 }, (_, channel) => x[channel * T + t])
      const column = Float32Array.from({ length: C }, (_, channel) => whole[channel * T + t])
      expect(step({ x: { data: frame, shape: [1, 4, 1] } }).y).toEqual(column)
    }
  })

  it('a batcher of a graph that takes some rows and not all of them', () => {
    const nodes = [
      { opType: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { opType: 'Gather', inputs: ['shape', 'zero'], outputs: ['n'], attributes: { axis: 0 } },
      { opType: 'Slice', inputs: ['table', 'zero', 'n', 'zero'], outputs: ['part'] },
      { opType: 'Add', inputs: ['x', 'part'], outputs: ['y'] },
    ]
    const lists = { zero: [0] }
    const inputs = { x: { shape: ['batch', 4] } }
    const weights = { table: { shape: [16, 4], data: new Float32Array(64) } }
    const model = Model.read(modelFile({ nodes, inputs, outputs: { y: {} }, weights, lists }), { backend })
    model.batcher({ maxBatch: 16 }).close()
    expectError(() => model.batcher(), 'ERR_RNN_OPTION', 'the model does not take 64 rows')
  })

  it('a stream of integers without values', () => {
    const inputs = { x: { type: 'int64', shape: ['batch', 2] }, e: { type: 'int64', shape: ['batch', 'n'] } } as const
    const nodes = [{ opType: 'Concat', inputs: ['e', 'x'], outputs: ['y'], attributes: { axis: 1 } }]
    const model = Model.read(modelFile({ nodes, inputs, outputs: { y: { type: 'int64' } } }), { backend })
    const stream = model.stream({ shapes: { x: [1, 2], e: [1, 0] } })
    expect(stream.step({ x: [[3n, 4n]] }).y).toEqual(BigInt64Array.of(3n, 4n))
  })
})
