/** Streams along time of models without states of their own: the bits of a run over the whole sequence, and refusals by name. */
import { readFileSync } from 'node:fs'
import { Model, type ModelStream } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { type Declared, modelBackends, modelFile, weight } from '../support/model-files.ts'
import type { TestAttribute, TestNode, TestTensor } from '../support/onnx-writer.ts'
import { randomGraph } from '../support/random-graphs.ts'

interface Case {
  readonly x: NonNullable<Declared['shape']>
  /** Frames a step; the first is enough for all strides. */
  readonly steps: readonly number[]
  readonly nodes: readonly TestNode[]
  readonly weights?: Readonly<Record<string, TestTensor>>
  readonly lists?: Readonly<Record<string, readonly (number | bigint)[]>>
  readonly outputs?: readonly string[]
  /** Inputs beside x. */
  readonly more?: Readonly<Record<string, readonly number[]>>
}

const op = (
  opType: string,
  inputs: string,
  outputs: string,
  attributes: Readonly<Record<string, TestAttribute>> = {},
): TestNode => ({
  opType,
  name: outputs.split(' ').join('+'),
  inputs: inputs.split(' ').map((name) => (name === '-' ? '' : name)),
  outputs: outputs.split(' ').map((name) => (name === '-' ? '' : name)),
  attributes,
})

const fileOf = ({ x, nodes, weights, lists, outputs = ['y'], more = {} }: Omit<Case, 'steps'>) =>
  modelFile({
    nodes,
    inputs: { x: { shape: x }, ...Object.fromEntries(Object.entries(more).map(([name, shape]) => [name, { shape }])) },
    outputs: Object.fromEntries(outputs.map((name) => [name, {}])),
    weights,
    lists,
  })

/** Conv after Conv with all padding in front, a residual, then a GRU and a Linear. */
const dilated: Case = {
  x: [1, 2, 'time'],
  steps: [1, 3, 8],
  nodes: [
    op('Conv', 'x w1', 'a', { pads: [2, 0] }),
    op('Relu', 'a', 'b'),
    op('Conv', 'b w2 bias', 'c', { dilations: [2], pads: [4, 0] }),
    op('Tanh', 'c', 'd'),
    op('Conv', 'd w2', 'e', { dilations: [4], pads: [8, 0] }),
    op('Add', 'e b', 'f'),
    op('Transpose', 'f', 'g', { perm: [2, 0, 1] }),
    op('GRU', 'g W R B', 'h last', { hidden_size: 4, linear_before_reset: 1 }),
    op('Squeeze', 'h one', 'i'),
    op('MatMul', 'i V', 'y'),
  ],
  outputs: ['y', 'last'],
  weights: {
    w1: weight(1, 3, 2, 3),
    w2: weight(2, 3, 3, 3),
    bias: weight(3, 3),
    W: weight(4, 1, 12, 3),
    R: weight(5, 1, 12, 4),
    B: weight(6, 1, 24),
    V: weight(7, 4, 2),
  },
  lists: { one: [1] },
}

/** Two convolutions that halve, padded on both ends: what is behind is not seen where frames come in fours. */
const halved: Case = {
  x: [1, 3, 'time'],
  steps: [4, 8],
  nodes: [
    op('Conv', 'x w1', 'a', { strides: [2], pads: [1, 1] }),
    op('Relu', 'a', 'b'),
    op('Conv', 'b w2', 'y', { strides: [2], pads: [2, 0] }),
  ],
  weights: { w1: weight(1, 4, 3, 3), w2: weight(2, 2, 4, 3) },
}

