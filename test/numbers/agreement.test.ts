/** Compiled backends against TypeScript over the whole option space: two engines that share no layout, no polynomial and no code. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compiledBackends } from '../support/backends.ts'
import { callOf, type Drawn, drawn, layerOf, tensorsOf } from '../support/networks.ts'

/** `npm test` draws this many; the variable is for longer hunts. */
const numRuns = Number(process.env.NATIVE_RNN_RUNS ?? 600)

/** The bound that the contract gives: 1e-5 + 1e-5 · |value|. relu has no ceiling, so its errors are as large as its sums were. */
function expectClose(d: Drawn, name: string, got: Float32Array, expected: Float32Array): void {
  const grows = d.kind === 'RNN' && d.variant
  const largest = grows
    ? expected.filter(Number.isFinite).reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    : 0
  for (let i = 0; i < expected.length; i++) {
    const bound = 1e-5 + 1e-5 * Math.max(Math.abs(expected[i]), largest)
    if (!(Math.abs(got[i] - expected[i]) <= bound) && !Object.is(got[i], expected[i])) {
      expect.fail(`${name}[${i}] is ${got[i]} and should be ${expected[i]}`)
    }
  }
}

describe.runIf(compiledBackends.length > 0)('compiled backends and typescript agree', () => {
  it(`over ${numRuns} random networks and calls, each on every compiled backend`, { timeout: 600_000 }, () => {
    const seen = new Set<string>()
    const property = fc.property(drawn, (d) => {
      seen.add(`${d.kind} ${d.variant} ${d.general} ${d.kind === 'LSTM' && d.projects}`)
      const { input, options } = callOf(d)
      const expected = new Map(tensorsOf(layerOf(d, 'typescript').forward(input, options)))
      for (const backend of compiledBackends) {
        const result = tensorsOf(layerOf(d, backend).forward(input, options))
        expect(result.length).toBe(expected.size)
        for (const [name, { data, shape }] of result) {
          const reference = expected.get(name)!
          expect(shape, name).toEqual(reference.shape)
          expectClose(d, `${backend}: ${name}`, data, reference.data)
        }
      }
    })
    fc.assert(property, { numRuns, seed: 20_240_607 })
    // A short run on an emulated CPU need not meet every kind.
    if (numRuns >= 100) expect(seen.size).toBe(16)
  })

  it('also where inputs are NaN, infinite, zero, subnormal or huge', { timeout: 600_000 }, () => {
    const specials = [Number.NaN, Infinity, -Infinity, 0, -0, 2 ** -149, -(2 ** -130), 1e-38]
    const property = fc.property(drawn, fc.integer({ min: 3, max: 40 }), (d, rarity) => {
      const { input, options } = callOf(d)
      // Sums without a ceiling would pass float32's range in one engine and not in the other.
      const values = d.kind === 'RNN' && d.variant ? specials : [...specials, 1e30, -1e30]
      for (let i = d.seed % rarity; i < input.data.length; i += rarity)
        input.data[i] = values[(i + d.seed) % values.length]
      const expected = new Map(tensorsOf(layerOf(d, 'typescript').forward(input, options)))
      for (const backend of compiledBackends) {
        for (const [name, { data }] of tensorsOf(layerOf(d, backend).forward(input, options))) {
          expectClose(d, `${backend}: ${name}`, data, expected.get(name)!.data)
        }
      }
    })
    fc.assert(property, { numRuns: Math.ceil(numRuns / 4), seed: 20_240_607 })
  })
})
