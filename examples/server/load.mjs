/** Puts the server under load on this machine, deploys it in the middle, and prints what came of it; fails where an answer is lost or wrong. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import autocannon from 'autocannon'
import { backendInfo } from 'native-rnn'
import { connect } from './client.mjs'

const SECONDS = Number(process.argv[2] ?? 8)
const folder = mkdtempSync(join(tmpdir(), 'native-rnn-load-'))

/** Every city has a weather of its own. */
function dayOf(city, n) {
  const date = new Date(Date.UTC(2015, 0, 1 + n)).toISOString().slice(0, 10)
  const tempMax = 12 + 9 * Math.sin(n / 58 + city)
  return { date, tempMax, tempMin: tempMax - 6, precipitation: n % 4, wind: 3 + Math.cos(n + city) }
}
const daysOf = (city, count) => Array.from({ length: count }, (_, n) => dayOf(city, n))

async function startServer(env = {}) {
  const variables = { ...process.env, PORT: '0', STATE_FILE: join(folder, 'streams.json'), ...env }
  const child = spawn(process.execPath, ['index.mjs'], { cwd: import.meta.dirname, env: variables })
  child.stderr.pipe(process.stderr)
  const [line] = await once(createInterface(child.stdout), 'line')
  const address = line.replace('Listening on http://', '')
  return {
    address,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024,
    health: async () => (await fetch(`http://${address}/health`)).json(),
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await once(child, 'close')
      if (code !== 0) throw new Error(`the server ended with ${code}`)
    },
  }
}

/** What a crowd of clients has seen. */
const newTally = () => ({ latencies: [], refused: 0, longestGap: 0 })

/** A client that asks a day at a time until `isOver`, comes back after a deploy, and sends again, a little later, what was refused. Returns what it heard. */
async function live(city, current, isOver, tally) {
  const heard = []
  let last = performance.now()
  while (!isOver()) {
    const client = await connect(`ws://${(await current()).address}`, `city-${city}`).catch(() => undefined)
    if (!client) continue
    // A step that was taken, and whose answer the deploy cut off.
    if (client.hello.date === dayOf(city, heard.length).date) heard.push(client.hello.forecast)
    try {
      while (!isOver()) {
        const began = performance.now()
        const answer = await client.ask(dayOf(city, heard.length))
        const now = performance.now()
        if (answer.status === 503) {
          tally.refused++
          await new Promise((resolve) => setTimeout(resolve, 200 * Math.random()))
        } else if (answer.status) throw new Error(answer.message)
        else {
          heard.push(answer)
          tally.latencies.push(now - began)
          tally.longestGap = Math.max(tally.longestGap, now - last)
          last = now
        }
      }
    } catch (error) {
      if (!error.message.startsWith('connection closed')) throw error
    } finally {
      client.close()
    }
    await client.closed
  }
  return heard
}

const round = (value) => Number(value.toPrecision(3)).toLocaleString('en-US')
function report(title, seconds, { latencies, refused }, rest) {
  const sorted = Float64Array.from(latencies).sort()
  const at = (part) => `${round(sorted[Math.floor(part * sorted.length)])} ms`
  const steps = `${round(sorted.length / seconds)} steps/s, p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1 - 1e-9)}`
  console.log(`${title}: ${steps}, refused ${refused.toLocaleString('en-US')}; ${rest}`)
}

/** Clients that ask as fast as they are answered. */
async function crowd(title, clients, env) {
  const server = await startServer({ STATE_FILE: join(folder, 'crowd.json'), ...env })
  const tally = newTally()
  const end = performance.now() + 1000 * SECONDS
  const isOver = () => performance.now() > end
  await Promise.all(Array.from({ length: clients }, (_, city) => live(city, () => server, isOver, tally)))
  const { batcher } = await server.health()
  report(title, SECONDS, tally, `mean batch ${round(batcher.meanBatch)}, server ${round(server.memory())} MB`)
  await server.stop()
  rmSync(join(folder, 'crowd.json'))
}

/** The server is replaced while clients ask; then every answer of every stream is held against the whole sequence, by bits. */
async function deploys(clients, count) {
  let server = startServer()
  const tally = newTally()
  let over = false
  const heard = Array.from({ length: clients }, (_, city) =>
    live(
      city,
      () => server,
      () => over,
      tally,
    ),
  )
  const seconds = SECONDS / 2
  const wait = () => new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
  for (let n = 0; n < count; n++) {
    await wait()
    const { stop } = await server
    server = stop().then(() => startServer())
  }
  await wait()
  over = true
  let compared = 0
  for (const [city, forecasts] of (await Promise.all(heard)).entries()) {
    if (forecasts.length === 0) throw new Error(`city ${city} heard nothing`)
    const whole = await ask((await server).address, daysOf(city, forecasts.length))
    if (JSON.stringify(whole) !== JSON.stringify(forecasts)) throw new Error(`city ${city}: the stream is another one`)
    compared += forecasts.length
  }
  const facts = `${compared.toLocaleString('en-US')} answers equal to whole sequences, by bits`
  report(
    `${clients} clients, ${count} deploys`,
    SECONDS,
    tally,
    `${facts}; longest pause ${round(tally.longestGap)} ms`,
  )
  await (await server).stop()
}

async function ask(address, days) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`http://${address}/forecast`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ days }),
  })
  return (await response.json()).forecasts
}

async function sequences(title, connections, days, env) {
  const server = await startServer({ STATE_FILE: join(folder, 'http.json'), ...env })
  const { requests, latency, non2xx, errors, statusCodeStats } = await autocannon({
    url: `http://${server.address}/forecast`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ days: daysOf(0, days) }),
    connections,
    duration: SECONDS,
  })
  const refused = statusCodeStats['503']?.count ?? 0
  if (errors > 0 || non2xx > refused) throw new Error(`${errors} errors, ${non2xx} answers other than 2xx`)
  const times = `p50 ${latency.p50} ms, p99 ${latency.p99} ms, longest ${latency.max} ms`
  const answered = (requests.total - refused) / SECONDS
  const rest = `refused ${refused.toLocaleString('en-US')}; server ${round(server.memory())} MB`
  console.log(`${title}: ${round(answered)} sequences/s (${round(answered * days)} steps/s), ${times}, ${rest}`)
  await server.stop()
}

try {
  console.log(
    `Backend ${backendInfo().name}, ${availableParallelism()} cores for server and clients, ${SECONDS} s each\n`,
  )
  await sequences('HTTP, 16 connections, a year each', 16, 365)
  await sequences('HTTP, 64 connections, a week each', 64, 7)
  await sequences('HTTP, 64 connections, a year each, 8 may be under way', 64, 365, { MAX_FORWARDS: '8' })
  await crowd('WebSocket, 1 client', 1)
  await crowd('WebSocket, 100 clients', 100)
  await crowd('WebSocket, 1,000 clients', 1000)
  await crowd('WebSocket, 1,000 clients, 128 may wait', 1000, { MAX_QUEUE: '128' })
  await deploys(200, 3)
} finally {
  rmSync(folder, { recursive: true })
}
