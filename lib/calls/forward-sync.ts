/** `forward`: a pass on the caller's thread, and what those who trace it may do meanwhile. */
import { type ForwardTrace, forwardChannel, isTraced } from '../tracing.ts'
import { checkLengths, emptyBatch, type PreparedCall, prepareCall, type Result, shapeResult } from './forward.ts'
import type { NetworkRef } from './network-ref.ts'

/** Checks all arguments and runs the pass. `current` is asked again once they are read: reading may have run anything. */
export function runForward(
  layer: ForwardTrace['layer'],
  batchFirst: boolean,
  current: () => NetworkRef,
  input: unknown,
  options: unknown,
): Result {
  const prepared = prepareCall(layer, current().spec, batchFirst, input, options)
  const ref = current()
  return isTraced(forwardChannel) ? traced(layer, ref, prepared) : run(ref, prepared)
}

function run({ spec, network }: NetworkRef, prepared: PreparedCall): Result {
  return shapeResult(prepared, emptyBatch(spec, prepared.call) ?? network.forward(prepared.call))
}

/** Whoever is told of the start may dispose the layer, load other weights, or take memory away: the pass keeps its weights, and looks again. */
function traced(layer: ForwardTrace['layer'], ref: NetworkRef, prepared: PreparedCall): Result {
  ref.retain()
  try {
    const { T, B } = prepared.call
    const pass = () => {
      checkLengths(ref.spec, prepared)
      return run(ref, prepared)
    }
    return forwardChannel.traceSync(pass, { layer, backend: ref.backend.name, T, B, async: false })
  } finally {
    ref.release()
  }
}
