/** Everything that goes wrong at once, under callers who notice nothing of it; fails where one of them hears what the model alone would not say. */

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import WebSocket from 'ws'
import { Caller } from '../client.mjs'
import { startServer } from './run.mjs'
import { expectedOf, makeSounds } from './sounds.mjs'

const program = fileURLToPath(new URL('../index.mjs', import.meta.url))

/** What bad callers do; each returns when it has been cut off or is done, and says how many calls that was. */
const bad = {
  /** Text, bytes that are no sound, messages that are too long, and what is no WebSocket at all. */
  async rubbish(url, n) {
    const socket = new WebSocket(`${url}/calls`)
    if (!(await open(socket))) return 0
    const rubbish = ['rubbish', Buffer.alloc(641, n), Buffer.alloc(100_000, n)]
    if (n % 4 < 3) socket.send(rubbish[n % 4])
    else socket._socket?.write(Buffer.alloc(3000, 255))
    await closed(socket)
    return 1
  },
  /** Ten seconds of noise as fast as the line takes it. */
  async flood(url, n) {
    const socket = new WebSocket(`${url}/calls?probabilities=true`)
    if (!(await open(socket))) return 0
    const noise = Buffer.from({ length: 1024 }, (_, i) => (i * i * n) % 251)
    for (let i = 0; i < 312 && socket.readyState === WebSocket.OPEN; i++) socket.send(noise)
    await Promise.race([closed(socket), sleep(2000)])
    socket.terminate()
    return 1
  },
  /** Speaks, and reads nothing. */
  async deaf(url) {
    const socket = new WebSocket(`${url}/calls?probabilities=true`)
    if (!(await open(socket))) return 0
    socket.pause()
    for (let i = 0; i < 60 && socket.readyState === WebSocket.OPEN; i++) {
      socket.send(Buffer.alloc(1024, i))
      await sleep(32)
    }
    socket.terminate()
    return 1
  },
  /** Begins, and is never seen again. */
  async vanish(url) {
    const socket = new WebSocket(`${url}/calls`)
    if (!(await open(socket))) return 0
    if (socket.readyState === WebSocket.OPEN) socket.send(Buffer.alloc(10_000))
    await sleep(50)
    socket._socket?.destroy()
    return 1
  },
}

/** A bad caller may come while the server restarts. */
const open = (socket) => {
  socket.on('error', () => {})
  return new Promise((resolve) => socket.once('open', () => resolve(true)).once('close', () => resolve(false)))
}
const closed = (socket) =>
  socket.readyState === WebSocket.CLOSED ? undefined : new Promise((resolve) => socket.once('close', resolve))

/**
 * @param calls how many good callers; every third loses its connection now and then; env: of the servers
 * @param deploys how often the server is replaced
 * @returns answers: how many were compared and found equal; resumed: how often a call came back; bad: bad callers by kind
 */
export async function faults({ calls = 100, seconds = 12, deploys = 2, speed = 1, env = {} }) {
  const sounds = makeSounds(seconds, Math.min(calls, 24))
  const expected = await expectedOf(sounds)
  let server = await startServer(program, env)
  const { port } = server
  const url = `ws://127.0.0.1:${port}`
  const state = server.stateFile
  const callers = Array.from(
    { length: calls },
    (_, n) => new Caller(url, sounds[n % sounds.length], { probabilities: true }),
  )
  let isOver = false
  const done = Promise.all(callers.map((caller, n) => caller.call({ message: n % 2 ? 640 : 1024, speed })))
  const counts = {}
  const badOnes = Object.entries(bad).map(async ([kind, act]) => {
    counts[kind] = 0
    for (let n = 0; !isOver; n += 2) {
      const [one, other] = await Promise.all([act(url, n), act(url, n + 1)])
      counts[kind] += one + other
      await sleep(20)
    }
  })
  const cuts = (async () => {
    for (let n = 0; !isOver; n += 3) {
      await sleep(100)
      const caller = callers[n % calls]
      if (!caller.isOver) caller.socket?._socket?.destroy()
    }
  })()
  for (let n = 1; n <= deploys; n++) {
    await sleep((1000 * seconds * n) / speed / (deploys + 1) / 1.5)
    await server.stop({ keep: true })
    server = await startServer(program, { ...env, PORT: String(port), STATE_FILE: state })
  }
  const codes = await done
  isOver = true
  await Promise.all([...badOnes, cuts])
  await server.stop()

  const result = { answers: 0, resumed: 0, ...counts }
  for (const [n, caller] of callers.entries()) {
    const { probabilities, events } = expected[n % sounds.length]
    if (codes[n] !== 1000 || caller.lost > 0) throw new Error(`call ${n} was lost, close code ${codes[n]}`)
    // An answer that was on the wire of a connection that was cut is not said again; an event is.
    caller.probabilities.forEach((value, frame) => {
      if (!Object.is(value, probabilities[frame])) throw new Error(`call ${n}, frame ${frame}: ${value}`)
      result.answers++
    })
    if (JSON.stringify(caller.events) !== JSON.stringify(events)) throw new Error(`call ${n} heard other events`)
    result.answers += events.length
    result.resumed += caller.resumed
  }
  return result
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { calls: { type: 'string', default: '100' }, seconds: { type: 'string', default: '30' } },
  })
  const { answers, resumed, ...kinds } = await faults({ calls: Number(values.calls), seconds: Number(values.seconds) })
  const others = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`)
  console.log(
    `${answers} answers equal to the model alone, by bits; calls came back ${resumed} times; beside them ${others.join(', ')}`,
  )
}
