/** `forwardAsync`: a forward pass beside this thread, and how an AbortSignal ends it. */

import type { ForwardResult } from '../backends/interface.ts'
import { type ForwardTrace, forwardChannel, isTraced } from '../tracing.ts'
import { onAbort, readSignal } from './abort-signal.ts'
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
  signal?.throwIfAborted()
  const ref = current().retain()
  try {
    if (!isTraced(forwardChannel)) return await run(ref, prepared, signal)
    const { T, B } = prepared.call
    const pass = async () => {
      // Whoever is told of the start may do anything to the arrays and the signal; the weights are held.
      checkLengths(spec, prepared)
      signal?.throwIfAborted()
      return run(ref, prepared, signal)
    }
    return await forwardChannel.tracePromise(pass, { layer, backend: ref.backend.name, T, B, async: true })
  } finally {
    ref.release()
  }
}

/** The pass as a promise, and its end by a signal. */
function run({ spec, network }: NetworkRef, prepared: PreparedCall, signal: AbortSignal | undefined): Promise<Result> {
  const { call, out } = prepared
  const none = emptyBatch(spec, call)
  return new Promise((resolve, reject) => {
    if (none) {
      resolve(shapeResult(spec, prepared, none))
      return
    }
    let stopListening: (() => void) | undefined
    const settle = (result: ForwardResult | Error) => {
      stopListening?.()
      if (result instanceof Error) reject(result)
      else resolve(shapeResult(spec, prepared, result))
    }
    let cancel: (() => void) | undefined
    let aborted = false
    // Before the start: where a signal cannot be listened to, nothing has begun.
    if (signal) {
      stopListening = onAbort(signal, () => {
        aborted = true
        cancel?.()
        reject(signal.reason)
      })
    }
    if (aborted) return
    try {
      cancel = network.forwardAsync(call, settle, () => out && checkOutLengths(out))
    } catch (error) {
      stopListening?.()
      throw error
    }
  })
}
