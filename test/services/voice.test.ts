/** examples/voice as its callers hear it: the model's own answers, limits, rubbish, and a deploy in the middle of everything. */
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { alone, hasModel, load, require, start } from './voice-server.ts'

describe.skipIf(!hasModel)('examples/voice', async () => {
  const { Caller } = await load('client.mjs')
  const { speech, toPcm16 } = await load('../vad/sound.mjs')
  const WebSocket = require('ws')

  let folder: string
  let stateFile: string
  let server: Awaited<ReturnType<typeof start>>
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
    stateFile = join(folder, 'calls.json')
  })
  afterEach(async () => {
    // Load tests start servers of their own.
    if (server) expect((await server.stop()).output).toBe('')
    rmSync(folder, { recursive: true })
  })

  /** A connection by hand, after its first message. */
  async function connect(query = '') {
    const socket = new WebSocket(`${server.url}/calls${query}`)
    const [data] = await once(socket, 'message')
    return { socket, ready: JSON.parse(data), closed: once(socket, 'close').then(([code]) => code) }
  }
  const silence = (frames: number) => Buffer.alloc(1024 * frames)

  it('answers with the bits and the events of the model alone, whatever messages the sound comes in', async () => {
    server = await start(stateFile)
    const pcm = toPcm16(speech(8))
    const expected = await alone(pcm)
    expect(expected.events.length).toBeGreaterThan(3)
    const sizes = [640, 1024, 322, 5000]
    const callers = sizes.map(() => new Caller(server.url, pcm, { probabilities: true }))
    const codes = await Promise.all(callers.map((caller, n) => caller.call({ message: sizes[n], speed: 8 })))
    expect(codes).toEqual(sizes.map(() => 1000))
    for (const { probabilities, events } of callers) expect({ probabilities, events }).toEqual(expected)
    expect(await (await server.get('/metrics')).text()).toContain(
      `voice_frames_total ${4 * expected.probabilities.length}`,
    )
  })

  it('takes the options of a detector', async () => {
    server = await start(stateFile)
    const pcm = toPcm16(speech(8, 3))
    const options = { threshold: 0.8, negativeThreshold: 0.3, minSpeechMs: 64, minSilenceMs: 400, padMs: 0 }
    const caller = new Caller(server.url, pcm, options)
    await caller.call({ speed: 8 })
    const { events } = await alone(pcm, options)
    expect(caller.events).toEqual(events)
    expect(events).not.toEqual((await alone(pcm)).events)
    expect(caller.probabilities).toEqual([])
    expect((await server.get('/calls?threshold=2')).status).toBe(400)
    expect((await server.get('/calls?colour=red')).status).toBe(400)
  })

  it('refuses a call before the upgrade when it is full, and takes one when there is room again', async () => {
    server = await start(stateFile, { MAX_CALLS: '2' })
    const calls = [await connect(), await connect()]
    const third = new WebSocket(`${server.url}/calls`)
    const [, response] = await once(third, 'unexpected-response')
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '2'])
    expect((await server.get('/health')).status).toBe(503)
    calls[0].socket.close(1000)
    await calls[0].closed
    while ((await server.get('/health')).status !== 200) await sleep(10)
    await connect()
  })

  it('closes what is no sound, and calls beside it hear nothing of that', async () => {
    server = await start(stateFile)
    const pcm = toPcm16(speech(4))
    const caller = new Caller(server.url, pcm, { probabilities: true })
    const done = caller.call({ speed: 4 })
    const closedAfter = async (data: unknown) => {
      const { socket, closed } = await connect()
      socket.on('error', () => {})
      socket.send(data)
      return closed
    }
    expect(await closedAfter('rubbish')).toBe(1003)
    expect(await closedAfter(Buffer.alloc(641))).toBe(1007)
    expect(await closedAfter(Buffer.alloc(100_000))).toBe(1009)
    const { socket, closed } = await connect()
    socket._socket.write(Buffer.from('not a frame of WebSocket'))
    socket.on('error', () => {})
    expect([1002, 1006]).toContain(await closed)
    expect(await done).toBe(1000)
    const { probabilities, events } = caller
    expect({ probabilities, events }).toEqual(await alone(pcm))
  })

  it('slows a caller down that sends faster than its rate, and takes what it sent', async () => {
    server = await start(stateFile)
    const { socket, closed } = await connect('?probabilities=true')
    let heard = 0
    socket.on('message', () => heard++)
    const began = performance.now()
    // What may be saved up is 5 s, at twice real time 312 frames.
    for (let n = 0; n < 400; n++) socket.send(silence(1))
    socket.send('end')
    expect(await closed).toBe(1000)
    expect(heard).toBe(400)
    expect(performance.now() - began).toBeGreaterThan(1000)
  })

  it('closes a call without sound, which goes on where it was when it comes back', async () => {
    server = await start(stateFile, { IDLE_MS: '500' })
    const first = await connect()
    first.socket.send(silence(3).subarray(0, 2100))
    expect(await first.closed).toBe(4408)
    const second = await connect(`?token=${first.ready.token}`)
    expect(second.ready).toEqual({ ...first.ready, samples: 1024 })
    const third = await connect(`?token=${first.ready.token}`)
    expect(await second.closed).toBe(4409)
    expect(third.ready).toEqual(second.ready)
    third.socket.close(1000)
    await third.closed
    while ((await server.health()).calls > 0) await sleep(10)
    const fourth = await connect(`?token=${first.ready.token}`)
    expect(fourth.ready.samples).toBe(0)
    expect(fourth.ready.token).not.toBe(first.ready.token)
  })

  it('is replaced under calls: each hears what it would have heard without', async () => {
    server = await start(stateFile)
    const port = server.port
    const sounds = Array.from({ length: 12 }, (_, n) => toPcm16(speech(6, n + 1)))
    const callers = sounds.map((pcm) => new Caller(server.url, pcm, { probabilities: true }))
    const codes = Promise.all(callers.map((caller, n) => caller.call({ message: n % 2 ? 640 : 1024, speed: 2 })))
    for (const frames of [30, 80]) {
      while (callers.some(({ probabilities }) => probabilities.length < frames)) await sleep(10)
      expect(await server.stop()).toEqual({ code: 0, output: '' })
      expect(existsSync(stateFile)).toBe(true)
      server = await start(stateFile, { PORT: port })
    }
    expect(await codes).toEqual(sounds.map(() => 1000))
    for (const [n, { probabilities, events, resumed, lost }] of callers.entries()) {
      expect([resumed, lost]).toEqual([2, 0])
      expect({ probabilities, events }).toEqual(await alone(sounds[n]))
    }
  })

  it('answers callers in real time from another process, each frame once and right', async () => {
    const { run } = await load('load/run.mjs')
    const program = fileURLToPath(new URL('../../examples/voice/index.mjs', import.meta.url))
    const { frames, wrong, missing, codes, latency } = await run({
      program,
      calls: 20,
      seconds: 4,
      messageMs: 20,
      answers: 2,
      warmUp: 0,
    })
    expect({ frames, wrong, missing, codes }).toEqual({ frames: 10 * 125, wrong: 0, missing: 0, codes: { 1000: 20 } })
    expect(latency[0.5]).toBeGreaterThan(0)
    expect(latency[0.99]).toBeGreaterThanOrEqual(latency[0.5])
  })

  it('keeps every answer right under rubbish, floods, deaf and vanishing callers, cut lines and deploys', async () => {
    const { faults } = await load('load/faults.mjs')
    const { answers, resumed, rubbish, flood, deaf, vanish } = await faults({ calls: 16, seconds: 6, deploys: 1 })
    expect(answers).toBeGreaterThan(16 * 100)
    expect(Math.min(resumed, rubbish, flood, deaf, vanish)).toBeGreaterThan(0)
  })

  it('keeps every answer right, and every call that speaks, while the clock is moved', async () => {
    const { faults } = await load('load/faults.mjs')
    const clock = new URL('../support/moved-clock.mjs', import.meta.url).href
    const env = { NODE_OPTIONS: `--import=${clock}`, IDLE_MS: '2000' }
    const { answers, resumed } = await faults({ calls: 8, seconds: 3, deploys: 1, env })
    expect(answers).toBeGreaterThan(8 * 60)
    expect(resumed).toBeGreaterThan(0)
  })

  it('has the metrics that its alerts ask for, and their labels', async () => {
    server = await start(stateFile)
    const { socket, closed } = await connect()
    socket.send(silence(20))
    socket.send('end')
    await closed
    const metrics = await (await server.get('/metrics')).text()
    const rules = readFileSync(new URL('../../examples/voice/alerts.yml', import.meta.url), 'utf8')
    const expressions = [...rules.matchAll(/^ *expr: (.*)$/gm)].map(([, expression]) => expression)
    expect(expressions.length).toBe(rules.match(/- alert:/g)?.length)
    const names = expressions.flatMap((expression) => expression.match(/\b[a-z]\w*_\w+\b/g) ?? [])
    const asked = new Set(names.filter((name) => name !== 'histogram_quantile'))
    expect(asked.size).toBeGreaterThan(9)
    // A counter by a label has no line before it counts; its type has.
    const there = (name: string) =>
      new RegExp(`^${name}[ {]`, 'm').test(metrics) || metrics.includes(`# TYPE ${name} counter`)
    expect([...asked].filter((name) => !there(name))).toEqual([])
    expect(metrics).toContain('voice_closed_total{code="1000"} 1')
  })
})

