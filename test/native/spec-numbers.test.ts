/** A network's numbers at the border: the addon looks at each again, whoever calls it. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { availableBackends } from 'native-rnn'
import { describe, expect, it } from 'vitest'

const natives = availableBackends().filter((name) => name !== 'typescript')
const built =
  process.env.NATIVE_RNN_PATH ?? join(import.meta.dirname, '..', '..', 'build', 'Release', 'native-rnn.node')

describe.runIf(natives.length > 0)('the numbers of a specification', () => {
  const addon = createRequire(import.meta.url)(built) as {
    tables(): { usable: boolean }[]
    networkFloats(table: number, numbers: unknown[]): number
  }
  const table = addon.tables().findIndex(({ usable }) => usable)
  const fast = [4, 0, 3, 5, 0, 1, 1, 0, 0]
  const general = [9, 2, 3, 5, 0, 1, 1, 0, 0, 2.5, 1, ...Array.from({ length: 6 }, (_, i) => [i, 0.5, -1]).flat()]
  const floats = (numbers: unknown[]) => addon.networkFloats(table, numbers)
  const changed = (at: number, value: unknown) => general.with(at, value as number)

  it('are enough without functions where the cell has them built in', () => {
    expect(floats(fast)).toBeGreaterThan(0)
    expect(floats([...fast, Number.NaN, 'no'])).toBe(floats(fast))
  })

  it('have functions, a bound and input_forget where it has not', () => {
    expect(floats(general)).toBeGreaterThan(floats(fast))
    expect(floats(changed(9, Infinity))).toBe(floats(general))
    expect(floats(changed(9, 1e300))).toBe(floats(general))
    expect(() => floats(general.slice(0, 9))).toThrow('out of range')
    expect(() => floats(general.slice(0, -1))).toThrow('out of range')
  })

  it.each([
    ['a cell', 0, [-1, 11, Number.NaN, '4']],
    ['weights', 7, [-1, 4, Number.NaN]],
    ['activations', 8, [-1, 1, 2, Number.NaN]],
    ['a bound', 9, [0, -1, Number.NaN, -Infinity, undefined]],
    ['input_forget', 10, [-1, 2, Number.NaN]],
    ['a function', 11, [-1, 11, Infinity, Number.NaN, {}]],
    ['the last function', 26, [-1, 11, Number.NaN]],
    ['a factor', 12, [Infinity, -Infinity, Number.NaN, 1e39, 'x']],
    ['the last factor', 28, [Infinity, Number.NaN, -1e300]],
  ])('are refused where %s is none', (_, at, values) => {
    for (const value of values) expect(() => floats(changed(at, value)), String(value)).toThrow('out of range')
  })
})
