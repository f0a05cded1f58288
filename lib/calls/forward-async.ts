/** `forwardAsync`: a forward pass beside this thread, and how an AbortSignal ends it. */

import type { ForwardResult } from '../backends/interface.ts'
import { deferred } from '../intrinsics/captured.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { type ForwardTrace, forwardChannel, isTraced } from '../tracing.ts'
import { type Listening, onAbort, readSignal, reasonOf, throwIfAborted } from './abort-signal.ts'
import { checkLengths, emptyBatch, type PreparedCall, prepareCall, type Result, shapeResult } from './forward.ts'
import type { NetworkRef } from './network-ref.ts'
import { checkOutLengths } from './out.ts'

/**
 * Checks everything as `forward` does, but what is wrong rejects. The inputs are copied before it returns, so the caller may do with
 * them what it likes; the layer may load other weights or be disposed meanwhile.
 */
export async function runAsync(
  layer: ForwardTrace['layer'],
  batchFirst: boolean,
  current: () => NetworkRef,
  input: unknown,
  options: unknown,
): Promise<Result> {
  let signal: AbortSignal | undefined
  const checks = {
    signal: (value: unknown) => {
      signal = readSignal(value)
    },
  }
  const { spec } = current()
  const prepared = prepareCall(layer, spec, batchFirst, input, options, checks)
  if (signal) throwIfAborted(signal)
  const ref = current().retain()
  try {
    if (!isTraced(forwardChannel)) return await run(ref, prepared, signal)
    const { T, B } = prepared.call
    const pass = async () => {
      // Whoever is told of the start may do anything to the arrays and the signal; the weights are held.
      checkLengths(spec, prepared)
      if (signal) throwIfAborted(signal)
      return run(ref, prepared, signal)
    }
    return await forwardChannel.tracePromise(pass, { layer, backend: ref.backend.name, T, B, async: true })
  } finally {
    ref.release()
  }
}

/**
 * The pass as a promise, and its end by a signal: whichever is first. What fails at the start is thrown: a promise that is rejected already
 * would need a handler from the caller's `await` at once, which the end of the stack can keep from being heard of.
 */
function run(
  { spec, network }: NetworkRef,
  prepared: PreparedCall,
  signal: AbortSignal | undefined,
): Promise<Result> | Result {
  const { call, out } = prepared
  const none = emptyBatch(spec, call)
  ensureStack()
  if (none) return shapeResult(prepared, none)
  const { promise, resolve, reject } = deferred<Result>()
  let over = false
  let listening: Listening | undefined
  let cancel: (() => void) | undefined
  const settle = (result: ForwardResult | Error) => {
    if (over) return
    over = true
    listening?.stop()
    if (result instanceof Error) reject(result)
    else resolve(shapeResult(prepared, result))
  }
  try {
    // Before the start: the signal's own code may throw, and abort.
    if (signal) {
      listening = onAbort(signal, () => {
        if (over) return
        over = true
        cancel?.()
        reject(reasonOf(signal))
      })
    }
    if (over) return promise
    ensureStack()
    cancel = network.forwardAsync(call, settle, () => out && checkOutLengths(out))
  } catch (error) {
    // An abort that came first has rejected the promise.
    if (over) return promise
    over = true
    listening?.stop()
    throw error
  }
  return promise
}
