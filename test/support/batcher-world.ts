/**
 * A batcher in a world where everything that is not the package's may call it: subscribers, signals, getters, those who wait for promises. Each
 * such place asks `enter` whether it is its turn to do something, and what; the calls are noted in the model's sequences.
 */
import { channel } from 'node:diagnostics_channel'
import { type BatchedStream, type Batcher, GRU, type LSTM, RNNError, Tensor } from 'native-rnn'
import { expect } from 'vitest'
import {
  bits,
  frameOf,
  framesOf,
  newLayer,
  Sequence,
  type StepLog,
  sizes,
  stateOf,
  weightSets,
} from './batcher-model.ts'

export const points = [
  'start',
  'end',
  'asyncStart',
  'asyncEnd',
  'abort',
  'reason',
  'aborted',
  'addEventListener',
  'removeEventListener',
  'option',
  'then',
  'settled',
] as const
export type Point = (typeof points)[number]

export const kinds = [
  'open',
  'step',
  'abort',
  'close',
  'reset',
  'run',
  'replace',
  'state',
  'save',
  'drain',
  'closeBatcher',
  'dispose',
  'forward',
  'forwardAsync',
  'other',
] as const

/** How a step's signal is: none, one of its own or one of all steps, Node's, a polyfill's, or one whose own methods re-enter. */
export const signals = ['none', 'own', 'shared', 'polyfill', 'hooked', 'liar'] as const

/** One thing to do. */
export interface Act {
  readonly kind: (typeof kinds)[number]
  /** Which stream or signal, modulo how many there are. */
  readonly which: number
  readonly value: number
  readonly signal: (typeof signals)[number]
  /** So many frames above the end of the stack; nothing re-enters there. */
  readonly deep?: number
}

/** What a place does when it is its turn. */
export interface Reentry {
  readonly at: Point
  readonly acts: readonly Act[]
  readonly throws: boolean
}

class Injected extends Error {}
const reason = new Error('aborted by the test')

interface Live {
  readonly stream: BatchedStream
  readonly sequence: Sequence
  closed: boolean
}

interface Control {
  readonly signal: AbortSignal
  abort(): void
}

export class World {
  readonly batcher: Batcher
  readonly counts = { acts: 0, reentries: 0, steps: 0, evicted: 0 }
  readonly reached = new Set<Point>()
  /** Of each set of weights. */
  readonly #references: LSTM[]
  #weights = 0
  readonly #layer: LSTM
  readonly #other: Batcher
  readonly #input = { data: frameOf(1), shape: [1, sizes.I] }
  readonly #expected: string
  readonly #maxQueue: number
  readonly #live: Live[] = []
  /** Evicted, and their `onIdle` not called yet. */
  readonly #evicting = new Set<Live>()
  readonly #controls: Control[] = []
  readonly #pending: Promise<unknown>[] = []
  #script: Reentry[] = []
  #depth = 0
  #closed = false
  #disposed = false
  #shared: Control
  #ran = { batches: 0, steps: 0 }
  #aborted = 0
  #uncaught: unknown[] = []
  readonly #unsubscribe: () => void

  constructor(
    backend: LSTM['backend'],
    options: { maxBatch?: number; maxQueue?: number; maxDelayMs?: number; idleMs?: number },
    streams: number,
  ) {
    this.#references = Array.from({ length: weightSets }, (_, weights) => newLayer(backend, weights))
    this.#layer = newLayer(backend)
    this.#other = new GRU(sizes.I, 5, { seed: 3, backend }).batcher()
    this.#expected = bits(this.#references[0].forward(this.#input).output.data)
    this.batcher = this.#layer.batcher({ ...options, onIdle: (stream, saved) => this.#evicted(stream, saved) })
    this.#maxQueue = options.maxQueue ?? 1024
    this.#shared = this.#control('own')
    this.#unsubscribe = this.#subscribe()
    for (let i = 0; i < streams; i++) this.act({ kind: 'open', which: 0, value: i, signal: 'none' })
  }

