/**
 * The voice server of examples/voice on this package and on onnxruntime-node, one session for all: in one process without sockets, and over
 * WebSocket with callers in real time. `npm run bench:voice`, options `--calls 250,500,1000`, `--seconds`, `--json`.
 */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { figuresOf, run } from '../../examples/voice/load/run.mjs'
import { openLibrary } from '../library.mjs'

const { backendInfo } = await openLibrary()

const names = ['native-rnn', 'onnxruntime, a run a frame', 'onnxruntime, batched by hand']
const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '100,250,500,1000' },
    seconds: { type: 'string', default: '8' },
    process: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
})
const at = (file) => fileURLToPath(new URL(file, import.meta.url))
const three = (value) => (value === undefined ? '–' : Number(value.toPrecision(3)).toLocaleString('en-US'))
const print = (...cells) => console.log(`| ${cells.join(' | ')} |`)

console.log(`${cpus()[0].model}, ${availableParallelism()} processors, ${backendInfo().name}\n`)
const results = { inProcess: {}, server: [] }
if (values.process !== '0') {
  print('1,000 streams, no sockets', 'frames / s', 'cores', 'CPU µs a frame', 'calls a core', 'bytes a call')
  print('---', '---:', '---:', '---:', '---:', '---:')
  for (const name of names) {
    const printed = execFileSync(process.execPath, ['--expose-gc', at('in-process.mjs'), name, '1000', values.process])
    const result = JSON.parse(printed)
    results.inProcess[name] = result
    const { framesPerSecond, cores, cpuUs, callsPerCore, bytesPerCall } = result
    print(name, ...[framesPerSecond, cores, cpuUs, callsPerCore, bytesPerCall].map(three))
  }
  console.log()
}

print('server, calls', 'p50 ms', 'p99 ms', 'p99.9 ms', 'server, cores', 'JavaScript', 'callers', 'others', 'mean batch')
print('---', ...new Array(8).fill('---:'))
const seconds = Number(values.seconds)
for (const calls of values.calls.split(',').map(Number).filter(Boolean)) {
  for (const name of names) {
    // Another library's floats are not these; a right answer is one near by.
    const tolerance = name === 'native-rnn' ? 0 : 1e-3
    const result = await run({ program: at('server.mjs'), calls, seconds, tolerance, env: { ENGINE: name } })
    const { latency, cores, meanBatch, wrong, missing, codes } = result
    if (wrong > 0 || missing > 0)
      throw new Error(`${name}: ${wrong} wrong, ${missing} missing, ${JSON.stringify(codes)}`)
    results.server.push({ name, calls, latency, cores, meanBatch })
    print(`${name}, ${calls}`, ...figuresOf(result).map(three))
  }
}
if (values.json) writeFileSync(values.json, JSON.stringify(results, undefined, 2))
