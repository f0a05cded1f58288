// The activations of every backend against double precision, over a dense walk of all finite floats.

import { type Activation, LSTM, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'

const rows = 1 << 16
/** Odd, so that every low bit pattern is met; coarser for what is a few operations on those before. */
const stride = 2039
const coarse = 65_521

// With one unit, W_ih = 1 and W_hh = 0, h' is f(x) itself.
function layerOf(nonlinearity: Activation) {
  return (backend: (typeof backends)[number]) => tanhLayer(backend, nonlinearity)
}

function tanhLayer(backend: (typeof backends)[number], nonlinearity: Activation = 'tanh') {
  const layer = RNN.fromStateDict({ weight_ih_l0: [[1]], weight_hh_l0: [[0]] }, { backend, nonlinearity })
  return (x: Float32Array) => layer.forward(new Tensor(x, [1, x.length, 1]), { returnOutput: false }).hn.data
}

// With g = tanh(100) = 1 and c = 0, c' is the input gate, sigmoid(x), itself.
function sigmoidLayer(backend: (typeof backends)[number]): (x: Float32Array) => Float32Array {
  const layer = LSTM.fromStateDict(
    {
      weight_ih_l0: [[1], [0], [0], [0]],
      weight_hh_l0: [[0], [0], [0], [0]],
      bias_ih_l0: [0, 0, 100, 0],
      bias_hh_l0: [0, 0, 0, 0],
    },
    { backend },
  )
  return (x) => layer.forward(new Tensor(x, [1, x.length, 1]), { returnOutput: false }).cn.data
}

/** The distance in units of the last place of the nearest float to `exact`, subnormal ones included. */
function ulps(got: number, exact: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126)
  return Math.abs(got - exact) / 2 ** (exponent - 23)
}

function worstOver(f: (x: Float32Array) => Float32Array, exact: (x: number) => number, stride: number) {
  const bits = new Uint32Array(rows)
  const x = new Float32Array(bits.buffer)
  let worst = { ulp: 0, at: 0 }
  for (let next = 0; next < 2 ** 32; ) {
    let count = 0
    for (; count < rows && next < 2 ** 32; next += stride) {
      bits[count] = next
      if (Number.isFinite(x[count]) && x[count] !== 0) count++
    }
    const y = f(x.subarray(0, count))
    for (let i = 0; i < count; i++) {
      const ulp = ulps(y[i], exact(x[i]))
      if (!(ulp <= worst.ulp)) worst = { ulp, at: x[i] }
    }
  }
  return worst
}

describe.each(backends)('%s', (backend) => {
  it.each([
    ['tanh', tanhLayer, Math.tanh, stride],
    ['sigmoid', sigmoidLayer, (x: number) => 1 / (1 + Math.exp(-x)), stride],
    // Where a general cell has it, it is the same.
    ['scaledTanh', layerOf('scaledTanh'), Math.tanh, coarse],
    // e^x − 1; and below −20 softplus is e^x.
    ['elu', layerOf('elu'), (x: number) => (x < 0 ? Math.expm1(x) : x), stride],
    ['softplus', layerOf('softplus'), (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), stride],
    ['softsign', layerOf('softsign'), (x: number) => x / (1 + Math.abs(x)), coarse],
    ['leakyRelu', layerOf('leakyRelu'), (x: number) => (x < 0 ? Math.fround(0.01) * x : x), coarse],
    [
      'hardSigmoid',
      layerOf({ name: 'hardSigmoid', alpha: 0.25 }),
      (x: number) => Math.min(Math.max(x / 4 + 0.5, 0), 1),
      coarse,
    ],
  ] as const)('computes %s within 2 ULP over all finite floats', (name, layer, exact, stride) => {
    const worst = worstOver(layer(backend), exact, stride)
    console.log(`${backend}: ${name} is off by at most ${worst.ulp.toFixed(2)} ULP, at ${worst.at}`)
    expect(worst.ulp).toBeLessThanOrEqual(2)
  })

  it('keeps NaN', () => {
    expect(tanhLayer(backend)(Float32Array.of(Number.NaN, 1))).toEqual(Float32Array.of(Number.NaN, Math.tanh(1)))
    expect(sigmoidLayer(backend)(Float32Array.of(Number.NaN))[0]).toBeNaN()
  })

  const names = [
    'tanh',
    'sigmoid',
    'relu',
    'affine',
    'leakyRelu',
    'thresholdedRelu',
    'scaledTanh',
    'hardSigmoid',
  ] as const
  it.each([...names, 'elu', 'softsign', 'softplus'] as const)(
    '%s keeps NaN, and takes infinity and ±0 as it should',
    (name) => {
      // A bound makes it the general cell, also of those that have a fast one.
      const free = tanhLayer(backend, name)
      const layer = RNN.fromStateDict(
        { weight_ih_l0: [[1]], weight_hh_l0: [[0]] },
        { backend, nonlinearity: name, clip: 3e38 },
      )
      const bounded = (x: number) => layer.forward([[x]]).hn.data[0]
      expect(free(Float32Array.of(Number.NaN))[0]).toBeNaN()
      expect(bounded(Number.NaN)).toBeNaN()
      const half = name === 'sigmoid' || name === 'hardSigmoid' ? 0.5 : name === 'softplus' ? Math.fround(Math.LN2) : 0
      const at = free(Float32Array.of(0, -0))
      for (const value of at) expect(Math.abs(value)).toBe(half)
      const [up, down] = free(Float32Array.of(Infinity, -Infinity))
      const [top, bottom] = {
        tanh: [1, -1],
        scaledTanh: [1, -1],
        sigmoid: [1, 0],
        hardSigmoid: [1, 0],
        relu: [Infinity, 0],
        thresholdedRelu: [Infinity, 0],
        softplus: [Infinity, 0],
        affine: [Infinity, -Infinity],
        leakyRelu: [Infinity, -Infinity],
        elu: [Infinity, -1],
        softsign: [Number.NaN, Number.NaN], // ∞ / ∞, as the formula says
      }[name]
      expect([up, down]).toEqual([top, bottom])
      expect(Math.abs(bounded(-Infinity))).toBeLessThanOrEqual(Math.fround(3e38))
    },
  )

  it('saturates at infinity', () => {
    expect([...tanhLayer(backend)(Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))]).toEqual([
      1, -1,
    ])
  })
})
