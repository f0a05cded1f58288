/** The streams of a batcher: how many there may be, how they are restored, and what becomes of those that nobody steps. */
import { channel } from 'node:diagnostics_channel'
import { type BatchedStream, type Batcher, type BatcherOptions, GRU, LSTM, Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { runModule } from '../support/child.ts'
import { expectError } from '../support/errors.ts'
import { modelBackends, recurrent } from '../support/model-files.ts'

interface Evicted {
  readonly stream: BatchedStream
  readonly saved: Uint8Array
}

/** A batcher that evicts at once, and the streams that it has evicted, as they come. */
function evicting(layer: LSTM, options: BatcherOptions = {}) {
  const evicted: Evicted[] = []
  let tell = () => {}
  const onIdle = (stream: BatchedStream, saved: Uint8Array) => {
    evicted.push({ stream, saved })
    tell()
  }
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      tell = () => evicted.length >= count && resolve()
      tell()
    })
  // An unref'd timer alone would let the process end while the test waits.
  const held = setInterval(() => {}, 1000)
  return { batcher: layer.batcher({ idleMs: 1, onIdle, ...options }), evicted, until, end: () => clearInterval(held) }
}

describe.each(backends)('a batcher on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, numLayers: 2, backend })

  it('opens no more than maxStreams, and says what it has refused', () => {
    const told: unknown[] = []
    const listener = (message: unknown) => void told.push(message)
    channel('native-rnn:reject').subscribe(listener)
    const batcher = lstm.batcher({ maxStreams: 2 })
    const saved = lstm.stream().save()
    const [first] = [batcher.open(), batcher.open()]
    const words = 'the batcher is full: 2 streams are open, and maxStreams is 2'
    expectError(() => batcher.open(), 'ERR_RNN_OVERLOADED', words)
    expectError(() => batcher.restore(saved), 'ERR_RNN_OVERLOADED', words)
    expect(batcher.stats()).toMatchObject({ streams: 2, rejected: 2 })
    first.close()
    batcher.restore(saved)
    expect(batcher.stats()).toMatchObject({ streams: 2, rejected: 2 })
    channel('native-rnn:reject').unsubscribe(listener)
    const common = { layer: 'LSTM', backend, streams: 2, queued: 0 }
    expect(told).toEqual([
      { ...common, call: 'open' },
      { ...common, call: 'restore' },
    ])
  })

  it('restores what its streams and those of layers have saved', async () => {
    const batcher = lstm.batcher()
    const [alone, stream] = [lstm.stream(), batcher.open()]
    alone.step(frame(1))
    await stream.step(frame(1))
    for (const bytes of [alone.save(), stream.save()]) {
      const restored = batcher.restore(bytes)
      expect(restored.state()).toEqual(alone.state())
      expect(await restored.step(frame(2))).toEqual(lstm.restoreStream(bytes).step(frame(2)))
    }
  })

  it('refuses bytes that are not those of one row of its weights', () => {
    const batcher = lstm.batcher()
    const other = new LSTM(I, 8, { seed: 3, numLayers: 2, backend })
    const bytes = lstm.stream().save()
    expectError(() => batcher.restore(other.stream().save()), 'ERR_RNN_STATE', 'the saved state is of other weights')
    expectError(() => batcher.restore(bytes.slice(0, -1)), 'ERR_RNN_STATE', 'damaged')
    expectError(() => batcher.restore({} as never), 'ERR_RNN_STATE', 'bytes must be the Uint8Array that save() gave')
    const rows = lstm.stream({ batchSize: 2 }).save()
    const words = "the saved state is of a stream with batch size 2: a batcher's stream has one row"
    expectError(() => batcher.restore(rows), 'ERR_RNN_STATE', words)
    expect(batcher.stats()).toMatchObject({ streams: 0, rejected: 0 })
  })

  it('saves and closes a stream that is idle, and goes on from what it saved', async () => {
    const told: unknown[] = []
    const listener = (message: unknown) => void told.push(message)
    channel('native-rnn:evict').subscribe(listener)
    const { batcher, evicted, until, end } = evicting(lstm)
    const stream = batcher.open()
    const output = await stream.step(frame(1))
    const alone = lstm.stream()
    expect(output).toEqual(alone.step(frame(1)).slice())
    await until(1)
    channel('native-rnn:evict').unsubscribe(listener)
    expect(told).toEqual([{ layer: 'LSTM', backend, idleMs: 1, streams: 0 }])
    expect(evicted[0].stream).toBe(stream)
    expect(evicted[0].saved).toEqual(alone.save())
    expectError(() => stream.state(), 'ERR_RNN_DISPOSED', 'the stream was closed')
    expect(batcher.stats()).toMatchObject({ streams: 0, evicted: 1 })
    const restored = batcher.restore(evicted[0].saved)
    expect(await restored.step(frame(2))).toEqual(alone.step(frame(2)).slice())
    await batcher.close()
    end()
  })

  it('evicts many in the order in which they became idle', async () => {
    const { batcher, evicted, until, end } = evicting(lstm)
    const streams = Array.from({ length: 200 }, (_, n) =>
      batcher.open({ h0: [frame(n), frame(n)].map((h) => [...h, 0, n]) }),
    )
    const want = streams.map((stream) => stream.save())
    await until(200)
    end()
    expect(evicted.map(({ stream }) => (streams as BatchedStream[]).indexOf(stream))).toEqual(streams.map((_, n) => n))
    expect(evicted.map(({ saved }) => saved)).toEqual(want)
    expect(batcher.stats()).toMatchObject({ streams: 0, evicted: 200 })
  })

  it('takes no stream for idle while a step of it waits or runs', async () => {
    // The delay of the step is longer than the time to be idle, and the clock moves as far as the test says.
    const real = performance.now
    let now = real.call(performance)
    performance.now = () => now
    const { batcher, evicted, until, end } = evicting(lstm, { maxBatch: 2, maxDelayMs: 2 ** 30 })
    const [waiting, idle] = [batcher.open(), batcher.open()]
    const step = waiting.step(frame(1))
    now += 1000
    await until(1)
    performance.now = real
    expect(evicted.map(({ stream }) => stream)).toEqual([idle])
    const other = batcher.open().step(frame(2))
    expect(await step).toEqual(lstm.stream().step(frame(1)))
    await other
    await until(3)
    end()
  })

  it('evicts nobody once it is closed', async () => {
    const { batcher, evicted, end } = evicting(lstm)
    const stream = batcher.open()
    await batcher.close()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(evicted).toEqual([])
    expect(stream.state()).toEqual(lstm.stream().state())
    end()
  })

  it('does not hold the process for streams that are idle, and lets onIdle throw', async () => {
    const source = `
      import { LSTM } from 'native-rnn'
      const lstm = new LSTM(2, 3, { seed: 1, backend: '${backend}' })
      let hold = setInterval(() => {}, 1000)
      const seen = []
      process.on('uncaughtException', (error) => {
        seen.push(error.message)
        if (seen.length < 2) return
        clearInterval(hold)
        stream.step(new Float32Array(2)).then(({ length }) => console.log(seen.join(), length, batcher.stats().evicted))
      })
      const batcher = lstm.batcher({ idleMs: 1, onIdle() { throw new Error('mine') } })
      batcher.open(), batcher.open()
      const stream = lstm.batcher({ idleMs: 2 ** 31 - 1 }).open()`
    expect(await runModule(source)).toEqual({ ended: 0, stdout: 'mine,mine 3 2\n', stderr: '' })
  })

  it('says what is wrong with an option', () => {
    expectError(() => lstm.batcher({ maxStreams: 0 }), 'ERR_RNN_OPTION', 'maxStreams must be an integer from 1')
    expect(lstm.batcher({ maxStreams: Infinity }).stats().streams).toBe(0)
    expectError(() => lstm.batcher({ idleMs: -1 }), 'ERR_RNN_OPTION', 'idleMs must be a number of milliseconds')
    expectError(() => lstm.batcher({ onIdle: 1 as never }), 'ERR_RNN_OPTION', 'onIdle must be a function, got 1')
  })
})

