/** 1,000 live streams of one layer: through a batcher, through forwardAsync one step a call, and by Stream.step on this thread. */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { openLibrary } from './library.mjs'

const { LSTM } = await openLibrary()
const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    hidden: { type: 'string', default: '128' },
    batch: { type: 'string', default: '64,256' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const streams = Number(values.streams)
const H = Number(values.hidden)
const layer = new LSTM(H, H, { seed: 1 })
const frames = Array.from({ length: streams }, (_, s) => Float32Array.from({ length: H }, (_, i) => Math.sin(s + i)))

/** Steps done by an endless loop a stream for so long, and how long each step took from call to result. */
async function closedLoop(step, ms) {
  const latencies = []
  let running = true
  const end = performance.now() + ms
  const loop = async (s) => {
    while (running) {
      const start = performance.now()
      await step(s)
      const now = performance.now()
      latencies.push(now - start)
      if (now >= end) running = false
    }
  }
  const start = performance.now()
  await Promise.all(frames.map((_, s) => loop(s)))
  return { rate: latencies.length / ((performance.now() - start) / 1000), latencies }
}

/** Streams of one batcher. */
function batched(maxBatch) {
  const batcher = layer.batcher({ maxBatch, maxQueue: streams })
  const open = frames.map(() => batcher.open())
  return (ms) => closedLoop((s) => open[s].step(frames[s]), ms)
}

/** Streams whose states the caller keeps, each step a forwardAsync of its own; all streams at once, or one after the other. */
function separate(atOnce) {
  const states = frames.map(() => ({}))
  const step = async (s) => {
    const { output, hn, cn } = await layer.forwardAsync({ data: frames[s], shape: [1, H] }, states[s])
    states[s] = { h0: hn, c0: cn }
    return output
  }
  if (atOnce) return (ms) => closedLoop(step, ms)
  return async (ms) => {
    const latencies = []
    const start = performance.now()
    let now = start
    for (let s = 0; now < start + ms; s = (s + 1) % streams) {
      await step(s)
      const before = now
      now = performance.now()
      latencies.push(now - before)
    }
    return { rate: latencies.length / ((now - start) / 1000), latencies }
  }
}

/** Stream.step on this thread, one stream after the other; the event loop stands still meanwhile. */
function synchronous() {
  const open = frames.map(() => layer.stream())
  return async (ms) => {
    const latencies = []
    const start = performance.now()
    let now = start
    let steps = 0
    while (now < start + ms) {
      for (let s = 0; s < streams; s++) open[s].step(frames[s])
      steps += streams
      const before = now
      now = performance.now()
      latencies.push((now - before) / streams)
    }
    return { rate: steps / ((now - start) / 1000), latencies }
  }
}

const contestants = [
  ...values.batch.split(',').map((size) => ({ name: `Batcher, maxBatch ${size}`, run: batched(Number(size)) })),
  { name: 'forwardAsync, all streams at once', run: separate(true) },
  { name: 'forwardAsync, one after the other', run: separate(false) },
  { name: 'Stream.step, this thread', run: synchronous() },
].map((contestant) => ({ ...contestant, rates: [], latencies: [] }))

const ms = Number(values.seconds) * 1000
for (const { run } of contestants) await run(ms / 4)
for (let round = 0; round < Number(values.rounds); round++) {
  for (const contestant of round % 2 ? contestants.toReversed() : contestants) {
    const { rate, latencies } = await contestant.run(ms)
    contestant.rates.push(rate)
    for (const latency of latencies) contestant.latencies.push(latency)
  }
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
const sorted = (numbers) => Float64Array.from(numbers).sort()
const rows = contestants.map(({ name, rates, latencies }) => {
  const all = sorted(latencies)
  return { name, stepsPerSecond: at(sorted(rates), 0.5), p50: at(all, 0.5), p99: at(all, 0.99) }
})
if (values.json) console.log(JSON.stringify(rows))
else {
  const machine = `${cpus()[0].model}, ${availableParallelism()} processors, Node ${process.versions.node}, ${layer.backend}`
  console.log(`${streams} streams of an LSTM ${H}, ${values.rounds} rounds of ${values.seconds} s; ${machine}\n`)
  console.log('| way | steps a second | p50, ms | p99, ms |\n| --- | ---: | ---: | ---: |')
  for (const { name, stepsPerSecond, p50, p99 } of rows) {
    const rate = Math.round(stepsPerSecond).toLocaleString('en')
    console.log(`| ${name} | ${rate} | ${p50.toPrecision(3)} | ${p99.toPrecision(3)} |`)
  }
}
