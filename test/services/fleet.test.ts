/** examples/fleet: killed workers and servers lose nothing, and nothing counts twice. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { LSTM } from 'native-rnn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasModel } from './voice-server.ts'

const example = fileURLToPath(new URL('../../examples/fleet/', import.meta.url))
const load = (file: string) => import(pathToFileURL(`${example}${file}`).href)
const { Queue } = createRequire(`${example}score.mjs`)('bullmq')

let redis: { url: string; stop(): Promise<void> }
beforeAll(async () => {
  redis = await (await load('redis.mjs')).startRedis()
})
afterAll(() => redis?.stop())

describe('a file scored by many', () => {
  const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
  const path = join(folder, 'digits.bin')
  let score: (path: string, first: number, count: number) => Promise<Buffer>
  beforeAll(async () => {
    const { loadScorer, writeDigits } = await load('digits.mjs')
    await writeDigits(path, 6)
    score = await loadScorer()
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('gives the same bytes however it is cut', async () => {
    const parts = [await score(path, 0, 1), await score(path, 1, 700), await score(path, 701, 299)]
    expect(Buffer.concat(parts).equals(await score(path, 0, 1000))).toBe(true)
  })

  it('loses nothing when workers are killed in the middle of a job', async () => {
    const { scoreFile } = await load('fleet.mjs')
    const options = { records: 6000, perJob: 500, workers: 2, kill: 2 }
    const { scores, repeated } = await scoreFile(redis.url, path, options)
    expect(repeated).toBeGreaterThan(0)
    expect(scores.equals(await score(path, 0, 6000))).toBe(true)
  })

  it('is the same work when it is enqueued twice', async () => {
    const { enqueue, QUEUE } = await load('fleet.mjs')
    const queue = new Queue(QUEUE, { connection: { url: redis.url } })
    await enqueue(queue, path, 6000, 500)
    await enqueue(queue, path, 6000, 500)
    expect(await queue.getWaitingCount()).toBe(12)
    await queue.obliterate({ force: true })
    await queue.close()
  })
})

describe('streams in Redis', () => {
  const frame = (n: number) => Float32Array.of(Math.sin(n), Math.cos(n))
  const two = async (name: string) => {
    const { RedisStreams } = await load('streams.mjs')
    const lstm = new LSTM(2, 5, { seed: 7 })
    const servers = [new RedisStreams(lstm, redis.url), new RedisStreams(lstm, redis.url)]
    const close = () => Promise.all(servers.map((server) => server.close()))
    const step = (server: number, n: number) => servers[server].step(name, n, frame(n))
    return { alone: lstm.stream(), step, close }
  }

  it('go on at any server, with the bits of a stream that stayed where it was', async () => {
    const { alone, step, close } = await two('any')
    for (let n = 0; n < 20; n++) expect(await step(n % 2, n)).toEqual(alone.step(frame(n)))
    await close()
  })

  it('take a step once, whoever asks how often', async () => {
    const { alone, step, close } = await two('once')
    for (let n = 0; n < 10; n++) {
      const expected = alone.step(frame(n)).slice()
      expect(await Promise.all([step(0, n), step(1, n), step(0, n)])).toEqual([expected, expected, expected])
      expect(await step(1, n)).toEqual(expected)
    }
    await expect(step(0, 12)).rejects.toThrow('the next step of once is 10, got 12')
    await expect(step(0, 3)).rejects.toThrow('the next step of once is 10, got 3')
    await close()
  })

  it('survive servers that are killed', async () => {
    const { handOver } = await load('handover.mjs')
    const { steps } = await handOver({ streams: 10, steps: 40, servers: 2, kills: 3 })
    expect(steps).toBe(400)
  })

  it('are refused in the words of the library where a frame does not fit, and stay as they are', async () => {
    const { startServer } = await load('handover.mjs')
    const server = await startServer(redis.url)
    const ask = async (path: string, body: Uint8Array | Float32Array, method = 'POST') => {
      const response = await fetch(`${server.address}${path}`, { method, body: method === 'POST' ? body : undefined })
      return [response.status, response.ok ? (await response.arrayBuffer()).byteLength : await response.text()]
    }
    expect(await ask('/a/0', new Float32Array(5))).toEqual([400, expect.stringContaining('5')])
    expect(await ask('/a/0', new Uint8Array(23))).toEqual([400, expect.stringContaining('5')])
    expect(await ask('/a/0', new Float32Array(1000))).toEqual([413, 'a frame is short'])
    expect(await ask('/a/1', new Float32Array(6))).toEqual([409, 'the next step of a is 0, got 1'])
    expect((await ask('/a', new Float32Array(6)))[0]).toBe(404)
    expect((await ask('/a/0', new Float32Array(6), 'GET'))[0]).toBe(404)
    expect(await ask('/a/0', new Float32Array(6))).toEqual([200, 128])
    await server.kill('SIGTERM')
  })
})

describe.skipIf(!hasModel)('calls behind HAProxy', () => {
  it('go on at the other server when theirs is killed, and hear what they would have heard', async () => {
    const { balance } = await load('balance.mjs')
    const { answers, onTheWire, resumed } = await balance({ calls: 8, seconds: 6, kills: 1 })
    expect(resumed).toBeGreaterThan(0)
    expect(onTheWire).toBeLessThanOrEqual(5 * resumed)
    expect(answers).toBeGreaterThan(8 * 180 - 5 * resumed)
  })

  it('are not written by a server that has lost them', async () => {
    const { RedisStore } = await load('calls.mjs')
    const [one, other] = [new RedisStore(redis.url), new RedisStore(redis.url)]
    await one.put('call', { frames: 1, epoch: 0 })
    expect(await other.take('call')).toEqual({ frames: 1, epoch: 0 })
    await one.put('call', { frames: 2, epoch: 0 })
    // Whoever takes a call and dies before he writes it leaves it to the next one.
    expect(await other.take('call')).toEqual({ frames: 1, epoch: 1 })
    await other.put('call', { frames: 3, epoch: 2 })
    expect(await one.take('call')).toEqual({ frames: 3, epoch: 2 })
    expect(await one.take('nobody')).toBeUndefined()
    await one.drop('call')
    expect(await one.take('call')).toBeUndefined()
    await Promise.all([one.close(), other.close()])
  })
})
