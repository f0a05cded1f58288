/** A network in use: counted by the layer and the streams that need it, and known by the fingerprint of its weights. */
import type { Backend, Network } from '../backends/interface.ts'
import { sha256 } from '../platform/hash.ts'
import { scalesOf } from '../precision/scales.ts'
import { listFunctions } from '../spec/cell-functions.ts'
import type { CellWeights, NetworkSpec } from '../spec/spec.ts'
import { littleEndian } from '../tensor/bytes.ts'
import { toStateDict } from '../weights/names.ts'

/** One network that a layer and any number of streams hold; the last to release it disposes it. */
export class NetworkRef {
  readonly spec: NetworkSpec
  readonly backend: Backend
  readonly network: Network
  #users = 1
  #fingerprint?: Uint8Array

  /** The new object counts as its first user. */
  constructor(spec: NetworkSpec, backend: Backend, network: Network) {
    this.spec = spec
    this.backend = backend
    this.network = network
  }

  /** Packs the weights for a backend; the arrays must be fresh. */
  static of(spec: NetworkSpec, backend: Backend, weights: readonly CellWeights[]): NetworkRef {
    return new NetworkRef(spec, backend, backend.network(spec, weights))
  }

  retain(): this {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users === 0) this.network.dispose()
  }

  /**
   * SHA-256 of everything that decides what the network computes: cell, sizes, direction, functions, formats, and the weights as they are
   * kept. Made when first asked for, remembered, and the same for every backend.
   */
  fingerprint(): Uint8Array {
    if (!this.#fingerprint) {
      const { cell, inputSize, hiddenSize, projSize, numLayers, bias, direction, functions } = this.spec
      const list: unknown[] = [cell, inputSize, hiddenSize, projSize, numLayers, bias, direction]
      if (functions) list[list.length] = listFunctions(functions)
      // Float32 goes without saying, as in states that were saved before there was anything else.
      const { weights: kept, activations } = this.spec
      if (kept !== 'f32') list[list.length] = `${kept} × ${activations}`
      const text = JSON.stringify(list)
      const weights = Object.values(toStateDict(this.spec, this.network.weights()))
      const scales = weights.map(({ data }) => scalesOf(data)).filter((one) => one !== undefined)
      this.#fingerprint = sha256([text, ...weights.map(({ data }) => littleEndian(data)), ...scales.map(littleEndian)])
    }
    return this.#fingerprint
  }
}
