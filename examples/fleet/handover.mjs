/** Streams whose every step goes to another server, while servers are killed and replaced; each answer is compared with a stream that stays here. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { backendInfo, LSTM, loadSafetensors } from 'native-rnn'
import { startRedis } from './redis.mjs'

/** Starts one of the servers; `kill` ends it by a signal. */
export async function startServer(url) {
  const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), { env: { ...process.env, REDIS_URL: url } })
  const [port] = await once(child, 'message')
  const kill = async (signal) => {
    child.kill(signal)
    await once(child, 'close')
  }
  return { address: `http://127.0.0.1:${port}`, kill }
}

const frameOf = (stream, n) => Float32Array.from({ length: 6 }, (_, i) => Math.sin(0.7 * n + i + stream))

/**
 * @returns steps: how many were taken and found equal; retries: requests that a killed server left without an answer; seconds
 */
export async function handOver({ streams, steps, servers: count, kills }) {
  const weights = await loadSafetensors(new URL('../forecast/model.safetensors', import.meta.url))
  const lstm = LSTM.fromStateDict(weights, { prefix: 'rnn.' })
  const redis = await startRedis()
  const servers = await Promise.all(Array.from({ length: count }, () => startServer(redis.url)))
  let turn = 0
  let taken = 0
  let retries = 0

  async function ask(stream, n) {
    for (;;) {
      const { address } = servers[turn++ % servers.length]
      const sent = { method: 'POST', body: frameOf(stream, n) }
      const response = await fetch(`${address}/stream-${stream}/${n}`, sent).catch(() => undefined)
      const body = await response?.arrayBuffer().catch(() => undefined)
      if (response?.ok && body) return new Float32Array(body)
      if (response && !response.ok) throw new Error(Buffer.from(body).toString())
      retries++
    }
  }

  async function live(stream) {
    const here = lstm.stream()
    for (let n = 0; n < steps; n++) {
      const there = await ask(stream, n)
      if (!here.step(frameOf(stream, n)).every((value, i) => Object.is(value, there[i]))) {
        throw new Error(`step ${n} of stream ${stream} differs`)
      }
      if (++taken % every === 0 && replaced.length < kills) replaced.push(replace(replaced.length % count))
    }
  }

  const every = Math.floor((streams * steps) / (kills + 1))
  const replaced = []
  async function replace(place) {
    await servers[place].kill('SIGKILL')
    servers[place] = await startServer(redis.url)
  }

  const began = performance.now()
  await Promise.all(Array.from({ length: streams }, (_, stream) => live(stream)))
  const seconds = (performance.now() - began) / 1000
  await Promise.all(replaced)
  await Promise.all(servers.map(({ kill }) => kill('SIGTERM')))
  await redis.stop()
  return { steps: taken, retries, seconds }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`Backend ${backendInfo().name}, ${availableParallelism()} cores for Redis, servers and client`)
  for (const [servers, kills] of [
    [1, 0],
    [2, 0],
    [3, 5],
  ]) {
    const { steps, retries, seconds } = await handOver({ streams: 50, steps: 200, servers, kills })
    console.log(
      `${servers} servers, ${kills} killed: ${steps.toLocaleString('en-US')} steps, each equal by bits, ` +
        `${Math.round(steps / seconds).toLocaleString('en-US')} steps/s, ${retries} asked again`,
    )
  }
}
