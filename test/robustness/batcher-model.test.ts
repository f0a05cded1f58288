/** The batcher held against plain streams one after the other: any calls in any order, and again from every place where foreign code runs. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { type Act, kinds, type Point, points, type Reentry, signals, World } from '../support/batcher-world.ts'

const runs = Number(process.env.BATCHER_MODEL_RUNS ?? 30)

const weighted = fc.oneof(
  { weight: 6, arbitrary: fc.constant('step' as const) },
  { weight: 8, arbitrary: fc.constantFrom(...kinds) },
)
const act: fc.Arbitrary<Act> = fc.record({
  kind: weighted.filter((kind) => kind !== 'closeBatcher' && kind !== 'dispose'),
  which: fc.nat(40),
  value: fc.nat(1000),
  signal: fc.constantFrom(...signals),
})
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 30, arbitrary: act },
  { weight: 1, arbitrary: act.map((one) => ({ ...one, kind: one.value % 2 ? 'closeBatcher' : 'dispose' }) as Act) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        act,
        deep: fc.nat(60),
        kind: fc.constantFrom('step', 'run', 'open', 'close', 'reset', 'replace', 'abort'),
      })
      .map(({ act, deep, kind }) => ({ ...act, deep, kind }) as Act),
  },
)
const reentry: fc.Arbitrary<Reentry> = fc.record({
  at: fc.constantFrom<Point>(...points),
  acts: fc.array(anyAct, { minLength: 1, maxLength: 4 }),
  throws: fc.boolean(),
})

/** One call, and what the next places do. */
class Call implements fc.AsyncCommand<object, World> {
  readonly act: Act
  readonly script: readonly Reentry[]
  readonly wait: string

  constructor(act: Act, script: readonly Reentry[], wait: string) {
    this.act = act
    this.script = script
    this.wait = wait
  }
  check() {
    return true
  }
  async run(_: object, world: World) {
    world.plan(this.script)
    world.act(this.act)
    if (this.wait === 'microtask') await undefined
    if (this.wait === 'turn') await new Promise(setImmediate)
    if (this.wait === 'drain') await world.batcher.drain()
  }
  toString() {
    return JSON.stringify({ act: this.act, script: this.script, wait: this.wait })
  }
}

const calls = fc.commands(
  [
    fc
      .tuple(
        anyAct,
        fc.array(reentry, { maxLength: 3 }),
        fc.constantFrom('no', 'no', 'no', 'microtask', 'turn', 'drain'),
      )
      .map(([act, script, wait]) => new Call(act, script, wait)),
  ],
  { maxCommands: 40, size: 'max' },
)
const options = fc.record({
  maxBatch: fc.integer({ min: 1, max: 5 }),
  maxQueue: fc.constantFrom(2, 5, 1000),
  maxDelayMs: fc.constantFrom(0, 0, 0, 1),
  idleMs: fc.constantFrom(0, 0, 1, 3),
})

describe.each(backends)('a batcher on %s', (backend) => {
  it('does what lone streams do, whatever is called, from wherever', async () => {
    const sum = { runs: 0, acts: 0, reentries: 0, steps: 0, evicted: 0 }
    const reached = new Set<Point>()
    await fc.assert(
      fc.asyncProperty(options, calls, async (options, commands) => {
        const world = new World(backend, options, 4)
        try {
          await fc.asyncModelRun(() => ({ model: {}, real: world }), commands)
        } finally {
          await world.finish()
        }
        sum.runs++
        for (const key of ['acts', 'reentries', 'steps', 'evicted'] as const) sum[key] += world.counts[key]
        for (const point of world.reached) reached.add(point)
      }),
      { numRuns: runs },
    )
    expect([...reached].sort()).toEqual([...points].sort())
    if (process.env.BATCHER_MODEL_RUNS) console.log(backend, JSON.stringify(sum))
  }, 3_600_000)
})