/** Layers with states at the start, of two sequences, and a Linear with norm and softmax over features. */
const stacked: Case = {
  x: ['time', 2, 3],
  steps: [1, 3],
  nodes: [
    op('LSTM', 'x W1 R1 B1 - h0 c0', 'a', { hidden_size: 4 }),
    op('Squeeze', 'a one', 'b'),
    op('LSTM', 'b W2 R2', 'c - cell', { hidden_size: 4 }),
    op('Squeeze', 'c one', 'd'),
    op('RNN', 'd W3 R3', 'e', { hidden_size: 4 }),
    op('Squeeze', 'e one', 'f'),
    op('LayerNormalization', 'f scale shift', 'g', { axis: -1 }),
    op('MatMul', 'g V', 'h'),
    op('Add', 'h bias', 'i'),
    op('Softmax', 'i', 'y', { axis: -1 }),
  ],
  outputs: ['y', 'cell'],
  weights: {
    W1: weight(1, 1, 16, 3),
    R1: weight(2, 1, 16, 4),
    B1: weight(3, 1, 32),
    h0: weight(4, 1, 2, 4),
    c0: weight(5, 1, 2, 4),
    W2: weight(6, 1, 16, 4),
    R2: weight(7, 1, 16, 4),
    W3: weight(8, 1, 4, 4),
    R3: weight(9, 1, 4, 4),
    scale: weight(10, 4),
    shift: weight(11, 4),
    V: weight(12, 4, 5),
    bias: weight(13, 5),
  },
  lists: { one: [1] },
}

/** A Pad of another value in front, through a function, then a Conv; and one whose output is cut where it saw frames to come. */
const padded: Case = {
  x: [2, 2, 'time'],
  steps: [1, 3],
  nodes: [
    op('Pad', 'x pads value', 'a'),
    op('Sigmoid', 'a', 'b'),
    op('Conv', 'b w1', 'c', { dilations: [2] }),
    op('Conv', 'c w2', 'd', { pads: [2, 2] }),
    op('Relu', 'd', 'e'),
    op('Slice', 'e from to axis', 'y'),
  ],
  weights: { value: { shape: [], data: [0.5] }, w1: weight(1, 3, 2, 3), w2: weight(2, 2, 3, 3) },
  lists: { pads: [0, 0, 4, 0, 0, 0], from: [0], to: [-2], axis: [2] },
}

/** The same slice with one of channels, whose end is written as there is none: the largest integer. */
const slicedTwice: Case = {
  ...padded,
  nodes: padded.nodes.with(-1, op('Slice', 'e from to axes', 'y')),
  lists: { pads: [0, 0, 4, 0, 0, 0], from: [1, 0], to: [2n ** 63n - 1n, -2], axes: [1, 2] },
}

/** Rows of all frames through a Gemm and back, by the size that Shape gives; and zeros for each of them. */
const reshaped: Case = {
  x: [2, 'time', 3],
  steps: [1, 3],
  nodes: [
    op('Reshape', 'x flat', 'a'),
    op('Gemm', 'a V bias', 'b'),
    op('Shape', 'x', 'shape'),
    op('Gather', 'shape place', 'length'),
    op('Concat', 'two length minus', 'wanted', { axis: 0 }),
    op('Reshape', 'b wanted', 'c'),
    op('Concat', 'two length five', 'all', { axis: 0 }),
    op('ConstantOfShape', 'all', 'zeros'),
    op('Add', 'c zeros', 'y'),
  ],
  weights: { V: weight(1, 3, 5), bias: weight(2, 5) },
  lists: { flat: [-1, 3], place: [1], two: [2], minus: [-1], five: [5] },
}

