/** The system's clock leaps while streams step: batches go on, live streams stay, and every answer is the one of a stream alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { LSTM } from 'native-rnn'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'

const real = globalThis.Date

describe.each(engines)('batchers while the clock is moved, %s', (backend) => {
  beforeEach(async () => {
    const { MovedDate } = await import('../support/moved-clock.mjs')
    globalThis.Date = MovedDate as unknown as DateConstructor
  })
  afterEach(() => {
    globalThis.Date = real
  })

  it('lose no answer, evict nobody who steps, and measure times that passed', async () => {
    expect(Math.abs(Date.now() - real.now())).toBeGreaterThan(1000)
    const lstm = new LSTM(3, 5, { seed: 2, backend })
    const evicted: unknown[] = []
    const idleMs = 1000
    const batcher = lstm.batcher({ maxBatch: 8, maxDelayMs: 2, idleMs, onIdle: (stream) => evicted.push(stream) })
    const frames = Array.from({ length: 40 }, (_, t) => Float32Array.of(Math.sin(t), Math.cos(t), t / 50))
    const streams = Array.from({ length: 20 }, () => batcher.open())
    const began = performance.now()
    const answers = await Promise.all(
      streams.map(async (stream, n) => {
        const own: Float32Array[] = []
        for (const frame of frames) {
          own.push(await stream.step(frame))
          if (n % 4 === 0) await sleep(5)
        }
        return own
      }),
    )
    const passed = performance.now() - began
    const alone = lstm.stream()
    const expected = frames.map((frame) => alone.step(frame).slice())
    for (const own of answers) expect(own).toEqual(expected)
    expect(evicted).toEqual([])
    const { streams: open, steps, waitMs, batchMs } = batcher.stats()
    expect([open, steps]).toEqual([20, 20 * 40])
    for (const { p99 } of [waitMs, batchMs]) expect(p99).toBeLessThan(passed)
    const idle = performance.now()
    while (evicted.length < 20 && performance.now() < idle + 20 * idleMs) await sleep(20)
    expect(evicted.length).toBe(20)
    expect(performance.now() - idle).toBeGreaterThan(idleMs / 2)
    await batcher.close()
  })
})
