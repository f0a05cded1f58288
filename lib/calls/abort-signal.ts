/**
 * AbortSignals of calls, Node's and those of polyfills: one listener a signal, however many calls wait on it. It alone touches a signal:
 * everything of one may be the user's own code, which may throw, lie, or call anything of the package.
 */
import { describe, fail } from '../errors.ts'
import { weakDelete, weakGet, weakSet } from '../intrinsics/captured.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { microtask } from '../platform/process.ts'

const rule = 'signal must be an AbortSignal'

/** Checks the `signal` of a call: an AbortSignal, of any realm or polyfill. */
export function readSignal(value: unknown): AbortSignal {
  if (isSignal(value)) return value
  const hint = value instanceof AbortController ? '; pass its .signal' : ''
  fail('ERR_RNN_OPTION', `${rule}, got ${describe(value)}${hint}`)
}

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false
  const signal = value as AbortSignal
  return (
    typeof ask(signal, 'aborted') === 'boolean' &&
    typeof ask(signal, 'addEventListener') === 'function' &&
    typeof ask(signal, 'removeEventListener') === 'function'
  )
}

function ask(signal: AbortSignal, name: keyof AbortSignal): unknown {
  try {
    return signal[name]
  } catch (cause) {
    return fail('ERR_RNN_OPTION', `${rule}, and this one fails where its ${name} is read`, { cause })
  }
}

/** Throws the signal's reason where it is aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (ask(signal, 'aborted') === true) throw reasonOf(signal)
}

/** What a call that was aborted rejects with: the signal's reason, or what asking for it throws. Never throws. */
export function reasonOf(signal: AbortSignal): unknown {
  try {
    const { reason } = signal as { reason: unknown }
    // Only the polyfills of before there were reasons have none.
    return reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
  } catch (thrown) {
    return thrown
  }
}

/** One call's wait for its signal. */
export interface Listening {
  /** Ends the wait. Never throws. */
  stop(): void
}

/**
 * Calls `listener` once, when the signal is aborted: at once where that has happened meanwhile. What `listener` throws is lost. Throws
 * `ERR_RNN_OPTION` where the signal fails to take a listener; then none is called.
 */
export function onAbort(signal: AbortSignal, listener: () => void): Listening {
  const shared = weakGet(waiting, signal)
  const all = shared ?? new Waiting(signal)
  const one = new Waiter(all, listener)
  all.add(one)
  try {
    if (!shared) all.attach()
    if (ask(signal, 'aborted') === true) {
      ensureStack()
      one.call()
    }
  } catch (error) {
    one.stop()
    throw error
  }
  return one
}

/** A place in the list of those who wait on one signal, until it is called or stops. */
class Waiter implements Listening {
  readonly #all: Waiting
  #listener: (() => void) | undefined
  previous: Waiter | undefined
  next: Waiter | undefined

  constructor(all: Waiting, listener: () => void) {
    this.#all = all
    this.#listener = listener
  }

  call(): void {
    const listener = this.#listener
    this.stop()
    try {
      listener?.()
    } catch {
      // Others wait on the same signal, and nobody here could do anything about it.
    }
  }

  stop(): void {
    if (!this.#listener) return
    this.#listener = undefined
    this.#all.remove(this)
  }
}

/** Those who wait on one signal. Node takes more than ten listeners for a leak and warns, and each costs more than one of these. */
class Waiting {
  readonly #signal: AbortSignal
  #first: Waiter | undefined
  #last: Waiter | undefined
  #attached = false

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(one: Waiter): void {
    one.previous = this.#last
    if (this.#last) this.#last.next = one
    else this.#first = one
    this.#last = one
  }

  remove(one: Waiter): void {
    if (one.previous) one.previous.next = one.next
    else this.#first = one.next
    if (one.next) one.next.previous = one.previous
    else this.#last = one.previous
    if (!this.#first) this.#detach()
  }

  /** Only after this others may join: before it there is no listener that could call them. */
  attach(): void {
    this.#attached = true
    try {
      this.#signal.addEventListener('abort', this.#notify)
    } catch (cause) {
      fail('ERR_RNN_OPTION', `${rule}, and this one fails in its addEventListener`, { cause })
    }
    if (this.#first) weakSet(waiting, this.#signal, this)
    else this.#remove()
  }

  #detach(): void {
    if (!this.#attached) return
    this.#attached = false
    if (weakGet(waiting, this.#signal) === this) weakDelete(waiting, this.#signal)
    this.#remove()
  }

  #remove(): void {
    try {
      this.#signal.removeEventListener('abort', this.#notify)
    } catch {
      // A listener that is called later finds nobody.
    }
  }

  readonly #notify = () => {
    try {
      ensureStack()
    } catch {
      microtask(() => this.#callAll())
      return
    }
    this.#callAll()
  }

  #callAll(): void {
    while (this.#first) this.#first.call()
  }
}

const waiting = new WeakMap<AbortSignal, Waiting>()
