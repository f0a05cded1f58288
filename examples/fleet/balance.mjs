/** Two voice servers behind HAProxy, one killed under calls and replaced; each call is compared with one that nobody disturbed. */

import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Caller } from '../voice/client.mjs'
import { expectedOf, makeSounds } from '../voice/load/sounds.mjs'
import { freePort, startRedis } from './redis.mjs'

/** Starts a voice server; `kill` ends it by a signal. */
async function startServer(url, port = 0) {
  const env = { ...process.env, REDIS_URL: url, PORT: String(port) }
  const child = fork(fileURLToPath(new URL('voice.mjs', import.meta.url)), { env })
  const [at] = await once(child, 'message')
  const kill = async (signal) => {
    child.kill(signal)
    await once(child, 'close')
  }
  return { port: at, kill }
}

/** HAProxy (Debian: `apt-get install haproxy`) passes bytes on; who is down or full, /health says. */
async function startBalancer(ports) {
  const folder = mkdtempSync(join(tmpdir(), 'native-rnn-haproxy-'))
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  const servers = ports.map((port, n) => `  server voice${n} 127.0.0.1:${port} check`)
  writeFileSync(
    file,
    `defaults
  mode tcp
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  option redispatch
listen calls
  bind 127.0.0.1:${port}
  balance leastconn
  option httpchk GET /health
  default-server inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`,
  )
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'ignore'] })
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error))])
  while (!(await answers(port))) await sleep(20)
  const stop = async () => {
    child.kill()
    await once(child, 'close')
    rmSync(folder, { recursive: true })
  }
  return { port, stop }
}

function answers(port) {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).finally(() => socket.destroy())
}

/**
 * @param kills how often a server dies (SIGKILL), one after the other; each is replaced a little later
 * @returns calls; answers: compared and found equal; onTheWire: answers of single frames that a dead server took
 * along; resumed: how often a call went on elsewhere
 */
export async function balance({ calls = 40, seconds = 12, kills = 2 }) {
  const sounds = makeSounds(seconds, Math.min(calls, 24))
  const expected = await expectedOf(sounds)
  const redis = await startRedis()
  const servers = await Promise.all([startServer(redis.url), startServer(redis.url)])
  const balancer = await startBalancer(servers.map(({ port }) => port))
  const url = `ws://127.0.0.1:${balancer.port}`
  const callers = Array.from(
    { length: calls },
    (_, n) => new Caller(url, sounds[n % sounds.length], { probabilities: true }),
  )
  const done = Promise.all(callers.map((caller) => caller.call({ message: 640 })))
  for (let n = 0; n < kills; n++) {
    await sleep((1000 * seconds) / (kills + 1))
    const { port, kill } = servers[n % 2]
    await kill('SIGKILL')
    servers[n % 2] = await startServer(redis.url, port)
  }
  const codes = await done
  await Promise.all(servers.map(({ kill }) => kill('SIGTERM')))
  await balancer.stop()
  await redis.stop()

  const result = { calls, answers: 0, onTheWire: 0, resumed: 0 }
  for (const [n, { probabilities, events, lost, resumed }] of callers.entries()) {
    if (codes[n] !== 1000 || lost > 0) throw new Error(`call ${n} was lost, close code ${codes[n]}`)
    const whole = expected[n % sounds.length]
    // An answer that was on the wire when its server died is not given again; what happened is.
    for (const [frame, right] of whole.probabilities.entries()) {
      if (probabilities[frame] === undefined) result.onTheWire++
      else if (!Object.is(probabilities[frame], right))
        throw new Error(`call ${n}, frame ${frame}: ${probabilities[frame]}`)
      else result.answers++
    }
    if (JSON.stringify(events) !== JSON.stringify(whole.events)) throw new Error(`call ${n} heard other events`)
    result.answers += events.length
    result.resumed += resumed
  }
  return result
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { calls, answers, onTheWire, resumed } = await balance({
    calls: Number(process.argv[2] ?? 40),
    seconds: 12,
    kills: 2,
  })
  console.log(
    `${calls} calls on two servers, one killed and replaced, then the other: ${resumed} went on elsewhere; ` +
      `${answers.toLocaleString('en-US')} answers equal to an unbroken call's by bits, ` +
      `all events among them; ${onTheWire} probabilities were on the wire of a dead server`,
  )
}
