/** Times the weight formats of one shape in turns, and the rivals that compute with integers of 8 bits. */
import { makeData } from '../data.mjs'
import { libraryContestant } from '../library.mjs'
import { formatBytes, formatLimitOf, median, readAgain } from '../limits.mjs'
import { calibrate, compare, round } from '../measure.mjs'
import { flops } from '../shapes.mjs'
import { integers, kinds } from './kinds.mjs'

async function load(shape, data, { library, backends, rivals }) {
  const contestants = []
  for (const { name, tolerance, precision } of kinds) {
    const into = shape.form === 'forward'
    const layer = await libraryContestant(library, shape, data, backends[0], 1, into, precision)
    contestants.push({ name, tolerance, ...layer })
  }
  for (const { name, opened } of shape.cell === 'lstm' ? rivals : []) {
    if (!opened.loadQuantized) continue
    contestants.push({ name, tolerance: integers.tolerance, ...(await opened.loadQuantized(shape, data)) })
  }
  return contestants
}

/**
 * @param session what `open` of session.mjs gives
 * @returns medians in µs by contestant, the bytes of each kind's weights, and the limit of each kind where it was probed: in µs, and in
 * GOP/s what the fastest round's rates allow
 */
export async function measureFormats(shape, session) {
  const data = makeData(shape)
  const contestants = await load(shape, data, session)
  const probe = session.limits[session.backends[0]]
  const probed = { peak: [], dots: [], bandwidth: new Map(kinds.map(({ bytes }) => [bytes, []])) }
  try {
    await compare(contestants, shape.name)
    for (const contestant of contestants) await calibrate(contestant, session.slice)
    for (let r = 0; r < session.rounds; r++) {
      await round(contestants, r % 2 === 1)
      if (probe) await takeProbes(shape, probe, probed)
    }
    return result(shape, contestants, probe && probed, session)
  } finally {
    for (const contestant of contestants) await contestant.close()
  }
}

async function takeProbes(shape, probe, { peak, dots, bandwidth }) {
  peak.push(await probe.peak())
  dots.push(await probe.dots())
  for (const [bytes, rates] of bandwidth) rates.push(await probe.bandwidth(formatBytes(shape, bytes)))
}

function result(shape, contestants, probed, { busy, facts: { caches } }) {
  const pick = busy ? (values) => Math.min(...values) : median
  const pickRate = busy ? (values) => Math.max(...values) : median
  const times = {}
  const memory = {}
  for (const { name, samples, difference, bytes } of contestants) {
    const ns = pick(samples)
    times[name] = { us: ns / 1e3, gops: flops(shape) / ns, difference }
    if (bytes) memory[name] = bytes
  }
  const limits = {}
  for (const { name, bytes, integers } of probed ? kinds : []) {
    const rates = [integers ? probed.dots : probed.peak, probed.bandwidth.get(bytes)]
    const us = formatLimitOf(shape, bytes, ...rates.map(pickRate)) / 1e3
    const [rate, bandwidth] = rates.map((values) => Math.max(...values))
    const fastest = bandwidth / readAgain(formatBytes(shape, bytes), caches)
    const bound = formatLimitOf(shape, bytes, rate, fastest) / 1e3
    limits[name] = { us, reached: us / times[name].us, bound: flops(shape) / bound / 1e3 }
  }
  return { ...shape, times, memory, limits }
}
