/** Batchers: the bits of a lone stream whoever shares the batch, and the order of calls. */
import fc from 'fast-check'
import { type BatchedStream, GRU, LSTM, RNN, type Stream } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { rejection } from '../support/errors.ts'

describe.each(backends)('a batcher on %s', (backend) => {
  const layers = [
    ['RNN', new RNN(I, 5, { seed: 1, backend })],
    ['GRU', new GRU(I, 17, { seed: 1, numLayers: 2, backend })],
    ['GRU reset before', new GRU(I, 9, { seed: 1, resetAfter: false, backend })],
    ['LSTM', new LSTM(I, 8, { seed: 1, numLayers: 3, backend })],
    ['LSTM projected', new LSTM(I, 12, { seed: 1, numLayers: 2, projSize: 4, backend })],
  ] as const
  const lstm = new LSTM(I, 8, { seed: 2, backend })

  it.each(layers)('gives each stream the bits it would have alone: %s', async (_, layer) => {
    const batcher = layer.batcher({ maxBatch: 7 })
    const pairs = Array.from({ length: 40 }, () => [batcher.open(), layer.stream()] as [BatchedStream, Stream])
    const checks = pairs.map(async ([stream, alone], k) => {
      for (let t = 0; t < 5 + (k % 9); t++) {
        const input = frame(k * 100 + t)
        expect(await stream.step(input)).toEqual(alone.step(input).slice())
        if (k % 3 === 0) await new Promise(setImmediate)
      }
      expect(stream.state()).toEqual(alone.state())
      expect(stream.save()).toEqual(alone.save())
    })
    await Promise.all(checks)
    const { steps, batches, meanBatch } = batcher.stats()
    expect(steps).toBe(pairs.reduce((sum, _, k) => sum + 5 + (k % 9), 0))
    expect(meanBatch).toBe(steps / batches)
    expect(meanBatch).toBeGreaterThan(1)
  })

  it('holds against lone streams in any order of steps, resets, aborts and turns', async () => {
    const act = fc.record({
      stream: fc.nat(5),
      what: fc.constantFrom('step', 'step', 'step', 'step', 'abort', 'reset', 'turn', 'state'),
      value: fc.nat(1000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 80 }), fc.integer({ min: 1, max: 5 }), async (acts, maxBatch) => {
        const batcher = lstm.batcher({ maxBatch })
        const pairs = Array.from({ length: 6 }, () => [batcher.open(), lstm.stream()] as const)
        const promises: Promise<void>[] = []
        for (const { stream: index, what, value } of acts) {
          const [stream, alone] = pairs[index]
          if (what === 'turn') await new Promise(setImmediate)
          if (what === 'state') stream.state()
          if (what === 'reset') {
            const h0 = [Array.from({ length: 8 }, (_, i) => Math.cos(value + i))]
            stream.reset({ h0 })
            alone.reset({ h0 })
          }
          if (what === 'step') {
            const want = alone.step(frame(value)).slice()
            promises.push(stream.step(frame(value)).then((got) => expect(got).toEqual(want)))
          }
          if (what === 'abort') {
            const controller = new AbortController()
            const { signal } = controller
            const step = stream.step(frame(value), { signal })
            controller.abort()
            promises.push(rejection(step).then((error) => expect(error).toBe(signal.reason)))
          }
        }
        await Promise.all(promises)
        await batcher.drain()
        for (const [stream, alone] of pairs) expect(stream.state()).toEqual(alone.state())
        await batcher.close()
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the order within a stream', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    const alone = lstm.stream()
    const order: number[] = []
    const steps = Array.from({ length: 30 }, (_, n) =>
      stream.step(frame(n)).then((output) => {
        order.push(n)
        return output
      }),
    )
    const outputs = await Promise.all(steps)
    expect(order).toEqual(order.map((_, n) => n))
    for (const [n, output] of outputs.entries()) expect(output).toEqual(alone.step(frame(n)).slice())
  })

  it('copies the frame, and gives an array of the caller’s own', async () => {
    const stream = lstm.batcher().open()
    const input = frame(1)
    const first = stream.step(input)
    input.fill(5)
    const second = stream.step(frame(2))
    const alone = lstm.stream()
    expect(await first).toEqual(alone.step(frame(1)).slice())
    ;(await first).fill(0)
    expect(await second).toEqual(alone.step(frame(2)).slice())
  })

  it('begins from a state, and resets in the order of the calls', async () => {
    const h0 = [Array.from({ length: 8 }, (_, i) => i / 10)]
    const c0 = [Array.from({ length: 8 }, (_, i) => -i / 5)]
    const stream = lstm.batcher().open({ h0, c0 })
    const alone = lstm.stream({ h0, c0 })
    expect(stream.state()).toEqual(alone.state())
    const before = stream.step(frame(1))
    stream.reset({ h0 })
    const after = stream.step(frame(2))
    expect(await before).toEqual(alone.step(frame(1)).slice())
    alone.reset({ h0 })
    expect(await after).toEqual(alone.step(frame(2)).slice())
    stream.reset()
    alone.reset()
    expect(stream.state()).toEqual(alone.state())
  })

  it('grows with its streams and its queue', async () => {
    const batcher = lstm.batcher({ maxBatch: 100, maxQueue: 3000 })
    const streams = Array.from({ length: 300 }, () => batcher.open())
    const steps = streams.flatMap((stream, n) => Array.from({ length: 10 }, (_, t) => stream.step(frame(n + t))))
    const outputs = await Promise.all(steps)
    for (const n of [0, 1, 150, 299]) {
      const alone = lstm.stream()
      for (let t = 0; t < 10; t++) expect(outputs[n * 10 + t]).toEqual(alone.step(frame(n + t)).slice())
    }
    expect(batcher.stats()).toMatchObject({ streams: 300, queued: 0, batches: 30, steps: 3000, meanBatch: 100 })
  })
})
