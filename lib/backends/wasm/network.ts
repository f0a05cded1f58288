/** A network in the module's memory: forward passes, streams, batches. */

import { newSharedFloats, setValues, viewOf } from '../../intrinsics/captured.ts'
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { BatchCore, ForwardCall, ForwardResult, Network, Settle, StreamCore } from '../interface.ts'
import { outOfMemory } from '../packing.ts'
import { arenaLength } from '../protocol.ts'
import { WasmBatch } from './batch.ts'
import {
  describe,
  getResults,
  layoutOf,
  putInputs,
  type RowSizes,
  resultArrays,
  rowSizesOf,
  takeResults,
} from './call.ts'
import type { WasmInstance } from './instance.ts'
import { unpackWeights } from './layers.ts'
import { type Owned, type Use, usedBy } from './owned.ts'
import { CallMemory, runPieces } from './pieces.ts'
import { newStream } from './stream.ts'

export class WasmNetwork implements Network {
  readonly weightBytes: number
  readonly #spec: NetworkSpec
  readonly #rows: RowSizes
  readonly #instance: WasmInstance
  readonly #use: Use
  #shared: Float32Array | undefined

  /** @param owned the network takes over the one use that there is */
  constructor(owned: Owned, spec: NetworkSpec, bytes: number) {
    this.weightBytes = bytes
    this.#spec = spec
    this.#rows = rowSizesOf(spec)
    this.#instance = owned.instance
    this.#use = usedBy(this, owned)
  }

  forward(call: ForwardCall): ForwardResult {
    const instance = this.#instance
    const { address } = this.#use.owned
    const layout = layoutOf(this.#rows, call)
    const result = resultArrays(layout, call)
    instance.ensureRoom()
    const isSmall = layout.floats <= arenaLength
    const memory = isSmall ? instance.arena : instance.allocate(layout.floats)
    try {
      putInputs(instance, memory, layout, call)
      describe(instance, layout)
      if (!instance.guarded(() => instance.exports.networkForward(address, memory, layout.floats))) throw outOfMemory()
      getResults(instance, memory, layout, result)
    } finally {
      if (!isSmall) instance.release(memory)
    }
    return result
  }

  forwardAsync(call: ForwardCall, settle: Settle, check: () => void): () => void {
    const instance = this.#instance
    const { owned } = this.#use
    const layout = layoutOf(this.#rows, call)
    instance.ensureRoom()
    const memory = new CallMemory(instance, layout.floats)
    // The inputs are not kept.
    const wanted = { returnOutput: call.returnOutput, into: call.into } as ForwardCall
    const take = function* (): Generator<void, ForwardResult> {
      yield
      check()
      const result = resultArrays(layout, wanted)
      // Whoever was asked may have called it off.
      if (!memory.isGone) getResults(instance, memory.address, layout, result)
      return result
    }
    const takeNew = (): Generator<void, ForwardResult> => takeResults(instance, memory.address, layout, wanted)
    const ended = (result: ForwardResult | Error): void => {
      memory.free()
      settle(result)
    }
    try {
      putInputs(instance, memory.address, layout, call)
      return runPieces(owned, memory, layout, call.into ? take : takeNew, ended)
    } catch (error) {
      memory.free()
      throw error
    }
  }

  weights(): CellWeights[] {
    this.#instance.ensureRoom()
    return unpackWeights(this.#use.owned, this.#spec)
  }

  stream(batchSize: number): StreamCore {
    return newStream(this.#use.owned, this.#rows, batchSize)
  }

  batch(): BatchCore {
    return new WasmBatch(this.#use.owned, this.#spec)
  }

  /** A copy, which stays as it is. */
  share(): Float32Array {
    if (!this.#shared) {
      const instance = this.#instance
      const memory = instance.exports.networkMemory(this.#use.owned.address)
      const shared = newSharedFloats(this.weightBytes / 4)
      setValues(shared, viewOf(instance.floats, memory >>> 2, this.weightBytes / 4))
      this.#shared = shared
    }
    return this.#shared
  }

  dispose(): void {
    this.#use.end()
  }
}