describe.each(modelBackends)('a batcher of a model on %s', (backend) => {
  const model = Model.read(recurrent(), { backend })
  const shapes = { frames: [1, 1, 3] }
  const states = { state: 'stateN' }
  const open = (options: object = {}) => model.batcher({ states, batchAxes: { frames: 1 }, shapes, ...options })
  const input = (n: number) => Float32Array.from({ length: 3 }, (_, i) => Math.sin(n * 3.1 + i))

  it('opens no more than maxStreams, and restores what streams have saved', async () => {
    const batcher = open({ maxStreams: 2 })
    const [alone, stream] = [model.stream({ states, shapes }), batcher.open()]
    alone.step(input(1))
    await stream.step(input(1))
    expect(stream.save()).toEqual(alone.save())
    const restored = batcher.restore(alone.save())
    expectError(() => batcher.open(), 'ERR_RNN_OVERLOADED', 'the batcher is full: 2 streams are open')
    expect((await restored.step(input(2))).scores).toEqual(alone.step(input(2)).scores)
    expect(batcher.stats()).toMatchObject({ streams: 2, rejected: 1 })
    restored.close()
    expectError(() => batcher.restore(new Uint8Array(3)), 'ERR_RNN_STATE', 'do not begin with its mark')
    expectError(() => batcher.restore(new GRU(3, 5, { backend }).stream().save()), 'ERR_RNN_STATE', 'of another model')
  })

  it('saves and closes a stream that is idle', async () => {
    const held = setInterval(() => {}, 1000)
    const [stream, saved] = await new Promise<unknown[]>((resolve) => {
      const batcher: Batcher = open({
        idleMs: 1,
        onIdle: (...given: unknown[]) => resolve([...given, batcher]),
      }) as never
      batcher.open()
    })
    clearInterval(held)
    expect(saved).toEqual(model.stream({ states, shapes }).save())
    expectError(() => (stream as BatchedStream).save(), 'ERR_RNN_DISPOSED', 'the stream was closed')
  })
})
