/** Recurrent nodes of whole models where recurrent-models.test.ts has no case: layout 1, inputs left out, weights that nodes share, a scale for each column. */
import { fromOnnxNode, type LSTM, Model, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { modelBackends, modelFile } from '../support/model-files.ts'
import { gates, type OpType, values } from '../support/onnx-nodes.ts'
import { bytes, rawTensorBody } from '../support/onnx-writer.ts'

const [T, B, I, H] = [5, 3, 4, 6]

interface Given {
  readonly opType: OpType
  readonly direction: 'forward' | 'reverse' | 'bidirectional'
  readonly layout: 0 | 1
  readonly withStates: boolean
  readonly withLengths: boolean
  readonly more?: Record<string, number>
  readonly peepholes?: boolean
}

const tensor = ({ data, shape }: { data: Float32Array; shape: number[] }) => new Tensor(data, shape)

/** (A, B, …) → (B, A, …) */
function swapped({ data, shape }: Tensor): Tensor {
  const [a, b, ...rest] = shape
  const size = rest.reduce((product, one) => product * one, 1)
  const moved = new Float32Array(data.length)
  for (let i = 0; i < a; i++) {
    for (let k = 0; k < b; k++) moved.set(data.subarray((i * b + k) * size, (i * b + k + 1) * size), (k * a + i) * size)
  }
  return new Tensor(moved, [b, a, ...rest])
}

/** (T, B, D·H) → (T, D, B, H) */
function directionsApart({ data, shape }: Tensor, D: number): Tensor {
  const apart = new Float32Array(data.length)
  for (let t = 0; t < shape[0]; t++) {
    for (let b = 0; b < shape[1]; b++) {
      for (let d = 0; d < D; d++) {
        const from = ((t * shape[1] + b) * D + d) * H
        apart.set(data.subarray(from, from + H), ((t * D + d) * shape[1] + b) * H)
      }
    }
  }
  return new Tensor(apart, [shape[0], D, shape[1], H])
}

function fileOf(given: Given, weights: Record<string, { data: Float32Array; shape: number[] }>): Uint8Array {
  const { opType, direction, layout, withStates, withLengths, more } = given
  const D = direction === 'bidirectional' ? 2 : 1
  const state = { shape: layout === 1 ? ['batch', D, H] : [D, 'batch', H] }
  const isLstm = opType === 'LSTM'
  const inputs = [
    'x',
    'W',
    'R',
    'B',
    withLengths ? 'lengths' : '',
    withStates ? 'h0' : '',
    withStates && isLstm ? 'c0' : '',
    given.peepholes ? 'P' : '',
  ]
  return modelFile({
    nodes: [
      {
        opType,
        inputs,
        outputs: isLstm ? ['y', 'hn', 'cn'] : ['y', 'hn'],
        attributes: { direction, hidden_size: H, layout, ...more },
      },
    ],
    inputs: {
      x: { shape: layout === 1 ? ['batch', 'time', I] : ['time', 'batch', I] },
      ...(withLengths && { lengths: { type: 'int32', shape: ['batch'] } as const }),
      ...(withStates && { h0: state }),
      ...(withStates && isLstm && { c0: state }),
    },
    outputs: { y: {}, hn: {}, ...(isLstm && { cn: {} }) },
    weights,
  })
}

function weightsOf({ opType, direction, peepholes }: Given) {
  const D = direction === 'bidirectional' ? 2 : 1
  const G = gates[opType]
  return {
    W: values(1, D, G * H, I),
    R: values(2, D, G * H, H),
    B: values(3, D, 2 * G * H),
    ...(peepholes && { P: values(4, D, 3 * H) }),
  }
}

const cases: Given[] = (['RNN', 'GRU', 'LSTM'] as const).flatMap((opType) =>
  (['forward', 'reverse', 'bidirectional'] as const).flatMap((direction) => [
    { opType, direction, layout: 0, withStates: false, withLengths: false },
    { opType, direction, layout: 1, withStates: true, withLengths: true },
    { opType, direction, layout: 1, withStates: true, withLengths: false },
  ]),
)
cases.push(
  {
    opType: 'GRU',
    direction: 'forward',
    layout: 1,
    withStates: true,
    withLengths: false,
    more: { linear_before_reset: 1 },
  },
  { opType: 'LSTM', direction: 'forward', layout: 1, withStates: true, withLengths: true, peepholes: true },
  {
    opType: 'LSTM',
    direction: 'bidirectional',
    layout: 1,
    withStates: true,
    withLengths: true,
    more: { input_forget: 1 },
  },
)

describe.each(modelBackends)('a recurrent node on %s', (backend) => {
  it.each(cases.map((given) => [JSON.stringify(given), given] as const))('%s', (_, given) => {
    const { opType, direction, layout, withStates, withLengths } = given
    const D = direction === 'bidirectional' ? 2 : 1
    const weights = weightsOf(given)
    const attributes = { direction, hidden_size: H, ...given.more }
    const layer = fromOnnxNode({ opType, attributes, ...weights }, { backend }) as LSTM
    const lengths = withLengths ? [T, 2, 0] : undefined
    const x = tensor(values(5, T, B, I))
    const [h0, c0] = [tensor(values(6, D, B, H)), tensor(values(7, D, B, H))]
    const states = withStates ? { h0, ...(opType === 'LSTM' && { c0 }) } : {}
    const { output, hn, cn } = layer.forward(x, { ...states, lengths })

    const own = (one: Tensor) => (layout === 1 ? swapped(one) : one)
    const y = directionsApart(output, D)
    const model = Model.read(fileOf(given, weights), { backend })
    const inputs: Record<string, unknown> = { x: own(x) }
    if (withLengths) inputs.lengths = lengths
    if (withStates) inputs.h0 = own(h0)
    if (withStates && opType === 'LSTM') inputs.c0 = own(c0)
    for (let i = 0; i < 2; i++) {
      const made = model.run(inputs as never)
      // (T, D, B, H) → (B, T, D, H): rows to the front, of what has directions and rows as one axis each.
      const wanted = layout === 1 ? rowsFirst(y) : y
      expect(made.y).toEqual({ data: wanted.data, shape: [...wanted.shape] })
      expect(made.hn).toEqual({ data: own(hn).data, shape: [...own(hn).shape] })
      if (cn) expect(made.cn).toEqual({ data: own(cn).data, shape: [...own(cn).shape] })
    }
  })

  // What a run needs beside its values may be more than was planned for before the lengths were known.
  it.each([
    { rows: 65_600, steps: [2], threads: 1 },
    { rows: 2, steps: [40, 80, 120, 160, 240, 320], threads: 2 },
    { rows: 8, steps: [20, 40, 80, 160], threads: 2 },
  ])('runs $rows rows of other lengths than it was planned for', ({ rows, steps, threads }) => {
    const [inputs, units] = rows > 8 ? [2, 8] : [32, 64]
    const file = modelFile({
      nodes: [
        {
          opType: 'LSTM',
          inputs: ['x', 'W', 'R', '', 'lengths'],
          outputs: ['y', 'hn'],
          attributes: { hidden_size: units },
        },
      ],
      inputs: { x: { shape: ['time', 'batch', inputs] }, lengths: { type: 'int32', shape: ['batch'] } },
      outputs: { y: {}, hn: {} },
      weights: { W: values(1, 1, 4 * units, inputs), R: values(2, 1, 4 * units, units) },
    })
    for (const length of steps) {
      const model = Model.read(file, { backend, threads })
      const row = values(5, length, 1, inputs).data
      const x = new Float32Array(length * rows * inputs)
      for (let t = 0; t < length; t++) {
        const frame = row.subarray(t * inputs, (t + 1) * inputs)
        for (let b = 0; b < rows; b++) x.set(frame, (t * rows + b) * inputs)
      }
      const lengths = Int32Array.from({ length: rows }, (_, b) => Math.max(0, length - (b % 3)))
      const made = model.run({ x: { data: x, shape: [length, rows, inputs] }, lengths })
      const hn = made.hn.data as Float32Array
      for (const b of [0, 1, rows - 1]) {
        const alone = model.run({ x: { data: row, shape: [length, 1, inputs] }, lengths: [lengths[b]] })
        expect(hn.subarray(b * units, (b + 1) * units)).toEqual(alone.hn.data)
      }
    }
  })

  it('keeps nodes apart that share their W', () => {
    const weights = { W: values(1, 1, 3 * H, I), R: values(2, 1, 3 * H, H), other: values(3, 1, 3 * H, H) }
    const nodes = ['R', 'other', 'R'].map((R, i) => ({
      opType: 'GRU',
      inputs: ['x', 'W', R],
      outputs: [`y${i}`],
      attributes: { hidden_size: H, direction: i === 2 ? 'reverse' : 'forward' },
    }))
    const outputs = { y0: {}, y1: {}, y2: {} }
    const model = Model.read(modelFile({ nodes, inputs: { x: { shape: ['t', 'b', I] } }, outputs, weights }), {
      backend,
    })
    // A second plan finds what the first one packed.
    let packed = 0
    for (const length of [T, T + 1]) {
      const x = tensor(values(5, length, B, I))
      const made = model.run({ x })
      for (const [i, { inputs, attributes }] of nodes.entries()) {
        const R = weights[inputs[2] as 'R' | 'other']
        const layer = fromOnnxNode({ opType: 'GRU', attributes, W: weights.W, R }, { backend })
        expect(made[`y${i}`].data).toEqual(layer.forward(x).output.data)
      }
      if (packed > 0) expect(model.memory().weights).toBe(packed)
      packed = model.memory().weights
    }
  })

  it('runs a quantized LSTM as the LSTM of the decoded weights', () => {
    const quantized = (seed: number, K: number) => {
      const { data } = values(seed, K * 4 * H)
      return Int8Array.from(data, (value) => Math.round(100 * value))
    }
    const [W, R] = [quantized(1, I), quantized(2, H)]
    const [scaleW, scaleR] = [values(3, 4 * H), values(4, 1)]
    const zeroW = Int8Array.from({ length: 4 * H }, (_, i) => (i % 7) - 3)
    /** (1, K, 4·H) in steps of a scale → LSTM's (1, 4·H, K) */
    const decoded = (q: Int8Array, K: number, scale: Float32Array, zero?: Int8Array) => {
      const data = new Float32Array(q.length)
      for (let n = 0; n < 4 * H; n++) {
        const [s, z] = [scale.length === 1 ? scale[0] : scale[n], zero === undefined ? 0 : zero[n]]
        for (let k = 0; k < K; k++) data[n * K + k] = (q[k * 4 * H + n] - z) * s
      }
      return { data, shape: [1, 4 * H, K] }
    }
    const raw = (name: string, type: number, shape: number[], array: Int8Array | Float32Array) =>
      bytes(5, rawTensorBody(name, type, shape, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)))
    const bias = values(5, 1, 8 * H)
    const model = Model.read(
      modelFile({
        nodes: [
          {
            opType: 'DynamicQuantizeLSTM',
            domain: 'com.microsoft',
            inputs: ['x', 'W', 'R', 'B', '', '', '', '', 'scaleW', 'zeroW', 'scaleR', ''],
            outputs: ['y', 'hn', 'cn'],
            attributes: { hidden_size: H },
          },
        ],
        inputs: { x: { shape: ['time', 'batch', I] } },
        outputs: { y: {}, hn: {}, cn: {} },
        weights: { B: bias },
        more: [
          raw('W', 3, [1, I, 4 * H], W),
          raw('R', 3, [1, H, 4 * H], R),
          raw('scaleW', 1, [1, 4 * H], scaleW.data),
          raw('zeroW', 3, [1, 4 * H], zeroW),
          raw('scaleR', 1, [1], scaleR.data),
        ],
      }),
      { backend },
    )
    const layer = fromOnnxNode(
      { opType: 'LSTM', W: decoded(W, I, scaleW.data, zeroW), R: decoded(R, H, scaleR.data), B: bias },
      { backend },
    ) as LSTM
    const x = tensor(values(6, T, B, I))
    const { output, hn, cn } = layer.forward(x)
    const made = model.run({ x })
    expect(made.y).toEqual({ data: output.data, shape: [T, 1, B, H] })
    expect(made.hn.data).toEqual(hn.data)
    expect(made.cn.data).toEqual(cn.data)
  })
})

/** (T, D, B, H) → (B, T, D, H) */
function rowsFirst({ data, shape: [t, d, b] }: Tensor): Tensor {
  const moved = new Float32Array(data.length)
  for (let i = 0; i < t * d; i++) {
    for (let row = 0; row < b; row++)
      moved.set(data.subarray((i * b + row) * H, (i * b + row + 1) * H), (row * t * d + i) * H)
  }
  return new Tensor(moved, [b, t, d, H])
}
