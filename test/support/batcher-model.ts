/** What a batcher must do, as plain streams one after the other: each stream's calls in their order, and how each of them ended. */
import { LSTM, type Stream } from 'native-rnn'
import { expect } from 'vitest'

export const sizes = { I: 3, H: 4, L: 2 }

export function frameOf(value: number): Float32Array {
  return Float32Array.from({ length: sizes.I }, (_, i) => Math.sin(value * 7.1 + i * 1.9))
}

export function framesOf(value: number, count: number): Float32Array[] {
  return Array.from({ length: count }, (_, t) => frameOf(value + t))
}

export function stateOf(value: number): number[][] {
  return Array.from({ length: sizes.L }, (_, l) =>
    Array.from({ length: sizes.H }, (_, i) => Math.cos(value + l * 9 + i)),
  )
}

/** Layers of the same sizes, with other weights each. */
export const weightSets = 3

/** One step, or a run of some: `moved` where the state moved for it, `kept` where it did not. */
export interface StepLog {
  readonly value: number
  /** Of a run; left out for a step. */
  readonly frames?: number
  outcome: 'open' | 'moved' | 'kept'
  output?: Float32Array
}

/** One stream's calls. */
export class Sequence {
  readonly calls: (StepLog | { reset: number | undefined } | { weights: number })[] = []
  readonly seen: { calls: number; state: string }[] = []
  /** The weights of its next call. */
  weights: number
  readonly #begin: number | undefined
  readonly #first: number

  constructor(begin: number | undefined, weights: number) {
    this.#begin = begin
    this.#first = weights
    this.weights = weights
  }

  /** The stream goes on with its state on other weights. */
  move(weights: number): void {
    this.calls.push({ weights })
    this.weights = weights
  }

  /** A state that the stream gave at this moment. */
  note(state: unknown): void {
    this.seen.push({ calls: this.calls.length, state: text(state) })
  }

  /** Replays the calls on a stream that is alone: every output has its bits, every state that was seen is one of its own. */
  check(layers: readonly LSTM[], last: unknown): void {
    let alone = layers[this.#first].stream(this.#begin === undefined ? {} : { h0: stateOf(this.#begin) }) as Stream
    const states = [text(alone.state())]
    for (const call of this.calls) {
      if ('weights' in call) {
        const { hn, cn } = alone.state()
        alone.dispose()
        alone = layers[call.weights].stream({ h0: hn, c0: cn }) as Stream
      } else if ('reset' in call) alone.reset(call.reset === undefined ? undefined : { h0: stateOf(call.reset) })
      else if (call.outcome === 'moved') {
        const { value, frames } = call
        const want = frames === undefined ? alone.step(frameOf(value)) : alone.run(framesOf(value, frames)).data
        if (call.output) expect(bits(call.output)).toBe(bits(want))
      } else expect(call.outcome).toBe('kept')
      states.push(text(alone.state()))
    }
    if (last !== undefined) expect(text(last)).toBe(states.at(-1))
    for (const { calls, state } of this.seen) expect(states.slice(0, calls + 1)).toContain(state)
    alone.dispose()
  }
}

export function bits(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex')
}

function text(state: unknown): string {
  const { hn, cn } = state as ReturnType<Stream['state']> & { cn: { data: Float32Array } }
  return `${bits(hn.data)} ${bits(cn.data)}`
}

export function newLayer(backend: LSTM['backend'], weights = 0): LSTM {
  return new LSTM(sizes.I, sizes.H, { numLayers: sizes.L, seed: 7 + weights, backend })
}
