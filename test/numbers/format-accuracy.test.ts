/** What fewer bytes a weight cost on trained models: the bounds that `npm run accuracy` is held to. */
import { describe, expect, it } from 'vitest'
import { digits } from '../../scripts/accuracy/digits.mjs'
import { silero } from '../../scripts/accuracy/silero.mjs'
import { nativeBackends } from '../support/backends.ts'
import { whyNotFetched } from '../support/fetched.ts'

const int8 = { weights: 'int8', activations: 'int8' } as const
const changes = (a: ArrayLike<unknown>, b: ArrayLike<unknown>) => Array.from(a).filter((one, i) => one !== b[i]).length

describe.each(nativeBackends)('digits on %s', (backend) => {
  it('keeps 998 of 1,000 predictions with int8 × int8, and all with halves', () => {
    const { run } = digits()
    const plain = run({ backend })
    expect(plain.decisions).toHaveLength(1000)
    expect(changes(run({ ...int8, backend }).decisions, plain.decisions)).toBeLessThanOrEqual(2)
    expect(changes(run({ weights: 'f16', backend }).decisions, plain.decisions)).toBe(0)
    expect(changes(run({ weights: 'bf16', backend }).decisions, plain.decisions)).toBe(0)
  })
})

const missing = whyNotFetched()

describe.skipIf(missing).each(nativeBackends)('a minute of speech on %s', (backend) => {
  const of = (version: number) => silero(1).find(({ name }) => name.startsWith(`Silero VAD ${version}`))!

  it.each([
    ['f16', 6],
    ['f16', 5],
    ['int8', 5],
  ] as const)('%s changes no decision of Silero VAD %i', (weights, version) => {
    const { run } = of(version)
    const plain = run({ backend })
    expect(new Set(Array.from(plain.decisions)).size).toBe(2)
    expect(changes(run({ weights, backend }).decisions, plain.decisions)).toBe(0)
  })
})
