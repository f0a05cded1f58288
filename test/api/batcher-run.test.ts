/** Many frames in one call of a batched stream: the bits of its steps, its place in the order of calls, and what ends it. */
import fc from 'fast-check'
import { GRU, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { expectRejected, rejection } from '../support/errors.ts'

const framesOf = (from: number, count: number) => Array.from({ length: count }, (_, t) => frame(from + t))

describe.each(backends)('a run of a batched stream on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, backend })
  const layers = [
    ['RNN', new RNN(I, 5, { seed: 1, backend })],
    ['GRU', new GRU(I, 40, { seed: 1, numLayers: 2, backend })],
    ['LSTM projected', new LSTM(I, 12, { seed: 1, numLayers: 2, projSize: 4, backend })],
  ] as const

  it.each(layers)('has the bits of steps, whoever runs beside it: %s', async (_, layer) => {
    const batcher = layer.batcher({ maxBatch: 3 })
    const streams = Array.from({ length: 7 }, () => batcher.open())
    const runs = streams.map((stream, n) => stream.run(framesOf(n * 100, 5 + n)))
    for (const [n, run] of runs.entries()) {
      const alone = layer.stream()
      const { data, shape } = await run
      const want = alone.run(framesOf(n * 100, 5 + n))
      expect(shape).toEqual(want.shape)
      expect(data).toEqual(want.data)
      expect(streams[n].state()).toEqual(alone.state())
    }
    expect(batcher.stats()).toMatchObject({ queued: 0, steps: 7 * 8 })
  })

  it('lets others step at every frame of it', async () => {
    const batcher = lstm.batcher({ maxBatch: 4 })
    const [long, short] = [batcher.open(), batcher.open()]
    let isDone = false
    const run = long.run(framesOf(0, 1000)).then(() => {
      isDone = true
    })
    for (let t = 0; t < 20; t++) await short.step(frame(t))
    expect(isDone).toBe(false)
    expect(batcher.stats().batches).toBeLessThan(100)
    await run
  })

  it('stands in the order of calls', async () => {
    const stream = lstm.batcher({ maxBatch: 2 }).open()
    const alone = lstm.stream()
    const results = [stream.step(frame(1)), stream.run(framesOf(10, 3)), stream.step(frame(2))] as const
    stream.reset()
    const after = stream.run(framesOf(20, 2))
    expect(await results[0]).toEqual(alone.step(frame(1)).slice())
    expect((await results[1]).data).toEqual(alone.run(framesOf(10, 3)).data)
    expect(await results[2]).toEqual(alone.step(frame(2)).slice())
    alone.reset()
    expect((await after).data).toEqual(alone.run(framesOf(20, 2)).data)
    expect(stream.state()).toEqual(alone.state())
  })

  it('copies its frames', async () => {
    const stream = lstm.batcher().open()
    const input = { data: new Float32Array(framesOf(1, 3).flatMap((one) => [...one])), shape: [3, I] }
    const want = lstm.stream().run(input).data
    const run = stream.run(input)
    input.data.fill(9)
    expect((await run).data).toEqual(want)
  })

  it('counts as one call that waits, until its last frame has gone', async () => {
    const batcher = lstm.batcher({ maxQueue: 2 })
    const stream = batcher.open()
    const run = stream.run(framesOf(0, 50))
    await stream.step(frame(0)).then((output) => expect(output.length).toBe(8))
    await run
    const runs = [stream.run(framesOf(0, 50)), stream.run(framesOf(0, 50))]
    await expectRejected(stream.run(framesOf(0, 1)), 'ERR_RNN_OVERLOADED', 'the queue is full')
    await new Promise(setImmediate)
    expect(batcher.stats()).toMatchObject({ queued: 2, rejected: 1 })
    await Promise.all(runs)
    expect(batcher.stats().queued).toBe(0)
    await batcher.close()
  })

  it('of no frames gives no outputs', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    const empty = { data: new Float32Array(0), shape: [0, I] }
    expect(await stream.run(empty)).toMatchObject({ shape: [0, 8], data: new Float32Array(0) })
    await batcher.close()
    await expectRejected(stream.run(empty), 'ERR_RNN_DISPOSED', 'the batcher was closed')
    stream.close()
    await expectRejected(stream.run(empty), 'ERR_RNN_DISPOSED', 'the stream was closed')
  })

  it('leaves the state of before it when it is aborted, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(6), fc.nat(3), fc.boolean(), async (turns, before, isLast) => {
        const batcher = lstm.batcher({ maxBatch: 2 })
        const [stream, other] = [batcher.open(), batcher.open()]
        const alone = lstm.stream()
        for (let t = 0; t < before; t++) stream.step(frame(t)).catch(() => {})
        for (let t = 0; t < before; t++) alone.step(frame(t))
        const controller = new AbortController()
        const { signal } = controller
        const run = stream.run(framesOf(50, 40), { signal })
        const failure = rejection(run)
        const after = isLast ? undefined : stream.step(frame(7))
        for (let n = 0; n < turns; n++) await other.step(frame(n))
        controller.abort()
        expect(await failure).toBe(signal.reason)
        if (after) expect(await after).toEqual(alone.step(frame(7)).slice())
        await batcher.drain()
        expect(stream.state()).toEqual(alone.state())
        expect(batcher.stats().queued).toBe(0)
        // Its slots are free, each once.
        const streams = Array.from({ length: 40 }, () => batcher.open())
        const outputs = await Promise.all(streams.map((one, n) => one.run(framesOf(n, 2))))
        for (const [n, { data }] of outputs.entries()) expect(data).toEqual(lstm.stream().run(framesOf(n, 2)).data)
        await batcher.close()
      }),
      { numRuns: 15 },
    )
  })

  it.each([
    ['few', I],
    ['many', 40],
  ])(
    'leaves its place and its slots to others once it is aborted, also while a frame of it is in a batch: %s inputs',
    async (_, inputs) => {
      const layer = new RNN(inputs, 5, { seed: 3, backend })
      const values = (from: number, count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(from + i))
      const frameAt = (n: number) => values(n * 10, inputs)
      // Batches of one step: on threads, two of them run beside each other.
      const batcher = layer.batcher({ maxBatch: 1, maxQueue: 3 })
      const streams = Array.from({ length: 5 }, () => batcher.open())
      // The slot that was used first is then the one that is taken last.
      await Promise.all(streams.slice(2).map((stream, n) => stream.step(frameAt(n))))
      const stop = new AbortController()
      const { signal } = stop
      const frames = { data: values(0.5, 2 * inputs), shape: [2, inputs] }
      const failures = streams.slice(0, 2).map((stream) => rejection(stream.run(frames, { signal })))
      await new Promise<void>((resolve) => process.nextTick(resolve))
      stop.abort()
      expect(batcher.stats().queued).toBe(0)
      const steps = streams.slice(2).map((stream, n) => stream.step(frameAt(n + 5)))
      for (const [n, step] of steps.entries()) {
        const alone = layer.stream()
        alone.step(frameAt(n))
        expect(await step).toEqual(alone.step(frameAt(n + 5)).slice())
        expect(streams[n + 2].state()).toEqual(alone.state())
      }
      for (const failure of failures) expect(await failure).toBe(signal.reason)
      for (const stream of streams.slice(0, 2)) expect(stream.state()).toEqual(layer.stream().state())
      await batcher.close()
    },
  )

  it('is finished when its stream or its batcher closes', async () => {
    const batcher = lstm.batcher()
    const [one, two] = [batcher.open(), batcher.open()]
    const runs = [one.run(framesOf(1, 20)), two.run(framesOf(2, 20))]
    one.close()
    const closed = batcher.close()
    await expectRejected(two.run(framesOf(1, 1)), 'ERR_RNN_DISPOSED', 'the batcher was closed')
    await closed
    for (const [n, run] of runs.entries()) expect((await run).data).toEqual(lstm.stream().run(framesOf(n + 1, 20)).data)
  })

  it('says what is wrong', async () => {
    const stream = lstm.batcher().open()
    const rank = 'Expected frames to be 2-D (T, I) but received 3-D tensor'
    await expectRejected(stream.run([[[1]]]), 'ERR_RNN_SHAPE', rank)
    await expectRejected(
      stream.run([[1]]),
      'ERR_RNN_SHAPE',
      'frames.size(-1) must be equal to input_size. Expected 6, got 1',
    )
    await expectRejected(
      stream.run([frame(1)], { signal: 1 as never }),
      'ERR_RNN_OPTION',
      'signal must be an AbortSignal',
    )
    await expectRejected(stream.run([frame(1)], { sginal: 1 } as never), 'ERR_RNN_OPTION', "did you mean 'signal'")
    const controller = new AbortController()
    controller.abort()
    expect(await rejection(stream.run([frame(1)], { signal: controller.signal }))).toBe(controller.signal.reason)
  })
})
