/** Batchers: the bits of a lone stream whoever shares the batch, the order of calls, and what abort, overload and close do. */
import { tracingChannel } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { BatchedStream, Batcher, GRU, LSTM, RNN, type Stream } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from './backends.ts'
import { runModule } from './child.ts'
import { expectError, expectRejected, rejection } from './wrong.ts'

const I = 6

function frame(n: number): Float32Array {
  return Float32Array.from({ length: I }, (_, i) => Math.sin(n * 7.1 + i * 1.9))
}

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

  it('puts what waits at the same moment into one batch', async () => {
    const batcher = lstm.batcher({ maxBatch: 10 })
    const streams = Array.from({ length: 10 }, () => batcher.open())
    await Promise.all(streams.map((stream, n) => stream.step(frame(n))))
    expect(batcher.stats()).toEqual({ streams: 10, queued: 0, batches: 1, steps: 10, meanBatch: 10 })
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

  it('says what is wrong', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    await expectRejected(stream.step([1] as never), 'ERR_RNN_SHAPE', 'frame must be a Float32Array of I = 6 values')
    await expectRejected(stream.step(new Float32Array(7)), 'ERR_RNN_SHAPE', 'frame must have length I = 6, got 7')
    await expectRejected(
      stream.step(frame(1), { signal: 1 } as never),
      'ERR_RNN_OPTION',
      'signal must be an AbortSignal',
    )
    await expectRejected(stream.step(frame(1), { sginal: 1 } as never), 'ERR_RNN_OPTION', "did you mean 'signal'")
    expectError(() => lstm.batcher({ maxBatch: 0 }), 'ERR_RNN_OPTION', 'maxBatch must be an integer from 1')
    expectError(() => lstm.batcher({ maxQueue: 1.5 }), 'ERR_RNN_OPTION', 'maxQueue must be an integer from 1')
    expectError(() => lstm.batcher({ maxDelayMs: -1 }), 'ERR_RNN_OPTION', 'maxDelayMs must be a number of milliseconds')
    expectError(() => lstm.batcher({ batch: 1 } as never), 'ERR_RNN_OPTION', "unknown option 'batch'")
    expectError(() => batcher.open({ h0: [[1, 2]] }), 'ERR_RNN_SHAPE', 'h0')
    expectError(() => stream.reset({ h0: [[1, 2]] }), 'ERR_RNN_SHAPE', 'h0')
    expectError(
      () => new GRU(I, 4, { bidirectional: true, backend }).batcher(),
      'ERR_RNN_OPTION',
      'batcher needs a unidirectional layer',
    )
    expectError(
      () => new GRU(I, 4, { backend }).batcher().open({ c0: [] } as never),
      'ERR_RNN_OPTION',
      'only an LSTM has a cell state',
    )
    expectError(
      () => new (Batcher as unknown as new (...values: unknown[]) => unknown)('GRU', {}),
      'ERR_RNN_OPTION',
      'layer.batcher()',
    )
    expectError(
      () => new (BatchedStream as unknown as new (...values: unknown[]) => unknown)({}, {}),
      'ERR_RNN_OPTION',
      'batcher.open()',
    )
    const disposed = new GRU(I, 4, { backend })
    disposed.dispose()
    expectError(() => disposed.batcher(), 'ERR_RNN_DISPOSED', 'was disposed')
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
    expect(batcher.stats()).toEqual({ streams: 300, queued: 0, batches: 30, steps: 3000, meanBatch: 100 })
  })

  it('tells of its batches to those who listen', async () => {
    const seen: unknown[] = []
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
    const listeners = names.map((event) => {
      const listener = (message: unknown) => void seen.push({ event, ...(message as object) })
      return [event, listener] as const
    })
    const channel = tracingChannel('native-rnn:batch')
    for (const [event, listener] of listeners) channel[event].subscribe(listener)
    const batcher = lstm.batcher({ maxBatch: 2 })
    const [a, b] = [batcher.open(), batcher.open()]
    await Promise.all([a.step(frame(1)), b.step(frame(2))])
    for (const [event, listener] of listeners) channel[event].unsubscribe(listener)
    await a.step(frame(3))
    const told = { layer: 'LSTM', backend, steps: 2, queued: 0 }
    expect(seen).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'].map((event) => ({ event, ...told })))
  })
})
