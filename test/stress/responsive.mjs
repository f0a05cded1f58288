/** How late files and timers come while calls run beside the JavaScript thread, and while none do: `npm run responsive`. */
import { stat } from 'node:fs'
import { availableParallelism } from 'node:os'
import { LSTM, Tensor } from 'native-rnn'

const calls = 8
const layer = new LSTM(16, 512, { seed: 1 })
const input = (T) => new Tensor(new Float32Array(T * 16).fill(0.1), [T, 1, 16])

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
process.exitCode = Math.max(...worst) < 20 ? 0 : 1
