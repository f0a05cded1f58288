/** A network in the module's memory: forward passes, streams, batches. */

import { zeros } from '../../intrinsics/captured.ts'
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { BatchCore, ForwardCall, ForwardResult, Network, Settle, StreamCore } from '../interface.ts'
import { type RowSizes, resultArrays, rowSizesOf, writeHeader } from '../packing.ts'
import { WasmBatch } from './batch.ts'
import { getResults, layoutWithin, putInputs, takeResults } from './call.ts'
import { unpackWeights } from './layers.ts'
import { Owned, Use, usedBy } from './owned.ts'
import { runPieces } from './pieces.ts'
import { WasmStream } from './stream.ts'

export class WasmNetwork implements Network {
  readonly weightBytes: number
  readonly #spec: NetworkSpec
  readonly #rows: RowSizes
  readonly #use: Use
  #shared: Float32Array | undefined

  /** @param owned the network takes over the one use that there is */
  constructor(owned: Owned, spec: NetworkSpec, bytes: number) {
    this.weightBytes = bytes
    this.#spec = spec
    this.#rows = rowSizesOf(spec)
    this.#use = usedBy(this, owned)
  }

  forward(call: ForwardCall): ForwardResult {
    const { instance, address } = this.#use.owned
    const layout = layoutWithin(this.#rows, call)
    const result = resultArrays(layout, call, zeros)
    instance.ensureRoom()
    const memory = instance.allocateOrArena(layout.floats)
    try {
      putInputs(instance, memory, layout, call)
      writeHeader(instance.ints, instance.header >>> 2, layout)
      instance.made(() => instance.exports.networkForward(address, memory, layout.floats))
      getResults(instance, memory, layout, result)
    } finally {
      instance.release(memory)
    }
    return result
  }

  forwardAsync(call: ForwardCall, settle: Settle, check: () => void): () => void {
    const { owned } = this.#use
    const { instance } = owned
    const layout = layoutWithin(this.#rows, call)
    instance.ensureRoom()
    const memory = new Use(Owned.memory(instance, layout.floats))
    const { address } = memory.owned
    // The inputs are not kept.
    const wanted = { returnOutput: call.returnOutput, into: call.into }
    const take = function* (): Generator<void, ForwardResult> {
      yield
      check()
      const result = resultArrays(layout, wanted, zeros)
      // Whoever was asked may have called it off.
      if (!memory.hasEnded) getResults(instance, address, layout, result)
      return result
    }
    const takeNew = (): Generator<void, ForwardResult> => takeResults(instance, address, layout, wanted)
    const ended = (result: ForwardResult | Error): void => {
      memory.end()
      settle(result)
    }
    try {
      putInputs(instance, address, layout, call)
      return runPieces(owned, memory, layout, call.into ? take : takeNew, ended)
    } catch (error) {
      memory.end()
      throw error
    }
  }

  weights(): CellWeights[] {
    const { owned } = this.#use
    owned.instance.ensureRoom()
    return unpackWeights(owned, this.#spec)
  }

  stream(batchSize: number): StreamCore {
    return new WasmStream(this.#use.owned, this.#rows, batchSize)
  }

  batch(): BatchCore {
    return new WasmBatch(this.#use.owned, this.#spec)
  }

  /** A copy, which stays as it is. */
  share(): Float32Array {
    const { instance, address } = this.#use.owned
    this.#shared ??= instance.getShared(instance.exports.networkMemory(address), this.weightBytes / 4)
    return this.#shared
  }

  dispose(): void {
    this.#use.end()
  }
}
