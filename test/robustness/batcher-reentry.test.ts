/** Every call of the package from every place where foreign code runs in the middle of a batcher, once quietly and once with a throw. */
import { describe, it } from 'vitest'
import { engines } from '../support/backends.ts'
import { type Act, kinds, points, signals, World } from '../support/batcher-world.ts'

const step = (which: number, value: number, signal: Act['signal'] = 'none'): Act => ({
  kind: 'step',
  which,
  value,
  signal,
})

describe.each(engines)('a batcher on %s', (backend) => {
  it.each(points)('goes on whatever is called from: %s', async (at) => {
    for (const kind of kinds) {
      for (const throws of [false, true]) {
        const world = new World(backend, { maxBatch: 2, maxQueue: 16 }, 4)
        const acts = [1, 2].map((which): Act => ({ kind, which, value: which + 30, signal: 'none' }))
        world.plan([1, 2, 3].map(() => ({ at, acts, throws })))
        for (let n = 0; n < 8; n++) world.act(step(n, n + 1, signals[n % signals.length]))
        world.act({ kind: 'abort', which: 3, value: 0, signal: 'none' })
        await new Promise(setImmediate)
        for (let n = 0; n < 4; n++) world.act(step(n, n + 50, signals[(n + 2) % signals.length]))
        await world.finish()
      }
    }
  })
})
