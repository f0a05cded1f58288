/** Who waits for whom: streams of one batcher, weights of one batcher, and batchers that share the threads of the process; and what stats say of it. */
import { type TracingChannelSubscribers, tracingChannel } from 'node:diagnostics_channel'
import { availableParallelism } from 'node:os'
import { type BatchTrace, LSTM, Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { affine, modelBackends } from '../support/model-files.ts'

/** Listens to the batches of all batchers, until what it gives is called. */
function onBatches(listeners: Partial<TracingChannelSubscribers<BatchTrace>>): () => void {
  const channel = tracingChannel<'native-rnn:batch', BatchTrace>('native-rnn:batch')
  const all = listeners as TracingChannelSubscribers<BatchTrace>
  channel.subscribe(all)
  return () => channel.unsubscribe(all)
}

describe.each(backends)('fairness on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, backend })

  // Where batches run beside each other, one may end before another that began sooner.
  it.runIf(backend === 'typescript')('gives every stream a step before any has a second', async () => {
    const batcher = lstm.batcher({ maxBatch: 2 })
    const streams = Array.from({ length: 6 }, () => batcher.open())
    const order: number[] = []
    const steps = streams.flatMap((stream, n) =>
      Array.from({ length: 5 - (n % 2) }, (_, t) => stream.step(frame(t)).then(() => order.push(n))),
    )
    await Promise.all(steps)
    for (let turn = 0; turn < 4; turn++) expect(order.slice(turn * 6, turn * 6 + 6).sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  // What goes to the threads goes in its order; how fast they are is not the batchers' to say. So what is held back is counted, not what has ended meanwhile.
  it('lets a batcher with one step pass one with a long queue', async () => {
    const busy = lstm.batcher({ maxBatch: 4 })
    let running = 0
    let most = 0
    const stop = onBatches({
      start: () => {
        running++
        most = Math.max(most, running)
      },
      asyncEnd: () => running--,
    })
    const runs = Array.from({ length: 16 }, () => busy.open().run(Array.from({ length: 200 }, (_, t) => frame(t))))
    await busy.open().step(frame(0))
    const batcher = lstm.batcher()
    const stream = batcher.open()
    for (let t = 0; t < 5; t++) await stream.step(frame(t))
    expect(busy.stats().queued).toBeGreaterThan(0)
    await Promise.all(runs)
    stop()
    // Of 800 batches: as many as there are threads and one behind them, of each of the two.
    expect(most).toBeLessThanOrEqual(2 * (availableParallelism() + 1))
  })

  it('lets streams that are kept on old weights step beside full batches of the new', async () => {
    const batcher = lstm.batcher({ maxBatch: 2 })
    const kept = batcher.open()
    // Batches say which backend theirs is.
    const other = backends.find((name) => name !== backend)!
    batcher.replace(new LSTM(I, 8, { seed: 3, backend: other }), { streams: 'keep' })
    let before = 0
    let begun = 0
    const stop = onBatches({
      start: (batch) => {
        if (batch.backend === backend) begun = before
        else before++
      },
    })
    const runs = Array.from({ length: 12 }, () => batcher.open().run(Array.from({ length: 60 }, (_, t) => frame(t))))
    await batcher.open().step(frame(0))
    const alone = lstm.stream()
    for (let t = 0; t < 5; t++) {
      before = 0
      expect(await kept.step(frame(t))).toEqual(alone.step(frame(t)).slice())
      // Each of the twelve had at most the step that it waited for already. Not all 360 batches.
      expect(begun).toBeLessThanOrEqual(12)
    }
    expect(batcher.stats().queued).toBeGreaterThan(0)
    await Promise.all(runs)
    stop()
  })

  it('says how long steps waited and batches took', async () => {
    const none = { p50: 0, p99: 0 }
    const batcher = lstm.batcher({ maxBatch: 2, maxDelayMs: 2 ** 30 })
    expect(batcher.stats()).toMatchObject({ rejected: 0, evicted: 0, waitMs: none, batchMs: none })
    const real = performance.now
    let now = 1000
    performance.now = () => now
    try {
      const [a, b] = [batcher.open(), batcher.open()]
      for (let n = 0; n < 10; n++) {
        const first = a.step(frame(n))
        await new Promise<void>((waiting) => process.nextTick(waiting))
        now += n === 9 ? 700 : 40
        const second = b.step(frame(n))
        await new Promise<void>((launched) => process.nextTick(launched))
        now += 8
        await Promise.all([first, second])
      }
    } finally {
      performance.now = real
    }
    const { waitMs, batchMs } = batcher.stats()
    // Half of the steps waited for nobody.
    expect(waitMs.p50).toBeLessThan(0.001)
    expect(Math.abs(waitMs.p99 - 700) / 700).toBeLessThan(1 / 32)
    expect(Math.abs(batchMs.p50 - 8) / 8).toBeLessThan(1 / 32)
    expect(batchMs.p99).toBe(batchMs.p50)
  })

  it('forgets what was long ago', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    const real = performance.now
    let now = 1000
    performance.now = () => now
    const step = async (ms: number) => {
      const one = stream.step(frame(1))
      await new Promise<void>((launched) => process.nextTick(launched))
      now += ms
      await one
    }
    try {
      for (let n = 0; n < 100; n++) await step(500)
      expect(batcher.stats().batchMs.p50).toBeGreaterThan(480)
      for (let n = 0; n < 1000; n++) await step(2)
      const { batchMs } = batcher.stats()
      expect(batchMs.p99).toBeLessThan(2.1)
      expect(batchMs.p50).toBeGreaterThan(1.9)
    } finally {
      performance.now = real
    }
  })

  it('goes on where the clock goes back, stands still, or is none', async () => {
    const real = performance.now
    const clocks = [() => Number.NaN, () => -5, () => '7', () => 1e300, () => 3n, () => 0]
    const batcher = lstm.batcher({ maxDelayMs: 1, idleMs: 1000 })
    const [stream, alone] = [batcher.open(), lstm.stream()]
    try {
      for (const [n, clock] of clocks.entries()) {
        performance.now = clock as () => number
        const step = stream.step(frame(n))
        await new Promise((resolve) => setTimeout(resolve, 2))
        performance.now = real
        const other = batcher.open().step(frame(1))
        expect(await step).toEqual(alone.step(frame(n)).slice())
        await other
      }
    } finally {
      performance.now = real
    }
    await batcher.close()
  })
})

describe.each(modelBackends)('fairness of models on %s', (backend) => {
  it('lets a batcher of a model pass one of a layer with a long queue', async () => {
    const lstm = new LSTM(I, 8, { seed: 2, backend })
    const busy = lstm.batcher({ maxBatch: 4 })
    const runs = Array.from({ length: 16 }, () => busy.open().run(Array.from({ length: 100 }, (_, t) => frame(t))))
    const model = Model.read(affine(), { backend })
    const stream = model.batcher().open()
    await busy.open().step(frame(0))
    const size = model.inputs[0].shape!.at(-1) as number
    for (let t = 0; t < 3; t++) {
      const { batches } = busy.stats()
      await stream.step(new Float32Array(size))
      expect(busy.stats().batches - batches).toBeLessThanOrEqual(100)
    }
    expect(busy.stats().queued).toBeGreaterThan(0)
    await Promise.all(runs)
  })
})
