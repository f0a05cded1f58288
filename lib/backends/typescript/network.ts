/** Layers × directions × rows × time of one network: which step comes after which. */

import { finished, type Pass } from '../../graph/pace.ts'
import { ceil, copyOf, copyOfInts, fillValues, zeros } from '../../intrinsics/captured.ts'
import { type CellWeights, directionsOf, type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import type { BatchCore, ForwardCall, ForwardResult, Network, Settle, StreamCore } from '../interface.ts'
import { runInSlices } from '../turns/time-slices.ts'
import { functionsOf } from './activations.ts'
import { copied, copy, startedFrom } from './arrays.ts'
import { TypeScriptBatch } from './batch.ts'
import { cells } from './cells/index.ts'
import { type CellStep, cellStep } from './layer.ts'
import { createStream } from './stream.ts'
import { bytesOfWeights, keepWeights, plainWeights, sharedWeights } from './weights.ts'

/** A network that computes on weights as they are kept, row by row. */
export class TypeScriptNetwork implements Network {
  readonly weightBytes: number
  readonly #spec: NetworkSpec
  #weights!: readonly CellWeights[]
  #steps!: readonly CellStep[]
  #shared?: readonly CellWeights[]
  readonly #D: number
  readonly #O: number

  /** `shared`: the weights are in shared memory already, as another network keeps them; else they are plain. */
  constructor(spec: NetworkSpec, weights: readonly CellWeights[], shared = false) {
    this.#spec = spec
    this.#D = directionsOf(spec)
    this.#O = outputSizeOf(spec)
    if (shared) this.#shared = weights
    this.#use(shared ? weights : keepWeights(spec, weights))
    this.weightBytes = bytesOfWeights(spec, this.#weights)
  }

  #use(weights: readonly CellWeights[]): void {
    const { cell, inputSize, hiddenSize, functions } = this.#spec
    this.#weights = weights
    const steps: CellStep[] = []
    for (let index = 0; index < weights.length; index++) {
      const inputs = index < this.#D ? inputSize : this.#D * this.#O
      steps[index] = cellStep(
        cells[cell],
        weights[index],
        this.#spec,
        inputs,
        hiddenSize,
        this.#O,
        functions && functionsOf(functions, index % this.#D),
      )
    }
    this.#steps = steps
  }

  forward(call: ForwardCall): ForwardResult {
    return finished(this.pass(call))
  }

  forwardAsync(call: ForwardCall, settle: Settle, check: () => void): () => void {
    const { x, h0, c0, lengths, into } = call
    const own = {
      ...call,
      x: copyOf(x),
      h0: h0 && copyOf(h0),
      c0: c0 && copyOf(c0),
      lengths: lengths && copyOfInts(lengths),
      into: undefined,
    }
    const pass = this.pass(own)
    return runInSlices(into ? copiedInto(into, pass, check) : pass, settle)
  }

  /** A call in steps. It stops at places where others may use the network in between. */
  *pass(call: ForwardCall): Pass<ForwardResult> {
    const { T, B, batchFirst, h0, c0, lengths, returnOutput, into } = call
    const { numLayers, hiddenSize: H, inputSize, direction, cell } = this.#spec
    const D = this.#D
    const O = this.#O
    const states = D * numLayers * B
    const cellState = cells[cell].cellState
    const outputs = T * B * D * O
    // All memory first: where some is missing, nothing has been written to.
    const between = [zeros(numLayers > 1 ? outputs : 0), zeros(numLayers > 2 ? outputs : 0)]
    const last = returnOutput ? (into?.output ?? zeros(outputs)) : undefined
    const C = cellState ? states * H : 0
    const ownH = into?.hn ?? zeros(states * O)
    const ownC = into?.cn ?? zeros(C)
    const hn = startedFrom(h0, ownH, states * O)
    const cn = startedFrom(c0, ownC, C)
    if (into?.output) fillValues(into.output, 0)
    let x = call.x
    let width = inputSize
    let output: Float32Array | undefined
    // Small steps go on in one go: a stop costs about as much as some hundred multiplications.
    const stepsAGo = ceil(20_000 / (cells[cell].gates * H * (inputSize + O)))
    let left = stepsAGo
    for (let layer = 0; layer < numLayers; layer++) {
      output = layer < numLayers - 1 ? between[layer % 2] : last
      for (let d = 0; d < D; d++) {
        const step = this.#steps[layer * D + d]
        const backward = d === 1 || direction === 'reverse'
        for (let b = 0; b < B; b++) {
          const state = (layer * D + d) * B + b
          const steps = lengths ? lengths[b] : T
          for (let s = 0; s < steps; s++) {
            const t = backward ? steps - 1 - s : s
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
    return { output, hn, cn: cellState ? cn : undefined }
  }

  weights(): CellWeights[] {
    return plainWeights(this.#spec, this.#weights)
  }

  stream(batchSize: number): StreamCore {
    return createStream(this.#spec, this.#steps, this.#O, batchSize)
  }

  batch(): BatchCore {
    const { inputSize, hiddenSize, numLayers, cell } = this.#spec
    const cellState = cells[cell].cellState
    return new TypeScriptBatch(this, { I: inputSize, L: numLayers, O: this.#O, H: cellState ? hiddenSize : 0 })
  }

  /** The first call moves the weights into shared memory; from then on this network reads them there too. */
  share(): readonly CellWeights[] {
    if (!this.#shared) {
      this.#shared = sharedWeights(this.#spec, this.#weights)
      this.#use(this.#shared)
    }
    return this.#shared
  }

  dispose(): void {}
}

function* copiedInto(into: Partial<ForwardResult>, pass: Pass<ForwardResult>, check: () => void): Pass<ForwardResult> {
  const result = yield* pass
  check()
  return copied(result, into)
}
