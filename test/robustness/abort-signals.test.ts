/** Signals of every make and temper: those of polyfills serve, those that lie or throw end their own call only, and counts stay right. */
import { LSTM, Model, RNNError } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { expectRejected, rejection } from '../support/errors.ts'
import { recurrent } from '../support/model-files.ts'
import { ramp } from '../support/tensors.ts'

const reason = new Error('enough')
const boom = new Error('boom')
const fail = () => {
  throw boom
}

/** A signal of another make; `changes` replaces parts of it. */
function polyfill(changes: object = {}) {
  const listeners = new Set<(event: unknown) => void>()
  const signal = {
    aborted: false,
    reason: undefined as unknown,
    addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => void listeners.delete(listener),
  }
  Object.defineProperties(signal, Object.getOwnPropertyDescriptors(changes))
  const abort = (why?: unknown) => {
    if (!('get' in Object.getOwnPropertyDescriptor(signal, 'aborted')!)) signal.aborted = true
    if (why) signal.reason = why
    for (const listener of [...listeners]) listener({ type: 'abort' })
  }
  return { signal: signal as unknown as AbortSignal, abort, listeners }
}

/** Node's, with properties of its own. */
function nodes(own: PropertyDescriptorMap) {
  const controller = new AbortController()
  Object.defineProperties(controller.signal, own)
  return { signal: controller.signal, abort: () => controller.abort(reason) }
}

const throwing = { value: fail }
const broken: [string, () => AbortSignal][] = [
  ['addEventListener throws', () => nodes({ addEventListener: throwing }).signal],
  ['addEventListener is read and throws', () => nodes({ addEventListener: { get: fail } }).signal],
  ['removeEventListener is read and throws', () => nodes({ removeEventListener: { get: fail } }).signal],
  ['aborted is read and throws', () => nodes({ aborted: { get: fail } }).signal],
  ['everything throws', () => new Proxy(new AbortController().signal, { get: fail })],
  ['a polyfill’s addEventListener throws', () => polyfill({ addEventListener: fail }).signal],
  ['no brand', () => Object.create(AbortSignal.prototype) as AbortSignal],
  ['no aborted', () => polyfill({ aborted: 'no' }).signal],
  ['no methods', () => ({ aborted: false }) as AbortSignal],
  ['a method that is none', () => polyfill({ removeEventListener: 1 }).signal],
  ['null', () => null as unknown as AbortSignal],
  ['a controller', () => new AbortController() as unknown as AbortSignal],
]

