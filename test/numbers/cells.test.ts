/** Every cell against a loop of a few plain lines in float64, written from the equations and sharing nothing with the library. */
import { GRU, LSTM, RNN, type Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'

type Matrix = number[][]
type Weights = Record<string, Tensor>

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const times = (matrix: Matrix, vector: number[]) =>
  matrix.map((row) => row.reduce((sum, w, k) => sum + w * vector[k], 0))
// Asked for at every step of a loop, so made once.
const made = new WeakMap<Tensor, unknown>()
const nested = (tensor: Tensor) => {
  if (!made.has(tensor)) made.set(tensor, tensor.toNested())
  return made.get(tensor)
}
const matrix = (weights: Weights, name: string) => nested(weights[`${name}_l0`]) as Matrix
const vector = (weights: Weights, name: string) => nested(weights[`${name}_l0`]) as number[]
const affine = (weights: Weights, part: 'ih' | 'hh', x: number[]) => {
  const bias = vector(weights, `bias_${part}`)
  return times(matrix(weights, `weight_${part}`), x).map((sum, i) => sum + bias[i])
}

interface State {
  h: number[]
  c: number[]
}
type Step = (weights: Weights, x: number[], state: State) => State

const elman =
  (f: (x: number) => number): Step =>
  (weights, x, { h, c }) => {
    const a = affine(weights, 'ih', x)
    const b = affine(weights, 'hh', h)
    return { h: a.map((sum, j) => f(sum + b[j])), c }
  }

const gru: Step = (weights, x, { h, c }) => {
  const H = h.length
  const a = affine(weights, 'ih', x)
  const b = affine(weights, 'hh', h)
  return {
    c,
    h: h.map((old, j) => {
      const r = sigmoid(a[j] + b[j])
      const z = sigmoid(a[H + j] + b[H + j])
      const n = Math.tanh(a[2 * H + j] + r * b[2 * H + j])
      return (1 - z) * n + z * old
    }),
  }
}

const gruBefore: Step = (weights, x, { h, c }) => {
  const H = h.length
  const a = affine(weights, 'ih', x)
  const b = affine(weights, 'hh', h)
  const r = h.map((_, j) => sigmoid(a[j] + b[j]))
  const reset = affine(
    weights,
    'hh',
    h.map((old, j) => r[j] * old),
  )
  return {
    c,
    h: h.map((old, j) => {
      const z = sigmoid(a[H + j] + b[H + j])
      return (1 - z) * Math.tanh(a[2 * H + j] + reset[2 * H + j]) + z * old
    }),
  }
}

const lstm: Step = (weights, x, { h, c }) => {
  const H = c.length
  const a = affine(weights, 'ih', x)
  const b = affine(weights, 'hh', h)
  const peephole = (name: string) => (weights[`${name}_l0`] ? vector(weights, name) : new Array(H).fill(0))
  const [ci, cf, co] = ['weight_ci', 'weight_cf', 'weight_co'].map(peephole)
  const next = c.map((old, j) => {
    const i = sigmoid(a[j] + b[j] + ci[j] * old)
    const f = sigmoid(a[H + j] + b[H + j] + cf[j] * old)
    return f * old + i * Math.tanh(a[2 * H + j] + b[2 * H + j])
  })
  const out = next.map((value, j) => sigmoid(a[3 * H + j] + b[3 * H + j] + co[j] * value) * Math.tanh(value))
  return { c: next, h: weights.weight_hr_l0 ? times(matrix(weights, 'weight_hr'), out) : out }
}

const I = 6
const kinds = [
  ['RNN with tanh', (H: number) => new RNN(I, H, { seed: H }), elman(Math.tanh), {}],
  ['RNN with relu', (H: number) => new RNN(I, H, { seed: H }), elman((x) => Math.max(0, x)), { nonlinearity: 'relu' }],
  ['GRU', (H: number) => new GRU(I, H, { seed: H }), gru, {}],
  ['GRU with the reset before', (H: number) => new GRU(I, H, { seed: H }), gruBefore, { resetAfter: false }],
  ['LSTM', (H: number) => new LSTM(I, H, { seed: H }), lstm, {}],
  ['LSTM with projection', (H: number) => new LSTM(I, H, { seed: H, projSize: Math.ceil(H / 3) }), lstm, {}],
  ['LSTM with peepholes', (H: number) => new LSTM(I, H, { seed: H, peepholes: true }), lstm, {}],
  ['LSTM with both', (H: number) => new LSTM(I, H, { seed: H, peepholes: true, projSize: H - 1 }), lstm, {}],
] as const

describe.each(backends)('on %s', (backend) => {
  // Native state is float32 all along; the fallback's is rounded once a step.
  const bound = backend === 'typescript' ? 1e-6 : 1e-5

  it.each(kinds)('%s is what its equations say', (_, make, step, options) => {
    for (const H of [2, 3, 8, 17, 40]) {
      const model = make(H)
      const weights = model.stateDict()
      const Layer = model.constructor as typeof LSTM
      const layer = Layer.fromStateDict(weights, { ...options, backend })
      const T = 20
      const frames = Array.from({ length: T }, (_, t) =>
        Array.from({ length: I }, (_, k) => Math.fround(2 * Math.sin(7 * t + 3 * k + H))),
      )
      const O = (model as LSTM).projSize || H
      let state: State = {
        h: Array.from({ length: O }, (_, j) => Math.fround(Math.cos(j))),
        c: Array.from({ length: H }, (_, j) => Math.fround(3 * Math.cos(2 * j))),
      }
      const begin = { h0: [state.h], ...(model instanceof LSTM && { c0: [state.c] }) }
      const { output, cn } = layer.forward(frames, begin)
      frames.forEach((x, t) => {
        state = step(weights, x, state)
        state.h.forEach((value, j) => {
          expect(Math.abs(output.data[t * O + j] - value), `H ${H}, t ${t}, unit ${j}`).toBeLessThan(
            bound * (1 + Math.abs(value)),
          )
        })
      })
      if (cn)
        for (const [j, value] of state.c.entries())
          expect(Math.abs(cn.data[j] - value)).toBeLessThan(bound * (1 + Math.abs(value)))
    }
  })

  it('an LSTM whose cell state passes 39 stays within 1e-4 of float64', () => {
    const model = new LSTM(4, 128, { seed: 3 })
    const weights = model.stateDict()
    // Forget gates open, input gates open, so that the cell state piles up.
    weights.bias_ih_l0.data.fill(6, 0, 256)
    const layer = LSTM.fromStateDict(weights, { backend })
    const frames = Array.from({ length: 150 }, (_, t) =>
      Array.from({ length: 4 }, (_, k) => Math.fround(4 + Math.sin(t * (k + 1)))),
    )
    const { output, cn } = layer.forward(frames)
    let state: State = { h: new Array(128).fill(0), c: new Array(128).fill(0) }
    for (const [t, x] of frames.entries()) {
      state = lstm(weights, x, state)
      const errors = state.h.map((value, j) => Math.abs(output.data[t * 128 + j] - value))
      expect(Math.max(...errors)).toBeLessThan(1e-4)
    }
    expect(Math.max(...cn.data.map(Math.abs))).toBeGreaterThan(39)
    for (const [j, value] of state.c.entries())
      expect(Math.abs(cn.data[j] - value)).toBeLessThan(1e-4 * Math.abs(value))
  })
})
