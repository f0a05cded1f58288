/** One run of the load test: starts a server, lets callers speak to it for a while, and says what came of it. */

import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expectedOf, makeSounds, partsOf } from './sounds.mjs'

const TICKS = 100

/** The figures of a run that tables have: latencies in ms, then processors, then the mean batch. */
export const figuresOf = ({ latency, cores, meanBatch }) => [
  latency[0.5],
  latency[0.99],
  latency[0.999],
  cores.server,
  cores.script,
  cores.callers,
  cores.others,
  meanBatch,
]

/** Seconds of processor that a thread or process has used, by a line of /proc. */
function secondsOf(file) {
  const [user, system] = readFileSync(file, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) / TICKS
}

/** Seconds of processor that the whole machine has used. */
function secondsOfAll() {
  const [user, nice, system, , , interrupts, soft] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .split(/ +/)
    .slice(1)
    .map(Number)
  return (user + nice + system + interrupts + soft) / TICKS
}

/** Starts a server; `program` is one that says where it listens. */
export async function startServer(program, env = {}) {
  const file = env.STATE_FILE ?? join(mkdtempSync(join(tmpdir(), 'native-rnn-voice-')), 'calls.json')
  const variables = { ...process.env, PORT: '0', MAX_CALLS: '20000', ...env, STATE_FILE: file }
  const child = spawn(process.execPath, [program], { env: variables, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  const address = line.replace('Listening on http://', '')
  const [host, port] = address.split(':')
  const proc = `/proc/${child.pid}`
  return {
    child,
    address,
    host,
    port: Number(port),
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'))[1]) / 1024,
    /** Of all its threads, and of the one for JavaScript. */
    cpu: () => ({ all: secondsOf(`${proc}/stat`), script: secondsOf(`${proc}/task/${child.pid}/stat`) }),
    threads: () => readdirSync(`${proc}/task`).length,
    health: async () => (await fetch(`http://${address}/health`)).json(),
    stateFile: file,
    /** @param keep whether the next server goes on with the calls of this one */
    async stop({ keep = false } = {}) {
      child.kill('SIGTERM')
      const [code] = await once(child, 'close')
      if (!keep) rmSync(dirname(file), { recursive: true })
      if (code !== 0) throw new Error(`the server ended with ${code}`)
    },
  }
}

/** The part of a histogram's values that `part` of them are below, in milliseconds. */
export function quantile(histogram, part) {
  let left = part * histogram.reduce((sum, count) => sum + count, 0)
  const at = histogram.findIndex((count) => {
    left -= count
    return left <= 0
  })
  return at < 0 ? Number.NaN : (at + 1) / 10
}

/** What is said and what the model alone says to it, made once for runs of one length. */
const sayings = new Map()
export async function expectedFor(seconds) {
  const { seconds: length, times } = partsOf(seconds)
  if (!sayings.has(seconds)) sayings.set(seconds, await expectedOf(makeSounds(length), times))
  return sayings.get(seconds)
}

/**
 * @param program the server's; answers: one caller of so many hears of each frame, the others of events; messageMs: 20 or 32; tolerance: how far a
 * probability may be off, of an engine that is not this one; events are compared only without
 * @returns what the callers counted; latency: p50, p99, p99.9 in milliseconds; cores: of the server, of its JavaScript thread, of the callers, and of
 * all else on this machine; kilobytes: what the server's memory grew by, a call. Undefined where the server had not answered all a minute after the
 * last call could have ended.
 */
export async function run({
  program,
  calls,
  seconds,
  messageMs = 32,
  answers = 10,
  warmUp = 3000,
  tolerance = 0,
  env,
}) {
  const expected = (await expectedFor(seconds)).map(({ probabilities, events }) => ({
    probabilities: Array.from(probabilities),
    events,
  }))
  const server = await startServer(program, env)
  const before = server.memory()
  const callers = fork(fileURLToPath(new URL('callers.mjs', import.meta.url)))
  const { host, port } = server
  callers.send({ host, port, calls, seconds, messageMs, answers, warmUp, tolerance, expected })
  await once(callers, 'message')
  const [from, began, all] = [server.cpu(), performance.now(), secondsOfAll()]
  // While all speak; the last second is not all of theirs.
  await new Promise((resolve) => setTimeout(resolve, 1000 * (seconds - 1)))
  const [to, wall] = [server.cpu(), (performance.now() - began) / 1000]
  const busy = (secondsOfAll() - all) / wall
  const memory = server.memory()
  const { batcher } = await server.health()
  const patience = AbortSignal.timeout(60_000)
  const [done] = await once(callers, 'message', { signal: patience }).catch(() => [])
  if (!done) callers.kill('SIGKILL')
  await server.stop()
  if (!done) return undefined
  const { histogram, cpu, ...counts } = done
  const latency = Object.fromEntries([0.5, 0.99, 0.999].map((part) => [part, quantile(histogram, part)]))
  const used = { server: (to.all - from.all) / wall, script: (to.script - from.script) / wall, callers: cpu / seconds }
  return {
    ...counts,
    latency,
    cores: { ...used, others: Math.max(0, busy - used.server - used.callers) },
    meanBatch: batcher?.meanBatch,
    memory,
    kilobytes: (1024 * (memory - before)) / calls,
  }
}
