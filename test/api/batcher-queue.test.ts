/** The queue of a batcher: what makes one batch, how long a step waits, and what overload, abort and close do. */
import { LSTM } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { runModule } from '../support/child.ts'
import { expectError, expectRejected, rejection } from '../support/errors.ts'

describe.each(backends)('a batcher on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, backend })

  it('puts what waits at the same moment into one batch', async () => {
    const batcher = lstm.batcher({ maxBatch: 10 })
    const streams = Array.from({ length: 10 }, () => batcher.open())
    await Promise.all(streams.map((stream, n) => stream.step(frame(n))))
    expect(batcher.stats()).toMatchObject({ streams: 10, queued: 0, batches: 1, steps: 10, meanBatch: 10 })
  })

  it('waits for others as long as maxDelayMs allows', async () => {
    const batcher = lstm.batcher({ maxBatch: 3, maxDelayMs: 2 ** 31 - 1 })
    const streams = Array.from({ length: 4 }, () => batcher.open())
    const first = streams[0].step(frame(0))
    await new Promise(setImmediate)
    expect(batcher.stats().queued).toBe(1)
    const others = [streams[1].step(frame(1)), streams[2].step(frame(2))]
    await Promise.all([first, ...others])
    expect(batcher.stats().batches).toBe(1)
    const last = streams[3].step(frame(3))
    await batcher.close()
    expect((await last).length).toBe(8)
  })

  it('lets a step go when its delay is over', async () => {
    const batcher = lstm.batcher({ maxBatch: 3, maxDelayMs: 1 })
    expect(await batcher.open().step(frame(1))).toEqual(lstm.stream().step(frame(1)))
  })

  it('holds the process for its delay only while a step waits', async () => {
    const ended = await runModule(`
      import { RNN } from 'native-rnn'
      const batcher = new RNN(2, 3, { backend: '${backend}' }).batcher({ maxBatch: 2, maxDelayMs: 2 ** 31 - 1 })
      const [a, b] = [batcher.open(), batcher.open()]
      const turn = () => new Promise((resolve) => setTimeout(resolve, 1))
      const first = a.step(new Float32Array(2))
      await turn()
      await Promise.all([first, b.step(new Float32Array(2))])
      const control = new AbortController()
      const aborted = a.step(new Float32Array(2), control).catch(() => 'aborted')
      await turn()
      control.abort()
      console.log(await aborted)
    `)
    expect(ended).toEqual({ ended: 0, stdout: 'aborted\n', stderr: '' })
  })

  it('rejects what does not fit the queue, and takes more when there is room', async () => {
    const batcher = lstm.batcher({ maxQueue: 4 })
    const stream = batcher.open()
    const four = Array.from({ length: 4 }, (_, n) => stream.step(frame(n)))
    await expectRejected(
      stream.step(frame(4)),
      'ERR_RNN_OVERLOADED',
      'the queue is full: 4 steps wait, and maxQueue is 4',
    )
    await Promise.all(four)
    const alone = lstm.stream()
    for (let n = 0; n < 4; n++) alone.step(frame(n))
    expect(await stream.step(frame(5))).toEqual(alone.step(frame(5)).slice())
  })

  it('moves no state for a step that is aborted, waiting or running', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    const alone = lstm.stream()
    const controller = new AbortController()
    const { signal } = controller
    const kept = stream.step(frame(1))
    const running = batcher.open().step(frame(1), { signal })
    const waiting = stream.step(frame(2), { signal })
    const after = stream.step(frame(3))
    // The steps are launched at the end of this turn, and none has ended by the next microtask.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    controller.abort(new Error('enough'))
    expect(await rejection(running)).toBe(signal.reason)
    expect(await rejection(waiting)).toBe(signal.reason)
    expect(await kept).toEqual(alone.step(frame(1)).slice())
    expect(await after).toEqual(alone.step(frame(3)).slice())
    expect(await rejection(stream.step(frame(4), { signal }))).toBe(signal.reason)
    expect(stream.state()).toEqual(alone.state())
    await batcher.drain()
    expect(batcher.stats().queued).toBe(0)
  })

  it('frees the place of an aborted step at once', async () => {
    const batcher = lstm.batcher({ maxQueue: 1 })
    const stream = batcher.open()
    for (let n = 0; n < 5; n++) {
      const controller = new AbortController()
      const step = stream.step(frame(n), { signal: controller.signal })
      controller.abort()
      await rejection(step)
    }
    await stream.step(frame(1))
    await batcher.drain()
  })

  it('drains at once when nothing waits', async () => {
    await lstm.batcher().drain()
  })

  it('finishes what waits when it closes, and keeps the states', async () => {
    const layer = new LSTM(I, 8, { seed: 2, backend })
    const batcher = layer.batcher({ maxBatch: 2 })
    const streams = Array.from({ length: 9 }, () => batcher.open())
    const steps = streams.map((stream, n) => stream.step(frame(n)))
    layer.dispose()
    const closed = batcher.close()
    await expectRejected(streams[0].step(frame(0)), 'ERR_RNN_DISPOSED', 'the batcher was closed')
    expectError(() => batcher.open(), 'ERR_RNN_DISPOSED', 'the batcher was closed')
    await closed
    for (const [n, step] of steps.entries()) {
      const alone = lstm.stream()
      expect(await step).toEqual(alone.step(frame(n)).slice())
      expect(streams[n].state()).toEqual(alone.state())
      const restored = lstm.restoreStream(streams[n].save())
      expect(restored.step(frame(77))).toEqual(alone.step(frame(77)))
    }
    for (const stream of streams) stream.close()
    await batcher.close()
    expect(batcher.stats().streams).toBe(0)
  })

  it('finishes the steps of a stream that closes, and gives its place to another', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    const steps = [stream.step(frame(1)), stream.step(frame(2))]
    stream.close()
    stream.close()
    await expectRejected(stream.step(frame(3)), 'ERR_RNN_DISPOSED', 'the stream was closed')
    expectError(() => stream.state(), 'ERR_RNN_DISPOSED', 'the stream was closed')
    expectError(() => stream.reset(), 'ERR_RNN_DISPOSED', 'the stream was closed')
    expectError(() => stream.save(), 'ERR_RNN_DISPOSED', 'the stream was closed')
    const alone = lstm.stream()
    expect(await steps[0]).toEqual(alone.step(frame(1)).slice())
    expect(await steps[1]).toEqual(alone.step(frame(2)).slice())
    for (let n = 0; n < 50; n++) {
      const next = batcher.open()
      expect(next.state()).toEqual(lstm.stream().state())
      await next.step(frame(n))
      next.close()
    }
    expect(batcher.stats().streams).toBe(0)
  })
})
