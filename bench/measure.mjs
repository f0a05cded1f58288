/** Times the contestants of one shape against each other: checked first, then in rounds of alternating order. */
import { Bench } from 'tinybench'
import { makeData } from './data.mjs'
import { libraryContestant } from './library.mjs'
import { chainedLimitOf, limitOf, median, overlappedLimitOf, readAgain, streamedBytes } from './limits.mjs'
import { flops, withOut } from './shapes.mjs'
import { outName } from './table.mjs'

const tolerance = 1e-4
// Slower than this (operations a second: 0.7e9) the TypeScript backend would make the run wait for seconds a call.
const typescriptFlops = 1e9
// While a shape's figures are not steady, more rounds are run, for so many milliseconds.
const patience = 1500

/** Every contestant of the shape, loaded; those that cannot do it are left out. */
async function load(shape, data, { library, backends, rivals }) {
  const contestants = []
  const best = backends[0] ?? 'typescript'
  const native = backends.filter((name) => !(name === 'typescript' && flops(shape) > typescriptFlops))
  for (const backend of shape.best ? [best] : native) {
    contestants.push({ name: backend, ...(await libraryContestant(library, shape, data, backend)) })
  }
  for (const threads of best === 'typescript' ? [] : shape.threads) {
    const name = `${best} ×${threads}`
    contestants.push({ name, ...(await libraryContestant(library, shape, data, best, threads)) })
  }
  if (withOut(shape)) {
    contestants.push({ name: outName(best), ...(await libraryContestant(library, shape, data, best, 1, true)) })
  }
  for (const rival of rivals) {
    if (!shape.rivals.includes(rival.name)) continue
    if (rival.cells && !rival.cells.includes(shape.cell)) continue
    if (flops(shape) > (rival.maxFlops ?? Infinity)) continue
    contestants.push({ name: rival.name, ...(await rival.opened.load(shape, data)) })
  }
  return contestants
}

/**
 * How far each is from the first one; far off means that it computes something else, and timing it would say nothing. Who rounds what
 * the first one does not brings a `tolerance` of its own.
 */
export async function compare(contestants, what) {
  const expected = await contestants[0].check()
  for (const contestant of contestants) {
    const values = await contestant.check()
    let worst = values.length === expected.length ? 0 : Infinity
    for (let i = 0; i < values.length; i++) {
      const distance = Math.abs(values[i] - expected[i])
      worst = Math.max(worst, distance)
    }
    contestant.difference = worst
    if (!(worst <= (contestant.tolerance ?? tolerance))) {
      throw new Error(`${what}: ${contestant.name} is ${worst} off ${contestants[0].name}: not the same computation`)
    }
  }
}

/** So many calls that a slice of time is filled; a call that takes seconds is not repeated. */
export async function calibrate(contestant, slice) {
  await contestant.time(1)
  let calls = 1
  for (;;) {
    const ns = await contestant.time(calls)
    if (ns >= slice / 4 || calls >= 1e7) {
      contestant.calls = Math.max(1, Math.round((calls * slice) / ns))
      contestant.samples = []
      contestant.rest = ns / calls > 1e9
      if (contestant.rest) contestant.samples.push(ns / calls)
      return
    }
    calls = Math.min(calls * 64, Math.ceil(Math.max(calls * 2, ((calls * slice) / Math.max(ns, 1)) * 0.6)))
  }
}

/** Whether half of the rounds came near the best one, for what runs native code alone; a busy machine takes longer. */
function steady(contestants, probed) {
  const near = (values, best) => median(values) <= best * 1.06
  const bandwidths = Object.values(probed).map(({ bandwidth }) => bandwidth.map((value) => 1 / value))
  const timed = contestants.filter(({ name }) => name === 'onednn' || name in probed).map(({ samples }) => samples)
  return [...timed, ...bandwidths].every((values) => near(values, Math.min(...values)))
}

/** One round: each contestant once, in tinybench's hands, forwards in even rounds and backwards in odd ones. */
export async function round(contestants, odd) {
  const order = contestants.filter((contestant) => !contestant.rest)
  if (odd) order.reverse()
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true })
  for (const contestant of order) {
    bench.add(contestant.name, async () => {
      await contestant.time(Math.ceil(contestant.calls / 4))
      return { overriddenDuration: (await contestant.time(contestant.calls)) / contestant.calls / 1e6 }
    })
  }
  for (const task of await bench.run()) {
    order.find(({ name }) => name === task.name).samples.push(task.result.latency.mean * 1e6)
  }
}

/**
 * Times one shape.
 * @param session { library, backends, rivals, limits, rounds, slice }: who takes part, and for how long (slice in ns)
 * @returns medians in µs by contestant, and the limit of each ISA that was probed
 */
export async function measure(shape, session) {
  const data = makeData(shape)
  const contestants = await load(shape, data, session)
  try {
    await compare(contestants, shape.name)
    for (const contestant of contestants) await calibrate(contestant, session.slice)
    const probes = Object.entries(session.limits).filter(([isa]) => contestants.some(({ name }) => name === isa))
    const probed = Object.fromEntries(probes.map(([isa]) => [isa, { peak: [], bandwidth: [], chain: [] }]))
    const end = performance.now() + patience
    for (
      let r = 0;
      r < session.rounds || (!session.busy && !steady(contestants, probed) && performance.now() < end);
      r++
    ) {
      await round(contestants, r % 2 === 1)
      for (const [isa, limits] of probes) {
        probed[isa].peak.push(await limits.peak())
        probed[isa].chain.push(await limits.chain(shape.cell))
        probed[isa].bandwidth.push(await limits.bandwidth(streamedBytes(shape)))
      }
    }
    return result(shape, contestants, probed, session)
  } finally {
    for (const contestant of contestants) await contestant.close()
  }
}

function result(shape, contestants, probed, { busy, facts: { caches } }) {
  // Other programs only ever add time: where the machine is busy, the best round says more than the middle one.
  const pick = busy ? (values) => Math.min(...values) : median
  const pickRate = busy ? (values) => Math.max(...values) : median
  const operations = flops(shape)
  const times = {}
  for (const { name, samples, difference } of contestants) {
    const ns = pick(samples)
    times[name] = { us: ns / 1e3, best: Math.min(...samples) / 1e3, gflops: operations / ns, difference }
  }
  const limits = {}
  for (const [isa, { peak, bandwidth, chain }] of Object.entries(probed)) {
    const P = pickRate(peak)
    const weights = pickRate(bandwidth)
    const us = limitOf(shape, P, weights) / 1e3
    limits[isa] = { P, weights, us, reached: us / times[isa].us }
    limits[isa].chained = chainedLimitOf(shape, P, weights, pick(chain)) / 1e3
    limits[isa].reachedChained = limits[isa].chained / times[isa].us
    limits[isa].overlapped = overlappedLimitOf(shape, P, weights) / 1e3
    const fastest = Math.max(...bandwidth) / readAgain(streamedBytes(shape), caches)
    limits[isa].bound = overlappedLimitOf(shape, Math.max(...peak), fastest) / 1e3
  }
  return { ...shape, flops: operations, bytes: streamedBytes(shape), times, limits }
}