/** Over time and frequency at once: padded on both ends of the frequencies, and in front of time alone. */
const planes: Case = {
  x: [1, 1, 'time', 6],
  steps: [2, 4],
  nodes: [
    op('Conv', 'x w1', 'a', { pads: [2, 1, 0, 1] }),
    op('Pad', 'a pads', 'b'),
    op('Conv', 'b w2', 'c', { strides: [2, 2] }),
    op('MaxPool', 'c', 'd', { kernel_shape: [2, 1], pads: [1, 0, 0, 0] }),
    op('AveragePool', 'd', 'e', { kernel_shape: [3, 2], pads: [2, 0, 0, 0], count_include_pad: 1 }),
    op('ConvTranspose', 'e w3', 'f', { strides: [2, 1] }),
    op('BatchNormalization', 'f scale shift mean variance', 'y'),
  ],
  weights: {
    w1: weight(1, 2, 1, 3, 3),
    w2: weight(2, 3, 2, 3, 3),
    w3: weight(3, 3, 2, 2, 1),
    scale: weight(4, 2),
    shift: weight(5, 2),
    mean: weight(6, 2),
    variance: { shape: [2], data: [0.5, 2] },
  },
  lists: { pads: [0, 0, 2, 1, 0, 0, 0, 1] },
}

/** The last frame alone goes on. */
const classified: Case = {
  x: [1, 'time', 3],
  steps: [1, 4],
  nodes: [
    op('LSTM', 'x W R', 'a', { hidden_size: 4, layout: 1 }),
    op('Squeeze', 'a two', 'b'),
    op('Gather', 'b last', 'c', { axis: 1 }),
    op('MatMul', 'c V', 'd'),
    op('Softmax', 'd', 'y', { axis: -1 }),
  ],
  weights: { W: weight(1, 1, 16, 3), R: weight(2, 1, 16, 4), V: weight(3, 4, 5) },
  lists: { two: [2], last: [-1] },
}

const cases: Readonly<Record<string, Case>> = {
  'dilated convolutions with a GRU': dilated,
  'convolutions that halve': halved,
  'a stack of layers with a Linear': stacked,
  'a Pad in front, and a slice behind': padded,
  'a slice of frames and channels': slicedTwice,
  'reshapes by the number of frames': reshaped,
  'convolutions over time and frequency': planes,
  'the last frame alone': classified,
}

/** A part of a tensor along an axis. */
function part(
  { data, shape }: { data: ArrayLike<number>; shape: readonly number[] },
  axis: number,
  from: number,
  to: number,
) {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1)
  const at = (i: number) => Math.floor(i / inner) % shape[axis]
  const kept = Array.from(data as Float32Array).filter((_, i) => at(i) >= from && at(i) < to)
  return { data: Float32Array.from(kept), shape: shape.map((size, i) => (i === axis ? to - from : size)) }
}

const bits = (values: ArrayBufferView) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex')

describe.each(modelBackends)('along time on %s', (backend) => {
  describe.each(Object.entries(cases))('%s', (_, { steps, ...model }) => {
    const axis = model.x.indexOf('time')
    const shapeOf = (frames: number) => model.x.map((size) => (size === 'time' ? frames : (size as number)))
    const { data } = weight(17, ...shapeOf(24))
    const x = { data: data as Float32Array, shape: shapeOf(24) }
    const read = () => Model.read(fileOf(model), { backend })

    it.each(steps)('gives the frames of a run, %i a step', (frames) => {
      const own = read()
      const stream = own.stream({ along: 'time', shapes: { x: shapeOf(frames) } })
      const [longer, shorter] = [24, 12].map((t) => own.run({ x: part(x, axis, 0, t) }))
      for (let t = frames; t <= 24; t += frames) {
        const outputs = stream.step({ x: part(x, axis, t - frames, t) })
        const whole = own.run({ x: part(x, axis, 0, t) })
        expect(Object.keys(outputs)).toEqual(model.outputs ?? ['y'])
        for (const [name, values] of Object.entries(outputs)) {
          const { data, shape } = whole[name]
          // What has no frames is that of the newest one.
          const time = shape.findIndex((_, i) => longer[name].shape[i] !== shorter[name].shape[i])
          const before = (shape[time] * (t - frames)) / t
          expect(bits(values)).toBe(bits(time < 0 ? data : part(whole[name] as never, time, before, shape[time]).data))
        }
      }
    })

    it('begins anew, forks and comes back from bytes', () => {
      const own = read()
      const options = { along: 'time', shapes: { x: shapeOf(steps[0]) } }
      const stream = own.stream(options)
      const step = (one: typeof stream, n: number) => {
        const outputs = one.step({ x: part(x, axis, n * steps[0], (n + 1) * steps[0]) })
        return Object.values(outputs).map(bits).join()
      }
      const first = step(stream, 0)
      const [forked, restored] = [stream.fork(), own.restoreStream(stream.save(), options)]
      const second = step(stream, 1)
      expect([step(forked, 1), step(restored, 1)]).toEqual([second, second])
      stream.reset()
      expect(step(stream, 0)).toBe(first)
    })
  })
})

