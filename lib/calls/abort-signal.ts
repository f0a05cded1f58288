/**
 * AbortSignals of calls, Node's and those of polyfills: one listener a signal, however many calls wait on it. It alone touches a signal:
 * everything of one may be the user's own code, which may throw, lie, or call anything of the package.
 */

import { describe, failOption } from '../errors.ts'
import { weakDelete, weakGet, weakSet } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { microtask } from '../platform/process.ts'

const rule = 'signal must be an AbortSignal'

/** Checks the `signal` of a call: an AbortSignal, of any realm or polyfill. */
export function readSignal(value: unknown): AbortSignal {
  if (isSignal(value)) return value
  const hint = value instanceof AbortController ? '; pass its .signal' : ''
  failOption(`${rule}, got ${describe(value)}${hint}`)
}

function isSignal(value: unknown): value is AbortSignal {
  if (!isObject(value)) return false
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
    return failOption(`${rule}, and this one fails where its ${name} is read`, { cause })
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
  const all = shared ?? waitingOn(signal)
  const one = all.add(listener)
  try {
    if (!shared) all.attach()
    if (ask(signal, 'aborted') === true) {
      ensureStack()
      call(one)
    }
  } catch (error) {
    one.stop()
    throw error
  }
  return one
}

/** A place in the ring of those who wait on one signal, until it is called or stops: then it has no listener. */
interface Waiter extends Listening {
  listener?: (() => void) | undefined
  previous: Waiter
  next: Waiter
}

interface Waiting {
  add(listener: () => void): Waiter
  /** Only after this others may join: before it there is no listener that could call them. */
  attach(): void
}

function call(one: Waiter): void {
  const { listener } = one
  one.stop()
  try {
    listener?.()
  } catch {
    // Others wait on the same signal, and nobody here could do anything about it.
  }
}

/** Those who wait on one signal. Node takes more than ten listeners for a leak and warns, and each costs more than one of these. */
function waitingOn(signal: AbortSignal): Waiting {
  let isAttached = false
  // Where the ring begins and ends nobody waits. Both are its own from the start: a setter of all objects would catch them.
  const ends = { previous: undefined, next: undefined } as unknown as Waiter
  ends.previous = ends.next = ends

  function detach(): void {
    try {
      signal.removeEventListener('abort', notify)
    } catch {
      // A listener that is called later finds nobody.
    }
  }

  function callAll(): void {
    while (ends.next !== ends) call(ends.next)
  }

  function notify(): void {
    try {
      ensureStack()
    } catch {
      microtask(callAll)
      return
    }
    callAll()
  }

  function stop(one: Waiter): void {
    if (!one.listener) return
    one.listener = undefined
    one.previous.next = one.next
    one.next.previous = one.previous
    if (ends.next !== ends || !isAttached) return
    isAttached = false
    if (weakGet(waiting, signal) === all) weakDelete(waiting, signal)
    detach()
  }

  const all: Waiting = {
    add(listener) {
      const one: Waiter = { listener, previous: ends.previous, next: ends, stop: () => stop(one) }
      ends.previous.next = one
      ends.previous = one
      return one
    },
    attach() {
      isAttached = true
      try {
        signal.addEventListener('abort', notify)
      } catch (cause) {
        failOption(`${rule}, and this one fails in its addEventListener`, { cause })
      }
      if (ends.next !== ends) weakSet(waiting, signal, all)
      else detach()
    },
  }
  return all
}

const waiting = new WeakMap<AbortSignal, Waiting>()
