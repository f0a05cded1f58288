/** `fromKeras` against real Keras, against tfjs, and against the formulas of Keras's documentation. */
import { readFileSync } from 'node:fs'
import { type BackendName, fromKeras, GRU, type KerasConfig, type KerasType, LSTM, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { recordedOfKeras } from '../docs/files.ts'
import { backends } from '../support/backends.ts'

const keras = recordedOfKeras()
const recorded = (file: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/keras/${file}`, import.meta.url), 'utf8'))
const configs: Record<string, KerasConfig> = recorded('configs.json')

const weightsOf = (name: string) =>
  Array.from({ length: 6 }, (_, at) => keras[`${name}.${at}`]).filter((weight) => weight !== undefined)
const typeOf = (name: string): KerasType =>
  name.startsWith('rnn') ? 'SimpleRNN' : name.startsWith('gru') ? 'GRU' : 'LSTM'
/** Its rows in the order in which Keras's backward layers give them. */
function turned({ data, shape: [, T, H] }: Tensor): Float32Array {
  return data.map((_, at) => {
    const [b, t, j] = [Math.floor(at / T / H), Math.floor(at / H) % T, at % H]
    return data[(b * T + T - 1 - t) * H + j]
  })
}
const names = Object.keys(configs).filter((name) => name !== 'lstm-masked')

function expectClose(came: Float32Array, wanted: Float32Array): void {
  expect(came).toHaveLength(wanted.length)
  const differences = came.map((value, i) => Math.abs(value - wanted[i]))
  expect(Math.max(...differences)).toBeLessThan(1e-6)
}

describe.each(backends)('on %s', (backend) => {
  it.each(names)("has Keras's output and states, by its weights and whole config: %s", (name) => {
    const type = typeOf(name)
    const config = configs[name]
    const layer = fromKeras({ type, weights: weightsOf(name), config }, { batchFirst: true, backend }) as LSTM
    expect(layer).toBeInstanceOf({ SimpleRNN: RNN, GRU, LSTM }[type as 'GRU'])
    const { output, hn, cn } = layer.forward(keras[`${name}.x`])
    const wanted = keras[`${name}.y`]
    expectClose(output.data, name.includes('backwards') ? turned(wanted) : wanted.data)
    const cells = type === 'LSTM' ? 2 : 1
    const state = (of: number) => {
      const places = layer.bidirectional ? [of, cells + of] : [of]
      return Float32Array.from(places.flatMap((at) => [...keras[`${name}.state${at}`].data]))
    }
    expectClose(hn.data, state(0))
    if (type === 'LSTM') expectClose(cn.data, state(1))
  })

  it.each(['rnn', 'lstm', 'lstm-no-bias', 'gru', 'gru-before', 'lstm-bidirectional', 'gru-bidirectional'])(
    'needs no config for what has the defaults: %s',
    (name) => {
      const layer = fromKeras({ type: typeOf(name), weights: weightsOf(name) }, { batchFirst: true, backend })
      expectClose(layer.forward(keras[`${name}.x`]).output.data, keras[`${name}.y`].data)
    },
  )

  it.each(['lstm', 'gru', 'lstm-bidirectional', 'gru-bidirectional'])('reads CuDNN’s layout: %s', (name) => {
    const type = `CuDNN${typeOf(name)}` as KerasType
    const weights = weightsOf(name).map((weight, at) => cudnn(weight, at % 3, type === 'CuDNNLSTM' ? 4 : 3))
    const layer = fromKeras({ type, weights }, { batchFirst: true, backend })
    expectClose(layer.forward(keras[`${name}.x`]).output.data, keras[`${name}.y`].data)
  })

  it.each(['gru-before', 'lstm'])('reads three arrays a gate, as Keras 1 has them: %s', (name) => {
    const type = typeOf(name)
    const order = type === 'LSTM' ? [0, 2, 1, 3] : [0, 1, 2] // i c f o; z r h
    const weights = order.flatMap((gate) => weightsOf(name).map((weight) => columnsOf(weight, gate, order.length)))
    const config = {
      output_dim: 5,
      inner_activation: 'sigmoid',
      activation: 'tanh',
      dropout_W: 0.5,
      consume_less: 'cpu',
    }
    const layer = fromKeras({ type, weights, config }, { batchFirst: true, backend })
    expectClose(layer.forward(keras[`${name}.x`]).output.data, keras[`${name}.y`].data)
    const twice = fromKeras({ type, weights: [...weights, ...weights], config }, { batchFirst: true, backend })
    expect(twice.bidirectional).toBe(true)
    expectClose(twice.forward(keras[`${name}.x`]).hn.data.subarray(0, 10), keras[`${name}.state0`].data)
  })

  it.each(Object.keys(tfjs.cases))("has tfjs's output, by its weights and config: %s", (name) => {
    const { type, config, weights, x, y } = tfjs.cases[name]
    const layer = fromKeras({ type, weights, config }, { batchFirst: true, backend })
    expectClose(layer.forward(x).output.data, Tensor.from(y).data)
  })

  it('has a mask at the end as lengths: the same states, and zeros where Keras repeats the last output', () => {
    const { 'lstm-masked.x': x, 'lstm-masked.y': y, 'lstm-masked.lengths': lengths } = keras
    const options = { batchFirst: true, backend }
    const layer = fromKeras({ type: 'LSTM', weights: weightsOf('lstm-masked') }, options)
    const { output, hn, cn } = layer.forward(x, { lengths: [...lengths.data] })
    expectClose(hn.data, keras['lstm-masked.state0'].data)
    expectClose(cn.data, keras['lstm-masked.state1'].data)
    const [B, T, H] = y.shape
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++) {
        const at = (b * T + t) * H
        const last = (b * T + lengths.data[b] - 1) * H
        const past = t >= lengths.data[b]
        expectClose(output.data.subarray(at, at + H), past ? new Float32Array(H) : y.data.subarray(at, at + H))
        if (past) expect(y.data.subarray(at, at + H)).toEqual(y.data.subarray(last, last + H))
      }
    }
  })
})

/** A gate's columns of Keras's kernel or bias. */
function columnsOf({ data, shape }: Tensor, gate: number, gates: number): Tensor {
  const all = shape[shape.length - 1]
  const H = all / gates
  const rows = data.length / all
  const own = data.filter((_, at) => Math.floor((at % all) / H) === gate)
  return new Tensor(own, shape.length === 1 ? [H] : [rows, H])
}

/** One of Keras's arrays in CuDNN's layout, as Keras describes it: per gate, kernels between C and Fortran order, recurrent kernels transposed. */
function cudnn({ data, shape }: Tensor, which: number, gates: number): Tensor {
  const columns = shape[shape.length - 1]
  const H = columns / gates
  if (which === 2) {
    // An LSTM's bias stands for a sum of two; halves of it are two such.
    const halves = gates === 3 ? data : Float32Array.from([...data.map((v) => v * 0.25), ...data.map((v) => v * 0.75)])
    return new Tensor(halves, [2 * columns])
  }
  const K = shape[0]
  const to = new Float32Array(data.length)
  for (let gate = 0; gate < gates; gate++) {
    for (let n = 0; n < K * H; n++) {
      // The n-th value in Fortran's order becomes the n-th in C's order; or rows become columns.
      const [i, j] = [n % K, Math.floor(n / K)]
      const [row, column] = which === 0 ? [Math.floor(n / H), n % H] : [j, i]
      to[row * columns + gate * H + column] = data[i * columns + gate * H + j]
    }
  }
  return new Tensor(to, [K, columns])
}

type Tfjs = { type: KerasType; config: KerasConfig; weights: number[][]; x: number[][][]; y: number[][][] }
const tfjs: { version: string; cases: Record<string, Tfjs> } = recorded('tfjs.json')

/** One step of one row by the formulas that Keras documents, on its own arrays: what the table of the page says. */
type Step = (x: readonly number[], h: number[], c: number[], weights: Tensor[]) => { h: number[]; c: number[] }

type Scalar = (x: number) => number
const sigmoid: Scalar = (value) => 1 / (1 + Math.exp(-value))
/** vector · matrix + row of the bias, cut into gates of H. */
function gates(vector: readonly number[], matrix: Tensor, bias: Float32Array | undefined, H: number): number[][] {
  const columns = matrix.shape[1]
  const sums = Array.from({ length: columns }, (_, j) =>
    vector.reduce((sum, value, k) => sum + value * matrix.data[k * columns + j], bias?.[j] ?? 0),
  )
  return Array.from({ length: columns / H }, (_, gate) => sums.slice(gate * H, (gate + 1) * H))
}

const lstm =
  (sigmoid: Scalar, tanh: Scalar): Step =>
  (x, h, c, [kernel, recurrent, bias]) => {
    const H = h.length
    const ofInput = gates(x, kernel, bias.data, H)
    const ofState = gates(h, recurrent, undefined, H)
    const [i, f, g, o] = ofInput.map((gate, at) => gate.map((value, unit) => value + ofState[at][unit]))
    const next = c.map((value, unit) => sigmoid(f[unit]) * value + sigmoid(i[unit]) * tanh(g[unit]))
    return { h: next.map((value, unit) => sigmoid(o[unit]) * tanh(value)), c: next }
  }

const gru =
  (resetAfter: boolean, sigmoid: Scalar, tanh: Scalar): Step =>
  (x, h, c, [kernel, recurrent, bias]) => {
    const H = h.length
    const [xz, xr, xh] = gates(x, kernel, bias.data.subarray(0, 3 * H), H)
    const stateBias = resetAfter ? bias.data.subarray(3 * H) : undefined
    const [hz, hr, hh] = gates(h, recurrent, stateBias, H)
    const z = xz.map((value, unit) => sigmoid(value + hz[unit]))
    const r = xr.map((value, unit) => sigmoid(value + hr[unit]))
    const reset = h.map((value, unit) => r[unit] * value)
    const product = resetAfter ? hh.map((value, unit) => r[unit] * value) : gates(reset, recurrent, undefined, H)[2]
    const candidate = xh.map((value, unit) => tanh(value + product[unit]))
    return { h: h.map((value, unit) => z[unit] * value + (1 - z[unit]) * candidate[unit]), c }
  }

const hard =
  (slope: number): Scalar =>
  (x) =>
    Math.min(1, Math.max(0, slope * x + 0.5))
/** Keras's activations that a layer can have. */
const scalars: Record<string, Scalar> = {
  tanh: Math.tanh,
  sigmoid,
  relu: (x) => Math.max(0, x),
  linear: (x) => x,
  hard_sigmoid: hard(0.2),
  elu: (x) => (x < 0 ? Math.expm1(x) : x),
  softsign: (x) => x / (1 + Math.abs(x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
  leaky_relu: (x) => (x < 0 ? 0.2 * x : x),
}
const simple =
  (tanh: Scalar): Step =>
  (x, h, c, [kernel, recurrent, bias]) => {
    const [ofInput] = gates(x, kernel, bias?.data, h.length)
    const [ofState] = gates(h, recurrent, undefined, h.length)
    return { h: ofInput.map((value, unit) => tanh(value + ofState[unit])), c }
  }

describe.each(backends)("Keras's formulas with every activation, on %s", (backend: BackendName) => {
  const pairs = Object.keys(scalars).flatMap((activation) => [
    [activation, 'sigmoid'],
    ['tanh', activation],
    [activation, 'hard_sigmoid'],
  ])
  it.each(pairs)('%s, in gates %s', (activation, recurrent_activation) => {
    const [act, gate] = [scalars[activation], scalars[recurrent_activation]]
    const cases = [
      ['SimpleRNN', 'rnn', simple(act), {}],
      ['GRU', 'gru', gru(true, gate, act), { reset_after: true }],
      ['GRU', 'gru-before', gru(false, gate, act), { resetAfter: false }],
      ['LSTM', 'lstm', lstm(gate, act), { useBias: true }],
    ] as const
    for (const [type, name, step, more] of cases) {
      const weights = weightsOf(name)
      const x = keras[`${name}.x`]
      const [, T, I] = x.shape
      const H = weights[1].shape[0]
      const frames = Array.from({ length: T }, (_, t) => x.data.subarray(t * I, (t + 1) * I))
      const gates = type === 'SimpleRNN' ? {} : { recurrent_activation }
      const forward = fromKeras({ type, weights, config: { units: H, activation, ...gates, ...more } }, { backend })
      const backward = fromKeras(
        { type, weights, config: { units: H, activation, ...gates, ...more, goBackwards: true } },
        { backend },
      )
      let state = { h: new Array<number>(H).fill(0), c: new Array<number>(H).fill(0) }
      const wanted = frames.flatMap((frame) => {
        state = step([...frame], state.h, state.c, weights)
        return state.h
      })
      expectClose(forward.forward(frames).output.data, Float32Array.from(wanted))
      // What runs from the last step to the first has the same numbers on frames turned around, each at its own time.
      const { output, hn } = backward.forward(frames.toReversed())
      const steps = Array.from({ length: T }, (_, t) => [...output.data.subarray(t * H, (t + 1) * H)])
      expectClose(Float32Array.from(steps.toReversed().flat()), Float32Array.from(wanted))
      expectClose(hn.data, Float32Array.from(state.h))
    }
  })
})

describe('the formulas above give what Keras gives', () => {
  it.each([
    ['lstm', lstm(sigmoid, Math.tanh)],
    ['gru', gru(true, sigmoid, Math.tanh)],
    ['gru-before', gru(false, sigmoid, Math.tanh)],
    ['gru-hard', gru(true, hard(1 / 6), scalars.elu)],
    ['gru-before-hard', gru(false, hard(1 / 6), scalars.softplus)],
    ['lstm-hard', lstm(hard(1 / 6), scalars.leaky_relu)],
    ['lstm-linear', lstm(sigmoid, scalars.linear)],
  ] as const)('%s', (name, step) => {
    const weights = weightsOf(name)
    const { [`${name}.x`]: x, [`${name}.y`]: y } = keras
    const [B, T, I] = x.shape
    const H = y.shape[2]
    for (let b = 0; b < B; b++) {
      let state = { h: new Array<number>(H).fill(0), c: new Array<number>(H).fill(0) }
      for (let t = 0; t < T; t++) {
        const frame = [...x.data.subarray((b * T + t) * I, (b * T + t + 1) * I)]
        state = step(frame, state.h, state.c, weights)
        expectClose(Float32Array.from(state.h), y.data.subarray((b * T + t) * H, (b * T + t + 1) * H))
      }
    }
  })
})
