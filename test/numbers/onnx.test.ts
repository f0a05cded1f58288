/** ONNX nodes give ONNX’s numbers on every backend: held against the backend suite and the formulas. */
import fc from 'fast-check'
import { fromOnnxNode, GRU, LSTM, RNN, RNNError, type Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { cases, layerOf, outputsOf, worstDifference } from '../support/conformance.mjs'
import { gates, type OpType, values } from '../support/onnx-nodes.ts'
import { onnxReference } from '../support/onnx-reference.ts'

const classes = { RNN, GRU, LSTM }

interface Choice {
  opType: OpType
  direction: 'forward' | 'reverse' | 'bidirectional'
  I: number
  H: number
  bias: boolean
  peepholes: boolean
  relu: boolean
  linearBeforeReset: boolean
  seed: number
}

function madeNode({ opType, direction, I, H, bias, peepholes, relu, linearBeforeReset, seed }: Choice) {
  const D = direction === 'bidirectional' ? 2 : 1
  const G = gates[opType]
  return {
    opType,
    attributes: {
      direction,
      hidden_size: H,
      ...(opType === 'GRU' && { linear_before_reset: Number(linearBeforeReset) }),
      ...(opType === 'RNN' && relu && { activations: Array<string>(D).fill('Relu') }),
    },
    W: values(seed, D, G * H, I),
    R: values(seed + 1, D, G * H, H),
    ...(bias && { B: values(seed + 2, D, 2 * G * H) }),
    ...(opType === 'LSTM' && peepholes && { P: values(seed + 3, D, 3 * H) }),
  }
}

describe.each(backends)('%s', (backend) => {
  it.each(cases)('gives what the ONNX backend suite expects: $name', (testCase) => {
    const layer = layerOf(testCase, backend)
    expect(layer).toBeInstanceOf(classes[testCase.opType])
    expect(layer.backend).toBe(backend)
    expect(worstDifference(testCase, outputsOf(testCase, layer))).toBeLessThanOrEqual(1e-6)
  })

  it('gives what the formulas of ONNX give, over directions, options and sizes', () => {
    const choice = fc.record<Choice>({
      opType: fc.constantFrom('RNN', 'GRU', 'LSTM'),
      direction: fc.constantFrom('forward', 'reverse', 'bidirectional'),
      I: fc.integer({ min: 1, max: 5 }),
      H: fc.integer({ min: 1, max: 19 }),
      bias: fc.boolean(),
      peepholes: fc.boolean(),
      relu: fc.boolean(),
      linearBeforeReset: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1000 }),
    })
    const run = fc.property(choice, fc.integer({ min: 1, max: 6 }), (made, T) => {
      const node = madeNode(made)
      // Relu is no bound: a recurrence of gain above 1 would double each rounding at each step.
      if (made.relu)
        node.R.data.forEach((value, i) => {
          node.R.data[i] = value / made.H
        })
      const x = Array.from({ length: T }, (_, t) => [...values(made.seed + t, made.I).data])
      const { Y, h, c } = onnxReference({ ...made, ...node }, x)
      const got = fromOnnxNode(node, { backend }).forward(x) as { output: Tensor; hn: Tensor; cn?: Tensor }
      expectClose(got.output.data, Y.flat(2))
      expectClose(got.hn.data, h.flat())
      if (made.opType === 'LSTM') expectClose(got.cn!.data, c.flat())
    })
    fc.assert(run, { numRuns: 150 })
  })

  it('a reversed node runs each row from its own last step, and hn is the state after the first', () => {
    const node = madeNode({
      opType: 'LSTM',
      direction: 'reverse',
      I: 2,
      H: 5,
      bias: true,
      peepholes: true,
      relu: false,
      linearBeforeReset: false,
      seed: 4,
    })
    const layer = fromOnnxNode(node, { backend }) as LSTM
    const x = values(9, 4, 2, 2)
    const { output, hn, cn } = layer.forward(x, { lengths: [4, 2] })
    const row = (b: number, T: number) =>
      Array.from({ length: T }, (_, t) => [...x.data.subarray((t * 2 + b) * 2, (t * 2 + b) * 2 + 2)])
    for (const [b, T] of [
      [0, 4],
      [1, 2],
    ] as const) {
      const { Y, h, c } = onnxReference({ ...node, direction: 'reverse' }, row(b, T))
      for (let t = 0; t < 4; t++) {
        const got = output.data.subarray((t * 2 + b) * 5, (t * 2 + b + 1) * 5)
        expectClose(got, t < T ? Y[t][0] : [0, 0, 0, 0, 0])
      }
      expectClose(hn.data.subarray(b * 5, b * 5 + 5), h[0])
      expectClose(cn.data.subarray(b * 5, b * 5 + 5), c[0])
    }
    expect(layer.bidirectional).toBe(false)
    expect(() => layer.stream()).toThrow(RNNError)
  })
})

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>) {
  expect(got.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(got[i] - wanted[i])).toBeLessThanOrEqual(1e-5 + 1e-5 * Math.abs(wanted[i]))
  }
}
