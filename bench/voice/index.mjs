/**
 * The voice server of examples/voice on this package and on onnxruntime-node, one session for all: in one process without sockets, and over
 * WebSocket with callers in real time; then, with `--minutes`, long runs of this package's.
 *
 *   npm run bench:voice                                          without sockets, and short runs of all
 *   npm run bench:voice -- --minutes 10 --calls 1000 --report    also by model and precision, a long run of so many calls and of the most
 *                                                                that hold, all of it written to docs/
 *
 * `--short 100,250` calls of the short runs, `--seconds` of each, `--process` seconds without sockets, `--capacity` seconds of each model and precision: 0
 * leaves them out. `--json` a file for all of it.
 */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { figuresOf, run } from '../../examples/voice/load/run.mjs'
import { openLibrary } from '../library.mjs'
import { table } from '../markdown.mjs'
import { machineOf, writeTables } from './docs.mjs'
import { longRuns } from './long.mjs'

const { backendInfo } = await openLibrary()
const names = ['native-rnn', 'onnxruntime, a run a frame', 'onnxruntime, batched by hand']
const { values } = parseArgs({
  options: {
    short: { type: 'string', default: '100,250,500' },
    seconds: { type: 'string', default: '8' },
    process: { type: 'string', default: '3' },
    capacity: { type: 'string' },
    minutes: { type: 'string', default: '0' },
    calls: { type: 'string', default: '1000' },
    report: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const minutes = Number(values.minutes)
const at = (file) => fileURLToPath(new URL(file, import.meta.url))
const output = (...args) => JSON.parse(execFileSync(process.execPath, ['--expose-gc', ...args]))
const three = (value) => (value === undefined ? '–' : Number(value.toPrecision(3)).toLocaleString('en-US'))
/** Milliseconds; the callers' histogram ends at 5 s. */
const ms = (value) => (value >= 5000 ? 'beyond 5,000' : three(value))
const machine = machineOf(backendInfo())
const tables = {}
const results = { machine, inProcess: {}, server: [], long: [] }

function show(name, text) {
  tables[name] = `${machine}.\n\n${text}`
  console.log(`${text}\n`)
}

console.log(`${machine}\n`)
const capacity = values.capacity ?? (values.report ? '2' : '0')
if (capacity !== '0') show('capacity', output(at('capacity.mjs'), capacity, 'json'))

if (values.process !== '0') {
  const rows = names.map((name) => {
    results.inProcess[name] = output(at('in-process.mjs'), name, '1000', values.process)
    const { framesPerSecond, cores, cpuUs, callsPerCore, bytesPerCall } = results.inProcess[name]
    const own = results.inProcess[names[0]].callsPerCore
    const times = name === names[0] ? '' : three(own / callsPerCore)
    return [name, ...[framesPerSecond, cores, cpuUs, callsPerCore].map(three), times, three(bytesPerCall)]
  })
  const head = ['1,000 streams, no sockets', 'frames / s', 'cores', 'CPU µs a frame', 'calls a core']
  show('engines', table([...head, 'native-rnn carries, times', 'bytes a call'], rows))
}

const latencies = ['p50 ms', 'p99 ms', 'p99.9 ms', 'server, cores', 'JavaScript', 'callers', 'others', 'mean batch']
const shown = (figures) => figures.map((value, n) => (n < 3 ? ms(value) : three(value)))
const rows = []
for (const calls of values.short.split(',').map(Number).filter(Boolean)) {
  for (const name of names) {
    // Another library's floats are not these; a right answer is one near by.
    const tolerance = name === 'native-rnn' ? 0 : 1e-3
    const result = await run({ program: at('server.mjs'), calls, seconds, tolerance, env: { ENGINE: name } })
    if (result && (result.wrong > 0 || result.missing > 0)) {
      throw new Error(`${name}: ${result.wrong} wrong, ${result.missing} missing, ${JSON.stringify(result.codes)}`)
    }
    const figures = result ? figuresOf(result) : latencies.map(() => undefined)
    results.server.push({ name, calls, figures })
    rows.push([`${name}, ${calls}`, ...shown(figures)])
    console.log(rows.at(-1).join(' | '))
  }
}
if (rows.length > 0) show('server', table(['server, calls', ...latencies], rows))

if (minutes > 0) {
  const row = ({ calls, seconds, figures, answers }) =>
    figures
      ? [calls, three(seconds / 60), ...shown(figures), answers.toLocaleString('en-US')]
      : [calls, three(seconds / 60), 'fell behind by over a minute', ...latencies.slice(1).map(() => '–'), '–']
  const options = { calls: Number(values.calls), seconds: 60 * minutes, searchSeconds: Math.max(seconds, 12) }
  results.long = await longRuns(options, (result) => console.log(row(result).join(' | ')))
  const head = ['calls', 'minutes', ...latencies, 'answers, all equal by bits']
  show('long', table(head, results.long.map(row)))
}
if (values.json) writeFileSync(values.json, JSON.stringify(results, undefined, 2))
if (values.report) writeTables(tables)
