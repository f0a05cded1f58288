/** How late files and timers come while calls run beside the JavaScript thread, and while none do: `npm run responsive`. */
import { readFileSync, stat } from 'node:fs'
import { availableParallelism } from 'node:os'
import { GRU, LSTM, Tensor } from 'native-rnn'

const calls = 8
const layer = new LSTM(16, 512, { seed: 1 })
const filled = (...shape) => new Tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
const input = (T) => filled(T, 1, 16)

/** Lateness in milliseconds of timers of 5 ms, and the time of `fs.stat`, while something goes on. */
function watch() {
  const timers = []
  const stats = []
  let running = true
  const tick = (due) => {
    const now = performance.now()
    timers.push(now - due)
    if (running) setTimeout(tick, 5, now + 5)
  }
  setTimeout(tick, 5, performance.now() + 5)
  const look = () => {
    const start = performance.now()
    stat(import.meta.filename, () => {
      stats.push(performance.now() - start)
      if (running) setTimeout(look, 1)
    })
  }
  look()
  return () => {
    running = false
    return { timers, stats }
  }
}

function tell(name, values) {
  const sorted = Float64Array.from(values).sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(2)
  console.log(`| ${name} | ${sorted.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`)
  return sorted.at(-1)
}

/** Milliseconds that the JavaScript thread has had a processor; only Linux tells. */
function processorTime() {
  try {
    return readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0] / 1e6
  } catch {
    return Number.NaN
  }
}

/** So many loops beside each other, each asking again as soon as it has its answer; how long each asking took. */
async function loops(count, ms, ask) {
  const asked = []
  const used = []
  const end = performance.now() + ms
  const loop = async (index) => {
    do {
      const before = processorTime()
      const start = performance.now()
      const answer = ask(index)
      asked.push(performance.now() - start)
      used.push(processorTime() - before)
      await answer
    } while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: count }, (_, index) => loop(index)))
  return { asked, used }
}

let quickest = Infinity
for (let i = 0; i < 5; i++) {
  const start = performance.now()
  layer.forward(input(500))
  quickest = Math.min(quickest, performance.now() - start)
}
const T = Math.round((500 * 1000) / quickest)
const x = input(T)

let stop = watch()
await new Promise((resolve) => setTimeout(resolve, 4000))
const quiet = stop()

stop = watch()
const from = performance.now()
await Promise.all(Array.from({ length: calls }, () => layer.forwardAsync(x, { returnOutput: false })))
const seconds = (performance.now() - from) / 1000
const busy = stop()

console.log(
  `${calls} calls of about 1 s took ${seconds.toFixed(1)} s on ${availableParallelism()} processors (${layer.backend})\n`,
)
console.log('| what | times | p50, ms | p99, ms | max, ms |\n| --- | ---: | ---: | ---: | ---: |')
tell('timers of 5 ms late by, nothing running', quiet.timers)
tell('fs.stat, nothing running', quiet.stats)
const worst = [tell(`timers of 5 ms late by, ${calls} calls`, busy.timers), tell(`fs.stat, ${calls} calls`, busy.stats)]

// 16 MB in and 16 MB out, six calls under way. The first ones of a process take memory that it has not met.
const gru = new GRU(64, 64, { seed: 1 })
const large = filled(1024, 64, 64)
const first = await loops(6, 0, () => gru.forwardAsync(large))
await loops(6, 1000, () => gru.forwardAsync(large))
stop = watch()
const steady = await loops(6, 8000, () => gru.forwardAsync(large))
const sixteen = stop()
tell('forwardAsync itself, 16 MB in and out, the first six', first.asked)
const longest = tell('forwardAsync itself, 16 MB in and out, six under way', steady.asked)
// By the system's ticks, mostly of 4 ms: the mean says more than the middle one.
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
const [firstUsed, steadyUsed] = [mean(first.used).toFixed(1), mean(steady.used).toFixed(1)]
worst.push(tell('timers of 5 ms late by, the same', sixteen.timers), tell('fs.stat, the same', sixteen.stats))

// A thousand live streams, each with 4 KB in and 4 KB out a step.
const batcher = new GRU(1024, 1024, { seed: 1 }).batcher({ maxQueue: 2000 })
const streams = Array.from({ length: 1000 }, () => batcher.open())
const frame = new Float32Array(1024).fill(0.1)
await loops(1000, 0, (index) => streams[index].step(frame))
stop = watch()
await loops(1000, 8000, (index) => streams[index].step(frame))
const batched = stop()
worst.push(
  tell('timers of 5 ms late by, 1,000 streams of 4 KB', batched.timers),
  tell('fs.stat, the same', batched.stats),
)
console.log(
  `\nprocessor time of forwardAsync itself: ${firstUsed} ms of the first six, ${steadyUsed} ms of the others, on average`,
)
process.exitCode = Math.max(...worst) < 20 && longest < 10 ? 0 : 1
