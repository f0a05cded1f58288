/** Millions of calls in one process each, with the memory looked at all along: `npm run soak`; `-- --short` takes a hundredth. */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { GRU, LSTM, Tensor } from 'native-rnn'

const frame = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i))
const sequence = new Tensor(new Float32Array(10 * 32).fill(0.3), [10, 1, 32])
const turn = () => new Promise(setImmediate)

/** Each: how often in the long form, and what is done so many times at a look. */
const works = {
  'stream steps': {
    times: 10_000_000,
    make() {
      const stream = new LSTM(32, 32, { seed: 1 }).stream()
      return async (count) => {
        for (let i = 0; i < count; i++) stream.step(frame)
      }
    },
  },
  forwards: {
    times: 1_000_000,
    make() {
      const layer = new GRU(32, 32, { seed: 1 })
      return async (count) => {
        for (let i = 0; i < count; i++) layer.forward(sequence)
      }
    },
  },
  'asynchronous forwards': {
    times: 1_000_000,
    make() {
      const layer = new GRU(32, 32, { seed: 1 })
      return async (count) => {
        for (let i = 0; i < count; i += 20)
          await Promise.all(Array.from({ length: 20 }, () => layer.forwardAsync(sequence)))
      }
    },
  },
  'batched steps': {
    times: 1_000_000,
    make() {
      const batcher = new LSTM(32, 32, { seed: 1 }).batcher()
      const open = Array.from({ length: 100 }, () => batcher.open())
      return async (count) => {
        for (let i = 0; i < count; i += 100) await Promise.all(open.map((stream) => stream.step(frame)))
      }
    },
  },
  'streams of a batcher, opened and closed': {
    times: 1_000_000,
    make() {
      const batcher = new LSTM(32, 32, { seed: 1 }).batcher()
      return async (count) => {
        for (let i = 0; i < count; i += 10) {
          const open = Array.from({ length: 10 }, () => batcher.open())
          await Promise.all(open.map((stream) => stream.step(frame)))
          for (const stream of open) stream.close()
        }
      }
    },
  },
  'layers, disposed': {
    times: 10_000,
    make() {
      const weights = new LSTM(256, 128, { seed: 1 }).stateDict() // 0.8 MB
      return async (count) => {
        for (let i = 0; i < count; i++) {
          const layer = LSTM.fromStateDict(weights)
          layer.stream().dispose()
          layer.dispose()
          if (i % 100 === 0) await turn()
        }
      }
    },
  },
  'layers, dropped': {
    times: 10_000,
    make() {
      const weights = new LSTM(256, 128, { seed: 1 }).stateDict()
      return async (count) => {
        for (let i = 0; i < count; i++) {
          LSTM.fromStateDict(weights).stream()
          if (i % 100 === 0) await turn()
        }
      }
    },
  },
}

/** Megabytes of the process, without what a collection still finds. */
async function resident() {
  for (let i = 0; i < 4; i++) {
    gc()
    await turn()
  }
  return process.memoryUsage().rss / 2 ** 20
}

/** The slope of the best line through the looks, in MiB over all of them. */
function slope(values) {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let above = 0
  let below = 0
  for (const [i, value] of values.entries()) {
    above += (i - middle) * (value - mean)
    below += (i - middle) ** 2
  }
  return (above / below) * (values.length - 1)
}

/** In this process: the work in 24 parts, of which the first quarter warms up. */
async function soak(name, times) {
  const run = works[name].make()
  const parts = 24
  const warm = parts / 4
  const looks = []
  let most = 0
  const start = performance.now()
  for (let part = 0; part < parts; part++) {
    await run(Math.ceil(times / parts))
    most = Math.max(most, process.memoryUsage().rss / 2 ** 20)
    looks.push(await resident())
  }
  const seconds = (performance.now() - start) / 1000
  console.log(
    JSON.stringify({ seconds, most, first: looks[warm], last: looks.at(-1), slope: slope(looks.slice(warm)) }),
  )
}

const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean' }, child: { type: 'boolean' } },
  allowPositionals: true,
})
if (values.child) await soak(positionals[0], Number(positionals[1]))
else {
  // A leak of 10 bytes in each of a million calls would show as more than this; pages that the allocator keeps for a while may not.
  const allowed = 6
  let growing = 0
  console.log('| work | times | s | most, MiB | first, MiB | last, MiB | slope, MiB over all |')
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
  for (const [name, { times }] of Object.entries(works)) {
    if (positionals.length && !positionals.includes(name)) continue
    const count = values.short ? Math.ceil(times / 100) : times
    // V8 grows its young generation for minutes; held small it is no part of the slope.
    const args = ['--expose-gc', '--max-semi-space-size=2', import.meta.filename, '--child', name, String(count)]
    const told = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    if (told.slope > allowed) growing++
    const { seconds, most, first, last, slope } = told
    const figures = [seconds, most, first, last, slope].map((value) => value.toFixed(1))
    console.log(`| ${[name, count.toLocaleString('en'), ...figures].join(' | ')} |`)
  }
  console.log(growing ? `${growing} grow by more than ${allowed} MiB` : 'all flat')
  process.exitCode = growing ? 1 : 0
}
