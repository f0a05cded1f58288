/** AbortSignals of calls: one listener a signal, however many calls wait on it. */
import { describe, fail } from '../errors.ts'

/** Checks the `signal` of a call. */
export function readSignal(value: unknown): AbortSignal {
  if (value instanceof AbortSignal) return value
  return fail('ERR_RNN_OPTION', `signal must be an AbortSignal, got ${describe(value)}`)
}

/** Those who wait on one signal. Node takes more than ten listeners for a leak and warns, and each costs more than one of these. */
class Waiting {
  readonly #signal: AbortSignal
  readonly #listeners = new Set<() => void>()
  readonly #notify = () => {
    this.#end()
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#notify)
    waiting.set(signal, this)
  }

  add(listener: () => void): void {
    this.#listeners.add(listener)
  }

  remove(listener: () => void): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#end()
  }

  #end(): void {
    this.#signal.removeEventListener('abort', this.#notify)
    waiting.delete(this.#signal)
  }
}

const waiting = new WeakMap<AbortSignal, Waiting>()

/** Calls `listener` when the signal is aborted, until the function that comes back is called; that may be more than once. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const all = waiting.get(signal) ?? new Waiting(signal)
  all.add(listener)
  return () => all.remove(listener)
}
