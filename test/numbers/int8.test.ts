/** Weights and activations of int8 against plain loops of their definition, step by step, and sums of integers to the last bit. */
import { GRU, Linear, LSTM, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { gru, gruResetBefore, lstm, product, rnn, type Step } from '../support/integers.ts'
import { filler } from '../support/networks.ts'

const cells = {
  RNN: [RNN, {}, rnn],
  GRU: [GRU, {}, gru],
  'GRU, reset before': [GRU, { resetAfter: false }, gruResetBefore],
  LSTM: [LSTM, {}, lstm],
  'LSTM with peepholes': [LSTM, { peepholes: true }, lstm],
  'LSTM with a projection': [LSTM, { projSize: 9 }, lstm],
} as const satisfies Record<string, readonly [unknown, object, Step]>

type AnyClass = new (inputSize: number, hiddenSize: number, options: object) => RNN | GRU | LSTM

const activations = ['f32', 'int8'] as const
/** Sizes around the widths of vectors and panels, and one that no vector divides. */
const sizes = [
  [1, 1],
  [3, 10],
  [17, 33],
  [64, 64],
  [67, 131],
] as const

/** The largest difference; NaN counts. */
const apart = (got: ArrayLike<number>, want: readonly number[]) =>
  want.reduce((most, value, i) => {
    const difference = Math.abs(got[i] - value)
    return difference <= most ? most : Number.isNaN(difference) ? Infinity : difference
  }, 0)

describe.each(backends)('on %s', (backend) => {
  describe.each(activations)('int8 × %s', (kind) => {
    it.each(Object.keys(cells) as (keyof typeof cells)[])('%s follows the definition', (name) => {
      const [Layer, options, reference] = cells[name]
      for (const [I, H] of sizes) {
        if ('projSize' in options && H <= options.projSize) continue
        const make = (more: object) => new (Layer as AnyClass)(I, H, { ...options, ...more, seed: 4, backend })
        const dict = make({}).stateDict()
        const stream = make({ weights: 'int8', activations: kind }).stream()
        const fill = filler(I + H)
        for (let t = 0; t < 3; t++) {
          const { hn, cn } = stream.state() as { hn: Tensor; cn?: Tensor }
          const x = fill(I).data
          const want = reference(dict, x, hn.data, cn?.data ?? [], kind)
          stream.step(x)
          const next = stream.state() as { hn: Tensor; cn?: Tensor }
          expect(apart(next.hn.data, want.h), `h at ${t}, H = ${H}`).toBeLessThan(5e-6)
          expect(apart(next.cn?.data ?? [], want.c), `c at ${t}, H = ${H}`).toBeLessThan(5e-6)
        }
      }
    })
  })

  it.each(activations)('a Linear of int8 × %s follows the definition', (kind) => {
    const fill = filler(3)
    const [weight, bias, x] = [fill(37, 50), fill(37), fill(5, 50)]
    const linear = Linear.fromStateDict({ weight, bias }, { weights: 'int8', activations: kind, backend })
    const y = linear.forward(x)
    for (let row = 0; row < 5; row++) {
      const sums = product(weight, x.data.subarray(row * 50, (row + 1) * 50), kind)
      for (const [j, sum] of sums.entries()) expect(y.data[row * 37 + j]).toBeCloseTo(sum + bias.data[j], 4)
    }
  })

  it.each([1, 2, 3, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 1000, 1023])(
    'sums %i products of integers exactly',
    (K) => {
      const integers = filler(K)
      const whole = ({ data, shape }: Tensor) =>
        new Tensor(
          data.map((x) => Math.round(x * 63.5)),
          shape,
        )
      // A value of 127 in each row: its scale is 1.
      const [weight, x] = [whole(integers(21, K)), whole(integers(6, K))]
      for (let r = 0; r < 21; r++) weight.data[r * K + ((r * 7) % K)] = r % 2 ? 127 : -127
      for (let r = 0; r < 6; r++) x.data[r * K + ((r * 5) % K)] = r % 2 ? -127 : 127
      const y = Linear.fromStateDict({ weight }, { weights: 'int8', activations: 'int8', backend }).forward(x)
      for (let r = 0; r < 6; r++) {
        for (let n = 0; n < 21; n++) {
          let sum = 0
          for (let k = 0; k < K; k++) sum += weight.data[n * K + k] * x.data[r * K + k]
          expect(y.data[r * 21 + n]).toBe(sum)
        }
      }
    },
  )

  it('sums the largest integers exactly, and more of them than 32 bits hold', () => {
    for (const K of [64, 1024, 140_000]) {
      const weight = new Tensor(new Float32Array(3 * K).fill(127), [3, K])
      weight.data.fill(-127, K, 2 * K)
      const linear = Linear.fromStateDict({ weight }, { weights: 'int8', activations: 'int8', backend })
      for (const value of [127, -127]) {
        const y = linear.forward(new Tensor(new Float32Array(2 * K).fill(value), [2, K]))
        const sum = Math.fround(127 * value * K)
        expect([...y.data]).toEqual([sum, -sum, sum, sum, -sum, sum])
      }
    }
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'int8 × int8: %s anywhere in a row makes all its sums NaN, and no other row’s',
    (value) => {
      const layer = new GRU(5, 20, { weights: 'int8', activations: 'int8', seed: 1, backend })
      const clean = filler(2)(1, 3, 5)
      const x = new Tensor(clean.data.slice(), clean.shape)
      x.data[7] = value
      const [y, want] = [layer.forward(x).output.data, layer.forward(clean).output.data]
      expect(y.subarray(20, 40).every(Number.isNaN)).toBe(true)
      expect(y.subarray(0, 20)).toEqual(want.subarray(0, 20))
      expect(y.subarray(40)).toEqual(want.subarray(40))
    },
  )

  it('rows of zeros give the bias alone', () => {
    const bias = filler(1)(2)
    const linear = (weight: number[][]) =>
      Linear.fromStateDict({ weight, bias }, { weights: 'int8', activations: 'int8', backend })
    expect(
      linear([
        [0, 0, 0],
        [1, 2, 3],
      ]).forward([1, 1, 1]).data[0],
    ).toBe(bias.data[0])
    expect(
      linear([
        [5, 0, 1],
        [1, 2, 3],
      ]).forward([0, 0, 0]).data,
    ).toEqual(bias.data)
    // So small that their scale is 0 in float32.
    expect(
      linear([
        [1e-45, 0, 0],
        [1, 2, 3],
      ]).forward([1, 1, 1]).data[0],
    ).toBe(bias.data[0])
  })
})
