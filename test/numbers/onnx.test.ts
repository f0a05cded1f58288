/** ONNX nodes give ONNX’s numbers on every backend: held against the backend suite and the formulas. */
import fc from 'fast-check'
import { fromOnnxNode, GRU, LSTM, RNN, RNNError, type Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { cases, layerOf, outputsOf, worstDifference } from '../support/conformance.mjs'
import { gates, type OpType, values } from '../support/onnx-nodes.ts'
import { onnxActivations, onnxReference, type ReferenceFunction } from '../support/onnx-reference.ts'

const classes = { RNN, GRU, LSTM }

interface Choice {
  opType: OpType
  direction: 'forward' | 'reverse' | 'bidirectional'
  I: number
  H: number
  bias: boolean
  peepholes: boolean
  linearBeforeReset: boolean
  seed: number
  /** One for each function of two directions, or none: the defaults. */
  functions?: readonly ReferenceFunction[]
  clip?: number
  inputForget?: boolean
}

const functionCount = { RNN: 1, GRU: 2, LSTM: 3 }

function madeNode(choice: Choice) {
  const { opType, direction, I, H, bias, peepholes, linearBeforeReset, seed, clip, inputForget } = choice
  const D = direction === 'bidirectional' ? 2 : 1
  const G = gates[opType]
  const functions = choice.functions?.slice(0, D * functionCount[opType])
  // A list has a factor for each function that takes one, but for the last ones, which may be left to their defaults.
  const factors = (factor: 'alpha' | 'beta', own: 'a' | 'b') => {
    const taking = functions?.filter(({ name }) => onnxActivations[name][own] !== undefined) ?? []
    const last = taking.findLastIndex((one) => one[factor] !== undefined)
    return taking.slice(0, last + 1).map((one) => one[factor] ?? onnxActivations[one.name][own]!)
  }
  return {
    opType,
    attributes: {
      direction,
      hidden_size: H,
      ...(opType === 'GRU' && { linear_before_reset: Number(linearBeforeReset) }),
      ...(functions && {
        activations: functions.map(({ name }) => name),
        activation_alpha: factors('alpha', 'a'),
        activation_beta: factors('beta', 'b'),
      }),
      ...(clip !== undefined && { clip }),
      ...(opType === 'LSTM' && inputForget !== undefined && { input_forget: Number(inputForget) }),
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
      linearBeforeReset: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1000 }),
    })
    const run = fc.property(choice, fc.integer({ min: 1, max: 6 }), (made, T) => {
      const node = madeNode(made)
      const x = Array.from({ length: T }, (_, t) => [...values(made.seed + t, made.I).data])
      const { Y, h, c } = onnxReference({ ...made, ...node }, x)
      const got = fromOnnxNode(node, { backend }).forward(x) as { output: Tensor; hn: Tensor; cn?: Tensor }
      expectClose(got.output.data, Y.flat(2))
      expectClose(got.hn.data, h.flat())
      if (made.opType === 'LSTM') expectClose(got.cn!.data, c.flat())
    })
    fc.assert(run, { numRuns: 150 })
  })

  it('gives what the formulas give with any activations, factors, clip and input_forget', () => {
    const factor = fc.option(fc.constantFrom(-0.4, 0.15, 0.3, 0.7, 1.25), { nil: undefined })
    const one = fc.record<ReferenceFunction>({
      name: fc.constantFrom(...Object.keys(onnxActivations)),
      alpha: factor,
      beta: factor,
    })
    const choice = fc.record<Choice>({
      opType: fc.constantFrom('RNN', 'GRU', 'LSTM'),
      direction: fc.constantFrom('forward', 'reverse', 'bidirectional'),
      I: fc.integer({ min: 1, max: 5 }),
      H: fc.constantFrom(1, 2, 5, 8, 9, 17, 40),
      bias: fc.boolean(),
      peepholes: fc.boolean(),
      linearBeforeReset: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1000 }),
      functions: fc.array(one, { minLength: 6, maxLength: 6 }),
      clip: fc.constantFrom(undefined, undefined, 0.1, 0.75, 3),
      inputForget: fc.boolean(),
    })
    const seen = new Set<string>()
    const run = fc.property(choice, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), (made, T, B) => {
      const node = madeNode(made)
      // Most functions are no bound: a recurrence of gain above 1 would double each rounding at each step.
      for (const { data } of [node.R, node.W]) for (const i of data.keys()) data[i] /= 2 * made.H
      const rows = Array.from({ length: B }, (_, b) =>
        Array.from({ length: T }, (_, t) => [...values(made.seed + t + 10 * b, made.I).data]),
      )
      const wanted = rows.map((x) => onnxReference({ ...made, ...node }, x))
      if (wanted.some(({ closest }) => closest < 1e-4)) return
      // Gates without bounds multiply a state by itself: it squares from step to step, in five of them up to what float32 does not hold, and each
      // rounding with it.
      if (wanted.some(({ Y, c }) => [...Y.flat(2), ...c.flat()].some((value) => Math.abs(value) > 100))) return
      const layer = fromOnnxNode(node, { backend })
      const { hn, output, cn } = layer.forward(rows[0].map((_, t) => rows.map((row) => row[t]))) as {
        hn: Tensor
        output: Tensor
        cn?: Tensor
      }
      const O = output.shape[2]
      for (const [b, { Y, h, c }] of wanted.entries()) {
        const y = rows[b].flatMap((_, t) => [...output.data.subarray((t * B + b) * O, (t * B + b + 1) * O)])
        const largest = Math.max(...Y.flat(2).map(Math.abs), ...c.flat().map(Math.abs))
        expectClose(y, Y.flat(2), largest)
        const ofRow = ({ data, shape: [D, , width] }: Tensor) =>
          Array.from({ length: D }, (_, d) => [...data.subarray((d * B + b) * width, (d * B + b + 1) * width)]).flat()
        expectClose(ofRow(hn), h.flat(), largest)
        if (made.opType === 'LSTM') expectClose(ofRow(cn!), c.flat(), largest)
      }
      for (const [i, { name }] of made.functions!.entries()) {
        const D = made.direction === 'bidirectional' ? 2 : 1
        if (i < D * functionCount[made.opType]) seen.add(`${made.opType} ${i % functionCount[made.opType]} ${name}`)
      }
    })
    fc.assert(run, { numRuns: 600 })
    expect(seen.size).toBe(6 * 11)
  })

  it('a reversed node runs each row from its own last step, and hn is the state after the first', () => {
    const node = madeNode({
      opType: 'LSTM',
      direction: 'reverse',
      I: 2,
      H: 5,
      bias: true,
      peepholes: true,
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

/** `largest`: where a cell has no bound its errors are as large as what it was summed of. */
function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, largest = 0) {
  expect(got.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(got[i] - wanted[i])).toBeLessThanOrEqual(1e-5 + 1e-5 * Math.max(Math.abs(wanted[i]), largest))
  }
}
