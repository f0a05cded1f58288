/** `forwardAsync`: a forward pass beside this thread, and how an AbortSignal ends it. */

import type { ForwardResult, Settle } from '../backends/interface.ts'
import { newPromise } from '../intrinsics/captured.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { type ForwardTrace, forwardChannel, isTraced } from '../tracing.ts'
import { type Listening, onAbort, readSignal, reasonOf, throwIfAborted } from './abort-signal.ts'
import { emptyBatch, prepareCall, type Result, shapeResult } from './forward.ts'
import type { NetworkRef } from './network-ref.ts'

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
    const none = emptyBatch(spec, prepared.call)
    const run = () => settled((settle) => ref.network.forwardAsync(prepared.call, settle), signal)
    if (!isTraced(forwardChannel)) return shapeResult(spec, prepared, none ?? (await run()))
    const { T, B } = prepared.call
    const trace = { layer, backend: ref.backend.name, T, B, async: true }
    return shapeResult(spec, prepared, none ?? (await forwardChannel.tracePromise(run, trace)))
  } finally {
    ref.release()
  }
}

/** The end of a call as a promise, and its end by a signal: whichever is first. */
function settled(start: (settle: Settle) => () => void, signal: AbortSignal | undefined): Promise<ForwardResult> {
  return newPromise((resolve, reject) => {
    let over = false
    let listening: Listening | undefined
    let cancel: (() => void) | undefined
    // Before the start: the signal's own code may throw, and abort.
    if (signal) {
      listening = onAbort(signal, () => {
        if (over) return
        over = true
        cancel?.()
        reject(reasonOf(signal))
      })
    }
    if (over) return
    try {
      ensureStack()
      cancel = start((result) => {
        if (over) return
        over = true
        listening?.stop()
        if (result instanceof Error) reject(result)
        else resolve(result)
      })
    } catch (error) {
      over = true
      listening?.stop()
      throw error
    }
  })
}