describe.each(backends)('signals on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, backend })
  const x = { data: frame(1), shape: [1, I] }

  async function counts(batcher: ReturnType<typeof lstm.batcher>) {
    await batcher.drain()
    return batcher.stats()
  }

  it.each(broken)('that do not serve are refused: %s', async (_, make) => {
    const batcher = lstm.batcher({ maxQueue: 2 })
    const stream = batcher.open()
    for (let n = 0; n < 5; n++) {
      await expectRejected(stream.step(frame(0), { signal: make() }), 'ERR_RNN_OPTION', 'signal must be an AbortSignal')
    }
    await expectRejected(lstm.forwardAsync(x, { signal: make() }), 'ERR_RNN_OPTION', 'signal must be an AbortSignal')
    expect(batcher.stats().queued).toBe(0)
    expect(await stream.step(frame(1))).toEqual(lstm.stream().step(frame(1)))
    expect(await counts(batcher)).toMatchObject({ streams: 1, queued: 0, batches: 1, steps: 1, meanBatch: 1 })
    const error = (await rejection(stream.step(frame(0), { signal: make() }))) as RNNError
    expect(error).toBeInstanceOf(RNNError)
  })

  it('of polyfills take steps and calls back', async () => {
    const batcher = lstm.batcher()
    const [a, b] = [batcher.open(), batcher.open()]
    const { signal, abort, listeners } = polyfill()
    const steps = [a.step(frame(1), { signal }), a.step(frame(2), { signal }), b.step(frame(1), { signal })]
    const ended = Promise.all([...steps, lstm.forwardAsync(x, { signal })].map(rejection))
    const kept = b.step(frame(3))
    expect(listeners.size).toBe(1)
    abort(reason)
    expect(await ended).toEqual([reason, reason, reason, reason])
    expect(listeners.size).toBe(0)
    expect(await kept).toEqual(lstm.stream().step(frame(3)))
    expect(await rejection(a.step(frame(1), { signal }))).toBe(reason)
    expect(await counts(batcher)).toMatchObject({ queued: 0, batches: 1, steps: 1 })
  })

  it('without reasons, of old, give an AbortError', async () => {
    const stream = lstm.batcher().open()
    const { signal, abort } = polyfill()
    const step = stream.step(frame(1), { signal })
    abort()
    expect(await rejection(step)).toMatchObject({ name: 'AbortError' })
    expect(await rejection(lstm.forwardAsync(x, { signal }))).toMatchObject({ name: 'AbortError' })
  })

  it.each([
    ['reason throws', { reason: { get: fail } }, boom],
    ['removeEventListener throws', { removeEventListener: throwing }, reason],
  ] as const)('that throw later end their own call: %s', async (_, own, want) => {
    const batcher = lstm.batcher()
    const [a, b] = [batcher.open(), batcher.open()]
    const { signal, abort } = nodes(own)
    const done = a.step(frame(1), { signal: nodes(own).signal })
    const calls = [a.step(frame(2), { signal }), b.step(frame(1), { signal }), lstm.forwardAsync(x, { signal })]
    const ended = Promise.all(calls.map(rejection))
    await new Promise<void>((resolve) => process.nextTick(resolve))
    abort()
    expect(await ended).toEqual([want, want, want])
    expect(await rejection(b.step(frame(1), { signal }))).toBe(want)
    expect(await done).toEqual(lstm.stream().step(frame(1)))
    expect(await counts(batcher)).toMatchObject({ queued: 0, batches: 1 })
    expect(b.state()).toEqual(lstm.stream().state())
  })

  it('that are aborted while the call is read take it back', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    for (const make of [() => nodes({}), () => polyfill()]) {
      const { signal, abort } = make()
      const options = {
        get signal() {
          abort(reason)
          return signal
        },
      }
      expect(await rejection(stream.step(frame(1), options))).toBe(reason)
      const listening = nodes({})
      Object.defineProperty(listening.signal, 'addEventListener', { value: listening.abort })
      expect(await rejection(stream.step(frame(1), { signal: listening.signal }))).toBe(reason)
      const other = nodes({})
      Object.defineProperty(other.signal, 'addEventListener', { value: other.abort })
      expect(await rejection(lstm.forwardAsync(x, { signal: other.signal }))).toBe(reason)
    }
    expect(await counts(batcher)).toMatchObject({ queued: 0, batches: 0 })
  })

  it('that abort and then throw reject a call once, and leave no promise that nobody hears of', async () => {
    const model = Model.read(recurrent(), { backend })
    const inputs = { frames: ramp(2, 2, 3), state: ramp(1, 2, 5) }
    const stream = lstm.batcher().open()
    const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => lstm.forwardAsync(x, { signal }),
      (signal) => stream.step(frame(1), { signal }),
      (signal) => stream.run([frame(1), frame(2)], { signal }),
      (signal) => model.runAsync(inputs, { signal }),
    ]
    const unheard: unknown[] = []
    const hear = (why: unknown) => unheard.push(why)
    process.on('unhandledRejection', hear)
    for (const call of calls) {
      const { signal, abort } = nodes({
        addEventListener: {
          value(...values: Parameters<EventTarget['addEventListener']>) {
            EventTarget.prototype.addEventListener.apply(signal, values)
            abort()
            fail()
          },
        },
      })
      expect(await rejection(call(signal))).toBe(reason)
    }
    await new Promise(setImmediate)
    process.off('unhandledRejection', hear)
    expect(unheard).toEqual([])
  })

  it('that tell of an abort twice, or after the end, take back one step once', async () => {
    const batcher = lstm.batcher({ maxQueue: 3 })
    const [a, b] = [batcher.open(), batcher.open()]
    const left: (() => void)[] = []
    const { signal } = polyfill({
      addEventListener: (_: string, listener: () => void) => left.push(listener),
      removeEventListener: () => {},
    })
    const tell = () => {
      for (const listener of [...left, ...left]) listener()
    }
    const step = a.step(frame(1), { signal })
    tell()
    expect(await rejection(step)).toMatchObject({ name: 'AbortError' })
    const done = await a.step(frame(2), { signal })
    tell()
    expect(done).toEqual(lstm.stream().step(frame(2)))
    // Frames given back twice would be those of two steps.
    const steps = [a.step(frame(3)), b.step(frame(4))]
    tell()
    const alone = lstm.stream()
    alone.step(frame(2))
    expect(await steps[0]).toEqual(alone.step(frame(3)).slice())
    expect(await steps[1]).toEqual(lstm.stream().step(frame(4)))
    expect(await counts(batcher)).toMatchObject({ queued: 0, steps: 3 })
  })

  it('of one call may abort, close and ask for more while others are told', async () => {
    const batcher = lstm.batcher()
    const streams = Array.from({ length: 4 }, () => batcher.open())
    const { signal, abort } = polyfill()
    const more: Promise<unknown>[] = []
    let asked = 0
    Object.defineProperty(signal, 'reason', {
      get() {
        if (asked++ < 6) more.push(rejection(streams[1].step(frame(1), { signal })), streams[2].step(frame(5)))
        return reason
      },
    })
    const steps = streams.map((stream, n) => stream.step(frame(n), { signal }))
    steps.push(streams[3].step(frame(9)))
    abort()
    const ended = await Promise.allSettled(steps)
    expect(ended.map(({ status }) => status)).toEqual([...Array(4).fill('rejected'), 'fulfilled'])
    await Promise.all(more)
    expect(await counts(batcher)).toMatchObject({ queued: 0 })
  })
})