  #subscribe(): () => void {
    const events = (['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const).map((event) => {
      const listener = (message: unknown) => {
        const { layer, steps } = message as { layer: string; steps: number }
        if (layer !== 'LSTM') return
        if (event === 'start') this.#ran.batches++
        if (event === 'asyncEnd') this.#ran.steps += steps
        expect(event).not.toBe('error')
        this.#enter(event as Point)
      }
      const one = channel(`tracing:native-rnn:batch:${event}`)
      one.subscribe(listener)
      return () => one.unsubscribe(listener)
    })
    const evict = channel('native-rnn:evict')
    const onEvict = () => this.#findEvicted()
    evict.subscribe(onEvict)
    // Every promise that is resolved with an output asks it for its `then`.
    const enter = () => this.#enter('then')
    Object.defineProperty(Float32Array.prototype, 'then', {
      configurable: true,
      get() {
        if (this.length === sizes.H) enter()
        return undefined
      },
    })
    process.setUncaughtExceptionCaptureCallback((error) => this.#uncaught.push(error))
    return () => {
      for (const end of events) end()
      evict.unsubscribe(onEvict)
      delete (Float32Array.prototype as { then?: unknown }).then
      process.setUncaughtExceptionCaptureCallback(null)
    }
  }

  /** What places are to do from now on; each takes the first that is its own. */
  plan(script: readonly Reentry[]): void {
    this.#script.push(...script)
  }

  #enter(point: Point): void {
    this.reached.add(point)
    if (this.#depth >= 3) return
    const at = this.#script.findIndex((reentry) => reentry.at === point)
    if (at < 0) return
    const [{ acts, throws }] = this.#script.splice(at, 1)
    this.counts.reentries++
    this.#depth++
    try {
      for (const act of acts) this.act(act)
    } finally {
      this.#depth--
    }
    if (throws) throw new Injected(point)
  }