describe.each(modelBackends)("PyTorch's export of causal convolutions with a GRU on %s", (backend) => {
  const file = new URL('../fixtures/models/causal.onnx', import.meta.url)
  const model = Model.read(readFileSync(file), { backend })
  const [, channels] = model.inputs[0].shape as [string, number, string]
  const frames = weight(5, 1, channels, 30)
  const whole = model.run({ frames: frames as never }).events

  it.each([1, 5])('gives the frames of a run, %i a step, and of each stream of a batcher', async (size) => {
    const options = { along: 'time', shapes: { frames: [1, channels, size] } }
    const stream = model.stream(options)
    const batcher = model.batcher(options)
    const batched = [batcher.open(), batcher.open(), batcher.open()]
    for (let t = 0; t < 30; t += size) {
      const values = { frames: part(frames as never, 2, t, t + size) }
      const want = bits(part(whole as never, 1, t, t + size).data)
      expect(bits(stream.step(values).events)).toBe(want)
      const steps = await Promise.all(batched.map((one) => one.step(values)))
      expect(steps.map(({ events }) => bits(events))).toEqual(steps.map(() => want))
    }
    await batcher.close()
  })
})

describe('along', () => {
  const open = (model: Omit<Case, 'steps'>, shapes?: Record<string, number[]>) =>
    Model.read(fileOf(model), { backend: 'typescript' }).stream({ along: 'time', ...(shapes && { shapes }) })
  const x3 = [1, 3, 'time'] as const
  const layer = { W: weight(1, 1, 4, 3), R: weight(2, 1, 4, 4) }

  it('takes one frame a step where nothing else is said', () => {
    expect(open(dilated).inputs.x).toHaveLength(2)
  })

  const refused: [string, Omit<Case, 'steps'>, RegExp][] = [
    [
      'a Conv without padding',
      { x: x3, nodes: [op('Conv', 'x w', 'y')], weights: { w: weight(1, 2, 3, 3) } },
      /"y" \(Conv\): its window looks 2 frames ahead: it has no padding/,
    ],
    [
      'a Conv padded on both ends',
      { x: x3, nodes: [op('Conv', 'x w', 'y', { pads: [1, 1] })], weights: { w: weight(1, 2, 3, 3) } },
      /"y" \(Conv\): its window looks 1 frame ahead/,
    ],
    [
      'a Conv padded too far',
      { x: x3, nodes: [op('Conv', 'x w', 'y', { pads: [3, 0] })], weights: { w: weight(1, 2, 3, 3) } },
      /\(Conv\): it has 3 frames of padding in front/,
    ],
    [
      'auto_pad',
      { x: x3, nodes: [op('Conv', 'x w', 'y', { auto_pad: 'SAME_UPPER' })], weights: { w: weight(1, 2, 3, 3) } },
      /\(Conv\): auto_pad SAME_UPPER/,
    ],
    [
      'frames behind the last one',
      { x: x3, nodes: [op('Conv', 'x w', 'y', { pads: [2, 2] })], weights: { w: weight(1, 2, 3, 3) } },
      /the output "y": of 240 frames/,
    ],
    [
      'a Pad that mirrors',
      { x: x3, nodes: [op('Pad', 'x pads', 'y', { mode: 'reflect' })], lists: { pads: [0, 0, 2, 0, 0, 0] } },
      /\(Pad\): it pads the frames in mode reflect/,
    ],
    [
      'a Pad behind',
      { x: x3, nodes: [op('Pad', 'x pads', 'y')], lists: { pads: [0, 0, 0, 0, 0, 2] } },
      /\(Pad\): it pads 2 frames behind/,
    ],
    [
      'a Pad that nothing looks back at',
      { x: x3, nodes: [op('Pad', 'x pads', 'y')], lists: { pads: [0, 0, 2, 0, 0, 0] } },
      /the output "y"/,
    ],
    [
      'a mean that leaves padding out',
      { x: x3, nodes: [op('AveragePool', 'x', 'y', { kernel_shape: [2], pads: [1, 0] })] },
      /\(AveragePool\): its means at the start are of fewer frames/,
    ],
    [
      'a transposed Conv whose outputs overlap',
      { x: x3, nodes: [op('ConvTranspose', 'x w', 'y', { strides: [2] })], weights: { w: weight(1, 3, 2, 3) } },
      /\(ConvTranspose\): what it makes of one frame overlaps/,
    ],
    [
      'GlobalAveragePool',
      { x: x3, nodes: [op('GlobalAveragePool', 'x', 'y')] },
      /\(GlobalAveragePool\): it makes one value of all frames/,
    ],
    [
      'InstanceNormalization',
      { x: x3, nodes: [op('InstanceNormalization', 'x s s', 'y')], weights: { s: weight(1, 3) } },
      /\(InstanceNormalization\): it normalizes over the frames/,
    ],
    [
      'ReduceMean',
      { x: x3, nodes: [op('ReduceMean', 'x', 'y', { axes: [2] })] },
      /\(ReduceMean\): it reduces the frames \(axis 2\)/,
    ],
    [
      'Softmax',
      { x: x3, nodes: [op('Softmax', 'x', 'y', { axis: 2 })] },
      /\(Softmax\): it divides by a sum over the frames/,
    ],
    [
      'CumSum',
      { x: x3, nodes: [op('CumSum', 'x axis', 'y')], lists: { axis: [2] } },
      /\(CumSum\): it sums up the frames/,
    ],
    [
      'Slice',
      { x: x3, nodes: [op('Slice', 'x a b c', 'y')], lists: { a: [1], b: [9], c: [2] } },
      /\(Slice\): it takes a part of the frames/,
    ],
    [
      'Gather',
      { x: x3, nodes: [op('Gather', 'x a', 'y', { axis: 2 })], lists: { a: [0] } },
      /\(Gather\): it picks from the frames/,
    ],
    [
      'attention',
      { x: x3, nodes: [op('Transpose', 'x', 'q', { perm: [0, 2, 1] }), op('MatMul', 'q x', 'y')] },
      /"y" \(MatMul\): its inputs have the frames on different axes/,
    ],
    [
      'a table of positions',
      {
        x: [1, 'time', 3],
        nodes: [
          op('Shape', 'x', 's'),
          op('Slice', 's one two', 'n'),
          op('Slice', 'table zero n one', 't'),
          op('Add', 'x t', 'y'),
        ],
        weights: { table: weight(1, 1, 600, 3) },
        lists: { zero: [0], one: [1], two: [2] },
      },
      /\(Add\): its input 1 has another value for each of the frames/,
    ],
    [
      'a number of frames',
      {
        x: x3,
        nodes: [
          op('Shape', 'x', 's'),
          op('Gather', 's two', 'n'),
          op('Cast', 'n', 'f', { to: 1 }),
          op('Div', 'x f', 'y'),
        ],
        lists: { two: [2] },
      },
      /\(Div\): its constant input 1 depends on how many frames there are/,
    ],
    [
      'a layer backwards',
      { x: ['time', 1, 3], nodes: [op('RNN', 'x W R', 'y', { hidden_size: 4, direction: 'reverse' })], weights: layer },
      /\(RNN\): its direction is reverse/,
    ],
    [
      'a layer both ways',
      {
        x: ['time', 1, 3],
        nodes: [op('RNN', 'x W R', 'y', { hidden_size: 4, direction: 'bidirectional' })],
        weights: { W: weight(1, 2, 4, 3), R: weight(2, 2, 4, 4) },
      },
      /\(RNN\): its direction is bidirectional/,
    ],
    [
      'a state that is computed',
      {
        x: ['time', 1, 3],
        nodes: [op('Relu', 'state', 'h0'), op('RNN', 'x W R - - h0', 'y', { hidden_size: 4 })],
        weights: layer,
        more: { state: [1, 1, 4] },
      },
      /\(RNN\): its state at the start \(input 5\) is no constant/,
    ],
    [
      'lengths',
      {
        x: ['time', 1, 3],
        nodes: [op('Cast', 'n', 'l', { to: 6 }), op('RNN', 'x W R - l', 'y', { hidden_size: 4 })],
        weights: layer,
        lists: { n: [3] },
      },
      /\(RNN\): it has sequence_lens/,
    ],
    [
      'strides in steps of one',
      { x: x3, nodes: halved.nodes, weights: halved.weights },
      /"a" \(Conv\): a step of 1 ends amid its stride: shapes must give a multiple of 4/,
    ],
  ]
  it.each(refused)('refuses %s', (_, model, words) => {
    const error = expectError(() => open(model), 'ERR_RNN_OPTION', words)
    expect(error.message).toMatch(/^along "time" cannot go through /)
  })

  it('gives the frames of a run in every graph that it takes', () => {
    let taken = 0
    for (let seed = 0; seed < 150; seed++) {
      const graph = randomGraph(seed, 'time', 24)
      const axis = graph.shape.indexOf('time')
      const shapeOf = (frames: number) => graph.shape.map((size) => (typeof size === 'string' ? frames : size))
      const x = { data: weight(seed, ...shapeOf(24)).data as Float32Array, shape: shapeOf(24) }
      for (const backend of modelBackends) {
        const model = Model.read(graph.file, { backend })
        const stream = streamOf(model, [1, 2, 4, 8].map(shapeOf))
        if (stream === undefined) break
        taken++
        const frames = stream.inputs.x.length / (x.data.length / 24)
        const { y } = model.run({ x })
        const parts = Array.from({ length: 24 / frames }, (_, i) => part(x, axis, i * frames, (i + 1) * frames))
        const steps = parts.map((one) => Float32Array.from(stream.step({ x: one }).y as Float32Array))
        const time = y.shape.findIndex((size, i) => size !== model.run({ x: part(x, axis, 0, 12) }).y.shape[i])
        const each = time < 0 ? 0 : y.shape[time] / steps.length
        const want = steps.map((_, i) => (time < 0 ? y : part(y as never, time, i * each, (i + 1) * each)))
        // Where there are no frames, what counts is the newest.
        const from = time < 0 ? steps.length - 1 : 0
        expect(steps.slice(from).map(bits), `${graph.text} on ${backend}`).toEqual(
          want.slice(from).map(({ data }) => bits(data)),
        )
      }
    }
    expect(taken).toBeGreaterThan(30 * modelBackends.length)
  })
})

/** A stream of the first shape that its strides allow; undefined where the graph is not causal. */
function streamOf(model: Model, shapes: readonly number[][]): ModelStream | undefined {
  for (const shape of shapes) {
    try {
      return model.stream({ along: 'time', shapes: { x: shape } })
    } catch (error) {
      // Of a graph that takes no single frame at all, it is the shape.
      expect((error as { code: string }).code).toMatch(/^ERR_RNN_(OPTION|SHAPE)$/)
      if (!(error as Error).message.includes('shapes must give a multiple')) return undefined
    }
  }
  return undefined
}