describe('a call', async () => {
  const { Call } = await load('call.mjs')
  const limits = { maxWaiting: 4096, maxUnread: 1000, maxRate: 2, burstMs: 5000, maxSeconds: 100 }
  const told = { frame() {}, event() {}, failure() {} }

  /** A socket and a model by hand: what is sent stays unread until it is read here. */
  function make() {
    const sent: { text: string; done(): void }[] = []
    const socket = Object.assign(new EventEmitter(), {
      bufferedAmount: 0,
      isPaused: false,
      pause() {
        socket.isPaused = true
      },
      resume() {
        socket.isPaused = false
      },
      send(text: string, done: () => void) {
        socket.bufferedAmount += text.length
        sent.push({ text, done })
      },
      read() {
        for (const { text, done } of sent.splice(0)) {
          socket.bufferedAmount -= text.length
          done()
        }
      },
    })
    let steps = 0
    const stream = { step: async () => ({ output: Float32Array.of(++steps / 1000) }) }
    const call = new Call({ token: 't', options: { probabilities: true }, limits, told }, () => stream)
    call.attach(socket)
    return { call, socket, steps: () => steps }
  }

  it('takes no more sound of a caller that does not read, and goes on when it does', async () => {
    const { call, socket, steps } = make()
    for (let n = 0; n < 60; n++) socket.emit('message', Buffer.alloc(1024), true)
    await sleep(20)
    const taken = steps()
    expect(taken).toBeLessThan(30)
    expect(socket.isPaused).toBe(true)
    await sleep(20)
    expect(steps()).toBe(taken)
    while (call.frames < 60) {
      socket.read()
      await sleep(1)
    }
    expect(socket.isPaused).toBe(false)
  })
})