  act(act: Act): void {
    this.counts.acts++
    const { queued, streams } = this.batcher.stats()
    expect(queued).toBeGreaterThanOrEqual(0)
    expect(queued).toBeLessThanOrEqual(this.#maxQueue)
    expect(streams).toBe(this.#live.filter(({ closed }) => !closed).length)
    if (act.deep === undefined) {
      this.#act(act, (call) => call())
      return
    }
    const script = this.#script
    this.#script = []
    this.#act(act, (call) => aboveTheEnd(act.deep as number, call))
    this.#script = script
  }

  /** `run` calls at once, or at the end of the stack, and gives undefined where that was too near. */
  #act(act: Act, run: <T>(call: () => T) => T | undefined): unknown {
    const live = this.#live[act.which % this.#live.length]
    switch (act.kind) {
      case 'open':
        return this.#open(act, run)
      case 'step':
      case 'run':
        return live && this.#step(live, act, run)
      case 'replace':
        return this.#replace(act, run)
      case 'abort': {
        const control = this.#controls[act.which % this.#controls.length]
        this.#aborted++
        run(() => control.abort())
        return
      }
      case 'close':
        if (live && run(() => live.stream.close() === undefined)) live.closed = true
        return
      case 'reset':
        return live && this.#reset(live, act, run)
      case 'state':
      case 'save':
        if (!live) return
        try {
          const { stream: own, sequence } = live
          const stream = act.kind === 'state' ? own : this.#references[sequence.weights].restoreStream(own.save())
          live.sequence.note(stream.state())
          expect(live.closed).toBe(false)
        } catch (error) {
          this.#allow(error, live.closed)
        }
        return
      case 'drain':
        this.#later(this.batcher.drain())
        return
      case 'closeBatcher':
        this.#closed = true
        this.#later(this.batcher.close())
        return
      case 'dispose':
        this.#layer.dispose()
        this.#disposed = true
        return
      case 'forward':
        try {
          expect(bits(this.#layer.forward(this.#input).output.data)).toBe(this.#expected)
          expect(this.#disposed).toBe(false)
        } catch (error) {
          this.#allow(error, this.#disposed)
        }
        return
      case 'forwardAsync':
        return this.#forwardAsync(act)
      case 'other':
        this.#later(this.#other.open().step(frameOf(act.value)).catch(injectedOnly))
    }
  }

  #open({ value }: Act, run: <T>(call: () => T) => T | undefined): void {
    const begin = value % 2 ? value : undefined
    const options = begin === undefined ? undefined : this.#getter('h0', stateOf(begin))
    try {
      const stream = run(() => this.batcher.open(options))
      if (!stream) return
      expect(this.#closed).toBe(false)
      this.#live.push({ stream, sequence: new Sequence(begin, this.#weights), closed: false })
    } catch (error) {
      this.#allow(error, this.#closed)
    }
  }

  #reset({ stream, sequence, ...live }: Live, { value, which }: Act, run: <T>(call: () => T) => T | undefined): void {
    const to = value % 3 ? value : undefined
    // One in seven is refused.
    const options = to === undefined ? undefined : this.#getter('h0', value % 7 ? stateOf(to) : [[1]])
    try {
      if (run(() => stream.reset(options) === undefined)) sequence.calls.push({ reset: to })
    } catch (error) {
      const isClosed = live.closed || this.#live.some((other) => other.stream === stream && other.closed)
      this.#allow(error, isClosed || (value % 7 === 0 && which >= 0), 'ERR_RNN_SHAPE', 'ERR_RNN_DISPOSED')
    }
  }

  #step(live: Live, act: Act, run: <T>(call: () => T) => T | undefined): void {
    const control = act.signal === 'shared' ? this.#shared : this.#control(act.signal)
    const options = act.signal === 'none' ? undefined : this.#getter('signal', control.signal)
    const frame = act.value % 23 ? frameOf(act.value) : new Float32Array(sizes.I + 1)
    const frames = act.kind === 'run' ? 1 + (act.value % 4) : undefined
    const { reentries } = this.counts
    const promise = run((): Promise<Float32Array | Tensor> => {
      if (frames === undefined) return live.stream.step(frame, options)
      return live.stream.run(frame.length > sizes.I ? [frame] : framesOf(act.value, frames), options)
    })
    if (!promise) return
    const log: StepLog = { value: act.value, frames, outcome: 'open' }
    live.sequence.calls.push(log)
    this.counts.steps++
    const wasClosed = live.closed || this.#closed
    // A signal that is left after the refusal may have made room meanwhile.
    const wasFull = this.batcher.stats().queued >= this.#maxQueue || this.counts.reentries > reentries
    this.#later(
      promise
        .then(
          (output) => {
            expect(log.outcome).toBe('open')
            log.output = output instanceof Tensor ? output.data : output
            log.outcome = 'moved'
            this.#enter('settled')
          },
          (error) => {
            expect(log.outcome).toBe('open')
            // What a `then` throws is told to whoever waits; the step was done.
            log.outcome = error instanceof Injected && error.message === 'then' ? 'moved' : 'kept'
            if (error === reason) expect(control.signal.aborted || act.signal === 'liar').toBe(true)
            else if (error instanceof RNNError && error.code === 'ERR_RNN_OVERLOADED') expect(wasFull).toBe(true)
            else if (error instanceof RNNError && error.code === 'ERR_RNN_DISPOSED') expect(wasClosed).toBe(true)
            else if (error instanceof RNNError && error.code === 'ERR_RNN_SHAPE') expect(frame.length).toBe(sizes.I + 1)
            else if (error instanceof RNNError && error.code === 'ERR_RNN_OPTION')
              expect((error.cause as Error) instanceof Injected).toBe(true)
            else if (error instanceof RangeError) expect(act.deep).toBeDefined()
            else expect(error).toBeInstanceOf(Injected)
            this.#enter('settled')
          },
        )
        .catch(injectedOnly),
    )
  }

  #replace({ value }: Act, run: <T>(call: () => T) => T | undefined): void {
    const weights = value % weightSets
    const streams = value % 4 ? 'move' : 'keep'
    try {
      const options = this.#getter('streams', streams)
      if (!run(() => this.batcher.replace(this.#references[weights], options) === undefined)) return
      expect(this.#closed).toBe(false)
      this.#weights = weights
      for (const { sequence, closed } of this.#live) if (!closed && streams === 'move') sequence.move(weights)
    } catch (error) {
      this.#allow(error, this.#closed)
    }
  }

  /** A stream is closed when it is evicted; its `onIdle` comes in a later turn, and others' calls may come between. */
  #findEvicted(): void {
    for (const live of this.#live) {
      if (live.closed) continue
      try {
        live.stream.state()
      } catch (error) {
        expect((error as RNNError).code).toBe('ERR_RNN_DISPOSED')
        live.closed = true
        this.#evicting.add(live)
      }
    }
  }

  /** A stream was idle: it goes on under another name, where its weights are those that streams are opened on. */
  #evicted(stream: BatchedStream, saved: Uint8Array): void {
    const live = this.#live.find((one) => one.stream === stream)!
    expect(this.#evicting.delete(live)).toBe(true)
    const { sequence } = live
    sequence.note(this.#references[sequence.weights].restoreStream(saved).state())
    this.counts.evicted++
    if (this.#closed || sequence.weights !== this.#weights) return
    this.#live.push({ stream: this.batcher.restore(saved), sequence, closed: false })
  }

  #forwardAsync(act: Act): void {
    const control = act.signal === 'shared' ? this.#shared : this.#control(act.signal)
    const options = act.signal === 'none' ? undefined : this.#getter('signal', control.signal)
    const wasDisposed = this.#disposed
    const promise = this.#layer.forwardAsync(this.#input, options)
    this.#later(
      promise.then(
        ({ output }) => expect(bits(output.data)).toBe(this.#expected),
        (error) => {
          if (error === reason || error instanceof Injected) return
          const { code, cause } = error as RNNError
          if (code === 'ERR_RNN_OPTION') expect(cause).toBeInstanceOf(Injected)
          else
            expect({ code, disposed: wasDisposed || this.#disposed }).toEqual({
              code: 'ERR_RNN_DISPOSED',
              disposed: true,
            })
        },
      ),
    )
  }

  /** Errors that a call may throw: what a getter threw, or a refusal for a reason. */
  #allow(error: unknown, refused: boolean, ...codes: string[]): void {
    if (error instanceof Injected) return
    if (!(error instanceof RNNError)) throw error
    expect({ refused, code: error.code }).toEqual({
      refused: true,
      code: expect.stringMatching(codes.length ? codes.join('|') : 'ERR_RNN_DISPOSED'),
    })
  }

  #getter<T>(name: string, value: T): object {
    const enter = () => this.#enter('option')
    return Object.defineProperty({}, name, {
      enumerable: true,
      get() {
        enter()
        return value
      },
    })
  }

  #control(kind: Act['signal']): Control {
    const control =
      kind === 'polyfill' || kind === 'liar' ? this.#polyfill(kind === 'liar') : this.#nodes(kind === 'hooked')
    this.#controls.push(control)
    return control
  }

  #nodes(hooked: boolean): Control {
    const controller = new AbortController()
    const { signal } = controller
    signal.addEventListener('abort', () => this.#enter('abort'))
    const enter = (point: Point) => this.#enter(point)
    if (hooked) {
      const of = (name: 'aborted' | 'reason') => ({
        get() {
          enter(name)
          return Reflect.get(AbortSignal.prototype, name, signal)
        },
      })
      Object.defineProperties(signal, { aborted: of('aborted'), reason: of('reason') })
      for (const name of ['addEventListener', 'removeEventListener'] as const) {
        const value = (...values: unknown[]) => {
          if (values[1] && this.#depth % 2) Reflect.apply(EventTarget.prototype[name], signal, values)
          enter(name)
          Reflect.apply(EventTarget.prototype[name], signal, values)
        }
        Object.defineProperty(signal, name, { value })
      }
    }
    return { signal, abort: () => controller.abort(reason) }
  }

  /** Signals of another make. A liar is never aborted by its word, and tells of aborts twice, also those who have left. */
  #polyfill(lies: boolean): Control {
    const listeners = new Set<() => void>()
    const enter = (point: Point) => this.#enter(point)
    let aborted = false
    const signal = {
      get aborted() {
        enter('aborted')
        return aborted && !lies
      },
      get reason() {
        enter('reason')
        return reason
      },
      addEventListener(_: string, listener: () => void) {
        listeners.add(listener)
        enter('addEventListener')
      },
      removeEventListener(_: string, listener: () => void) {
        if (!lies) listeners.delete(listener)
        enter('removeEventListener')
      },
    }
    const abort = () => {
      if (aborted && !lies) return
      aborted = true
      for (const listener of [...listeners, ...(lies ? listeners : [])]) {
        enter('abort')
        listener()
      }
    }
    return {
      signal: signal as unknown as AbortSignal,
      abort: () => {
        try {
          abort()
        } catch (error) {
          injectedOnly(error)
        }
      },
    }
  }

  /** What must have ended by the end. */
  #later(promise: Promise<unknown>): void {
    promise.catch(() => {})
    this.#pending.push(promise)
  }

  /** Lets everything end, and holds it against the model. */
  async finish(): Promise<void> {
    this.#script = []
    try {
      for (let done = 0; done < this.#pending.length; ) {
        const now = this.#pending.length
        await Promise.all(this.#pending)
        done = now
      }
      await this.batcher.drain()
      const { streams, queued, batches, steps, meanBatch } = this.batcher.stats()
      const live = this.#live.filter(({ closed }) => !closed)
      expect({ streams, queued, batches, steps }).toEqual({ streams: live.length, queued: 0, ...this.#ran })
      expect(meanBatch).toBe(batches ? steps / batches : 0)
      // A stream that was evicted goes on under another name, with the same calls.
      const moved = [...new Set(this.#live.map(({ sequence }) => sequence))]
        .flatMap(({ calls }) => calls)
        .flatMap((call) => ('outcome' in call && call.outcome === 'moved' ? [call.frames ?? 1] : []))
      const least = moved.reduce((sum, frames) => sum + frames, 0)
      expect(steps).toBeGreaterThanOrEqual(least)
      for (const { stream, sequence, closed } of this.#live)
        sequence.check(this.#references, closed ? undefined : stream.state())
      for (const { stream } of live) stream.close()
      await this.batcher.close()
      expect(this.batcher.stats().streams).toBe(0)
      for (const error of this.#uncaught) expect(error).toBeInstanceOf(Injected)
    } finally {
      await this.batcher.close()
      this.#unsubscribe()
      this.#layer.dispose()
      for (const layer of this.#references) layer.dispose()
    }
  }
}

function injectedOnly(error: unknown): void {
  if (!(error instanceof Injected)) throw error
}

/** Calls so many frames above the end of the stack; undefined where the call finds no room, or throws the stack's end. */
export function aboveTheEnd<T>(frames: number, call: () => T): T | undefined {
  let depth = 0
  let result: T | undefined
  const count = () => {
    depth++
    count()
  }
  try {
    count()
  } catch {}
  let left = depth - frames
  const dig = (): void => {
    if (left-- > 0) dig()
    else result = call()
  }
  try {
    dig()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return result
}
