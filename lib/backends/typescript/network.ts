/** Layers × directions × rows × time of one network: which step comes after which. */

import { finished, type Pass } from '../../graph/pace.ts'
import { ceil, copyOf, copyOfInts, fillValues, zeros } from '../../intrinsics/captured.ts'
import { type CellWeights, directionsOf, type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import type { ForwardCall, ForwardResult, Network } from '../interface.ts'
import { runInSlices } from '../turns/time-slices.ts'
import { functionsOf } from './activations.ts'
import { copied, copy, startedFrom } from './arrays.ts'
import { TypeScriptBatch } from './batch.ts'
import { cells } from './cells/index.ts'
import { type CellStep, cellStep } from './layer.ts'
import { createStream } from './stream.ts'
import { bytesOfWeights, keepWeights, plainWeights, sharedWeights } from './weights.ts'

/** A network that computes on weights as they are kept, row by row. */
export interface TypeScriptNetwork extends Network {
  /** A call in steps. It stops at places where others may use the network in between. */
  pass(call: ForwardCall): Pass<ForwardResult>
}

/** `isShared`: the weights are in shared memory already, as another network keeps them; else they are plain. */
export function createNetwork(spec: NetworkSpec, weights: readonly CellWeights[], isShared = false): TypeScriptNetwork {
  const { inputSize, hiddenSize: H, numLayers, direction, functions } = spec
  const cell = cells[spec.cell]
  const D = directionsOf(spec)
  const O = outputSizeOf(spec)
  const stepsOf = (all: readonly CellWeights[]): CellStep[] => {
    const made: CellStep[] = []
    for (let index = 0; index < all.length; index++) {
      const inputs = index < D ? inputSize : D * O
      const own = functions && functionsOf(functions, index % D)
      made[index] = cellStep(cell, all[index], spec, inputs, H, O, own)
    }
    return made
  }
  let shared = isShared ? weights : undefined
  let kept = shared ?? keepWeights(spec, weights)
  let steps = stepsOf(kept)

  function* pass(call: ForwardCall): Pass<ForwardResult> {
    const { T, B, batchFirst, h0, c0, lengths, returnOutput, into } = call
    const states = D * numLayers * B
    const outputs = T * B * D * O
    // All memory first: where some is missing, nothing has been written to.
    const between = [zeros(numLayers > 1 ? outputs : 0), zeros(numLayers > 2 ? outputs : 0)]
    const last = returnOutput ? (into?.output ?? zeros(outputs)) : undefined
    const C = cell.cellState ? states * H : 0
    const ownH = into?.hn ?? zeros(states * O)
    const ownC = into?.cn ?? zeros(C)
    const hn = startedFrom(h0, ownH, states * O)
    const cn = startedFrom(c0, ownC, C)
    if (into?.output) fillValues(into.output, 0)
    let x = call.x
    let width = inputSize
    let output: Float32Array | undefined
    // Small steps go on in one go: a stop costs about as much as some hundred multiplications.
    const stepsAGo = ceil(20_000 / (cell.gates * H * (inputSize + O)))
    let left = stepsAGo
    for (let layer = 0; layer < numLayers; layer++) {
      output = layer < numLayers - 1 ? between[layer % 2] : last
      for (let d = 0; d < D; d++) {
        const step = steps[layer * D + d]
        const backward = d === 1 || direction === 'reverse'
        for (let b = 0; b < B; b++) {
          const state = (layer * D + d) * B + b
          const count = lengths ? lengths[b] : T
          for (let s = 0; s < count; s++) {
            const t = backward ? count - 1 - s : s
            const place = batchFirst ? b * T + t : t * B + b
            step(x, place * width, hn, state * O, cn, state * H)
            if (output) copy(output, place * D * O + d * O, hn, state * O, O)
            if (--left === 0) {
              left = stepsAGo
              yield
            }
          }
        }
      }
      if (output) x = output
      width = D * O
    }
    return { output, hn, cn: cell.cellState ? cn : undefined }
  }

  return {
    weightBytes: bytesOfWeights(spec, kept),
    pass,
    forward: (call) => finished(pass(call)),
    forwardAsync(call, settle, check) {
      const { x, h0, c0, lengths, into } = call
      const own = pass({
        ...call,
        x: copyOf(x),
        h0: h0 && copyOf(h0),
        c0: c0 && copyOf(c0),
        lengths: lengths && copyOfInts(lengths),
        into: undefined,
      })
      return runInSlices(into ? copiedInto(into, own, check) : own, settle)
    },
    weights: () => plainWeights(spec, kept),
    stream: (batchSize) => createStream(spec, steps, O, batchSize),
    batch() {
      return new TypeScriptBatch(this, { I: inputSize, L: numLayers, O, H: cell.cellState ? H : 0 })
    },
    /** The first call moves the weights into shared memory; from then on this network reads them there too. */
    share() {
      if (!shared) {
        shared = sharedWeights(spec, kept)
        kept = shared
        steps = stepsOf(kept)
      }
      return shared
    },
    dispose() {},
  }
}

function* copiedInto(into: Partial<ForwardResult>, pass: Pass<ForwardResult>, check: () => void): Pass<ForwardResult> {
  const result = yield* pass
  check()
  return copied(result, into)
}
