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
  readonly #told = new Set<() => void>()
  readonly #tell = () => {
    this.#end()
    for (const told of this.#told) told()
    this.#told.clear()
  }

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#tell)
    waiting.set(signal, this)
  }

  add(told: () => void): void {
    this.#told.add(told)
  }

  remove(told: () => void): void {
    if (this.#told.delete(told) && this.#told.size === 0) this.#end()
  }

  #end(): void {
    this.#signal.removeEventListener('abort', this.#tell)
    waiting.delete(this.#signal)
  }
}

const waiting = new WeakMap<AbortSignal, Waiting>()

/** Calls `told` when the signal is aborted, until the function that comes back is called; that may be more than once. */
export function onAbort(signal: AbortSignal, told: () => void): () => void {
  const all = waiting.get(signal) ?? new Waiting(signal)
  all.add(told)
  return () => all.remove(told)
}
