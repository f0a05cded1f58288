/** The load test: callers who speak in real time from a second process; fails where an answer is missing or not the one of the model alone. */

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { backendInfo } from 'native-rnn'
import { figuresOf, run } from './run.mjs'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '250,500,1000' },
    seconds: { type: 'string', default: '20' },
    message: { type: 'string', default: '32' },
    answers: { type: 'string', default: '10' },
    server: { type: 'string', default: fileURLToPath(new URL('../index.mjs', import.meta.url)) },
    'p99-below': { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const bar = Number(values['p99-below'] ?? Infinity)
console.log(
  `Backend ${backendInfo().name}, ${availableParallelism()} cores for server and callers, ${seconds} s each, messages of ${values.message} ms, ` +
    `one caller of ${values.answers} hears of each frame\n`,
)
console.log(
  'calls | p50 ms | p99 ms | p99.9 ms | server, cores | JavaScript | callers | others | mean batch | KB a call | answers | wrong',
)
for (const calls of values.calls.split(',').map(Number)) {
  const options = {
    program: values.server,
    calls,
    seconds,
    messageMs: Number(values.message),
    answers: Number(values.answers),
  }
  const result = await run(options)
  if (!result) throw new Error(`${calls} calls: the server fell behind by more than a minute`)
  const { kilobytes, frames, events, wrong, missing, codes, latency } = result
  const row = [...figuresOf(result), kilobytes]
  console.log(
    `${[calls, ...row.map((value) => Number(value?.toPrecision(3)))].join(' | ')} | ${frames + events} | ${wrong}`,
  )
  const isWhole = codes[1000] === calls && wrong === 0 && missing === 0
  if (!isWhole) throw new Error(`${wrong} wrong, ${missing} missing, closed: ${JSON.stringify(codes)}`)
  if (!(latency[0.99] < bar)) throw new Error(`p99 is ${latency[0.99]} ms, not below ${bar}`)
}
