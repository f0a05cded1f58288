/** Initial weights: one seed gives one network on every backend, in the ranges of PyTorch. */
import { Embedding, GRU, Linear, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'

type AnyClass = new (inputSize: unknown, hiddenSize: unknown, options?: unknown) => RNN | GRU | LSTM
const classes = { RNN, GRU, LSTM } as unknown as Record<string, AnyClass>

describe.each(Object.entries(classes))('%s', (_, Layer) => {
  it('makes the same weights of the same seed, others of another, all within 1/√H', () => {
    const weights = (seed?: number) => new Layer(5, 16, { numLayers: 2, bidirectional: true, seed }).stateDict()
    expect(weights(7)).toEqual(weights(7))
    expect(weights(8)).not.toEqual(weights(7))
    expect(weights()).not.toEqual(weights())
    expect(weights(-7)).not.toEqual(weights(7))
    expect(weights(7 + 2 ** 32)).not.toEqual(weights(7))
    const all = Object.values(weights(7)).flatMap((tensor) => [...tensor.data])
    const bound = Math.fround(1 / Math.sqrt(16))
    expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(bound)
    expect(Math.max(...all)).toBeGreaterThan(0.98 * bound)
    expect(Math.min(...all)).toBeLessThan(-0.98 * bound)
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length
    expect(Math.abs(mean)).toBeLessThan(0.02 * bound)
  })

  it('makes the same weights of a seed on every backend', () => {
    const dicts = backends.map((backend) => new Layer(5, 7, { seed: 3, backend }).stateDict())
    for (const dict of dicts) expect(dict).toEqual(dicts[0])
  })
})

describe('Linear and Embedding', () => {
  it('make the same weights of the same seed, in their ranges', () => {
    expect(new Linear(9, 5, { seed: 1 }).stateDict()).toEqual(new Linear(9, 5, { seed: 1 }).stateDict())
    const linear = Object.values(new Linear(9, 500, { seed: 1 }).stateDict()).flatMap((tensor) => [...tensor.data])
    expect(Math.max(...linear.map(Math.abs))).toBeLessThanOrEqual(1 / 3 + 1e-7)
    expect(new Embedding(9, 5, { seed: 1 }).stateDict()).toEqual(new Embedding(9, 5, { seed: 1 }).stateDict())
    const table = new Embedding(100, 100, { seed: 1 }).stateDict().weight.data
    const variance = table.reduce((sum, value) => sum + value * value, 0) / table.length
    expect(variance).toBeGreaterThan(0.95)
    expect(variance).toBeLessThan(1.05)
  })
})

describe('initial weights', () => {
  it.each(backends)('are the same for one seed on %s as everywhere', (backend) => {
    for (const seed of [0, 7, -5, 2 ** 53 - 1]) {
      const drawn = (backend: (typeof backends)[number]) => [
        ...Object.entries(new LSTM(37, 29, { seed, backend, bidirectional: true, peepholes: true }).stateDict()),
        ...Object.entries(new Linear(37, 29, { seed, backend }).stateDict()),
      ]
      expect(drawn(backend)).toEqual(drawn('typescript'))
    }
  })
})
