/** A network in use: counted by the layer and the streams that need it, and known by the fingerprint of its weights. */
import type { Backend, CellWeights, Network, NetworkSpec } from '../backends/interface.ts'
import { sha256 } from '../hash.ts'
import { toStateDict } from '../weights/names.ts'

/** One network that a layer and any number of streams hold; the last to release it disposes it. */
export class LoadedNetwork {
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
  static of(spec: NetworkSpec, backend: Backend, weights: readonly CellWeights[]): LoadedNetwork {
    return new LoadedNetwork(spec, backend, backend.network(spec, weights))
  }

  retain(): this {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users === 0) this.network.dispose()
  }

  /**
   * SHA-256 of everything that decides what the network computes: cell, sizes, direction, weights. Made when first asked for, kept, and
   * the same for every backend.
   */
  fingerprint(): Uint8Array {
    if (!this.#fingerprint) {
      const { cell, inputSize, hiddenSize, projSize, numLayers, bias, direction } = this.spec
      const sizes = JSON.stringify([cell, inputSize, hiddenSize, projSize, numLayers, bias, direction])
      const weights = Object.values(toStateDict(this.spec, this.network.weights()))
      this.#fingerprint = sha256([sizes, ...weights.map(({ data }) => littleEndian(data))])
    }
    return this.#fingerprint
  }
}

const bigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0

/** The bytes of float32 values, lowest byte first on every machine; shares the array's memory where it can. */
export function littleEndian(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return bigEndian ? Buffer.from(bytes).swap32() : bytes
}

/** The reverse of {@link littleEndian}: float32 values out of bytes that may lie unaligned; always a copy. */
export function fromLittleEndian(bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes)
  if (bigEndian) Buffer.from(copy.buffer).swap32()
  return new Float32Array(copy.buffer)
}
