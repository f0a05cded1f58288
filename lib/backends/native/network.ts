/** A network of the addon: forward passes, each by its cheapest way, and its streams and batches. */

import { ceil, copyFloats, copyOfRange, newSharedFloats, setValues, viewOf } from '../../intrinsics/captured.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import { type CellWeights, directionsOf, type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import { collectWeights } from '../../weights/names.ts'
import type { BatchCore, ForwardCall, ForwardResult, Network, Settle, StreamCore } from '../interface.ts'
import { checkSteps, flagsOf, listWeights, noteScales, outOfMemory, withScales } from '../packing.ts'
import { headerField, networkOp, outcome } from '../protocol.ts'
import type { Bound } from './addon.ts'
import { NativeBatch } from './batch.ts'
import type { NativeThread } from './environment.ts'
import { NativeStream } from './stream.ts'
import { uninitialized } from './uninitialized.ts'

// An output of so many floats is written where it stays; shorter ones come through the arena, without arguments.
const longOutput = 512

/** A network of the addon. */
export class NativeNetwork implements Network {
  readonly #thread: NativeThread
  readonly #header: Int32Array
  readonly #arena: Float32Array
  readonly #spec: NetworkSpec
  readonly #call: Bound
  readonly weightBytes: number
  #memory: Float32Array | undefined
  /** Floats of one row: of the output at one step, of hn, of cn. */
  readonly #rowY: number
  readonly #rowH: number
  readonly #rowC: number

  constructor(thread: NativeThread, spec: NetworkSpec, call: Bound, memory: Float32Array, floats: number) {
    this.#thread = thread
    this.#header = thread.header
    this.#arena = thread.arena
    this.#spec = spec
    this.#call = call
    this.#memory = memory
    this.weightBytes = 4 * floats
    const D = directionsOf(spec)
    this.#rowY = D * outputSizeOf(spec)
    this.#rowH = spec.numLayers * this.#rowY
    this.#rowC = cellTraits[spec.cell].hasCellState ? spec.numLayers * D * spec.hiddenSize : 0
  }

  forward(call: ForwardCall): ForwardResult {
    const { x, h0, c0, lengths } = call
    const { B, T } = this.#describe(call)
    const y = call.returnOutput ? T * B * this.#rowY : 0
    const h = B * this.#rowH
    const c = B * this.#rowC
    const values = T * B * this.#spec.inputSize // what x says of its length may be a lie
    const inputs = values + (h0 ? h : 0) + (c0 ? c : 0) + (lengths ? B : 0)
    if (y >= longOutput || !this.#thread.fits(inputs + y + h + c)) return this.#forwardLarge(call, y, h, c)
    const arena = this.#arena
    setValues(arena, x)
    let at = values
    if (h0) {
      setValues(arena, h0, at)
      at += h
    }
    if (c0) {
      setValues(arena, c0, at)
      at += c
    }
    if (lengths) {
      setValues(this.#thread.arenaInts, lengths, at)
      at += B
    }
    this.#header[headerField.op] = networkOp.forwardArena
    this.#call()
    return this.#cut(call, at, y, h, c)
  }

  /** Arrays are passed as they are. */
  #forwardLarge(call: ForwardCall, y: number, h: number, c: number): ForwardResult {
    const result = this.#arrays(call, y, h, c)
    const { output, hn, cn } = result
    this.#header[headerField.op] = networkOp.forward
    this.#call(call.x, call.h0, call.c0, call.lengths, output, hn, cn)
    return result
  }

  /** The arrays for a result: the caller's own, or new ones. */
  #arrays({ returnOutput, into }: ForwardCall, y: number, h: number, c: number): ForwardResult {
    const output = returnOutput ? (into?.output ?? uninitialized(y)) : undefined
    const hn = into?.hn ?? uninitialized(h)
    return { output, hn, cn: this.#rowC ? (into?.cn ?? uninitialized(c)) : undefined }
  }

  /** Results out of the arena. */
  #cut(call: ForwardCall, at: number, y: number, h: number, c: number): ForwardResult {
    const arena = this.#arena
    if (call.into) {
      const result = this.#arrays(call, y, h, c) // all before any is written to
      if (result.output) copyFloats(result.output, 0, arena, at, y)
      copyFloats(result.hn, 0, arena, at + y, h)
      if (result.cn) copyFloats(result.cn, 0, arena, at + y + h, c)
      return result
    }
    const output = call.returnOutput ? copyOfRange(arena, at, y) : undefined
    const hn = copyOfRange(arena, at + y, h)
    const cn = this.#rowC ? copyOfRange(arena, at + y + h, c) : undefined
    return { output, hn, cn }
  }

  /**
   * Results that fit the arena, or that go into the caller's arrays, come out of the call's own memory when it has ended. All others are
   * written where they stay: arrays that nobody has before the call is done.
   */
  forwardAsync(call: ForwardCall, settle: Settle, check: () => void): () => void {
    const { x, h0, c0, lengths, returnOutput } = call
    const { T, B } = this.#describe(call)
    const y = returnOutput ? T * B * this.#rowY : 0
    const h = B * this.#rowH
    const c = B * this.#rowC
    const thread = this.#thread
    const fits = thread.fits(y + h + c)
    const own = fits || call.into ? undefined : this.#arrays(call, y, h, c)
    this.#header[headerField.op] = networkOp.start
    this.#call(x, h0, c0, lengths, own?.output, own?.hn, own?.cn)
    // The inputs are not kept.
    const wanted = { returnOutput, into: call.into } as ForwardCall
    const take = (slot: number): ForwardResult => {
      check()
      if (fits) {
        thread.take(slot)
        return this.#cut(wanted, 0, y, h, c)
      }
      const result = this.#arrays(wanted, y, h, c)
      thread.takeInto(slot, result.output, result.hn, result.cn)
      return result
    }
    const slot = thread.expect((slot, how) => {
      const result = how === outcome.done ? (own ?? orError(() => take(slot))) : outOfMemory()
      thread.drop(slot)
      settle(result)
    })
    return () => thread.cancel(slot)
  }

  batch(): BatchCore {
    this.#header[headerField.op] = networkOp.batch
    return new NativeBatch(this.#thread, this.#spec, this.#call() as Bound)
  }

  share(): unknown {
    this.#header[headerField.op] = networkOp.share
    this.#call()
    return this.#memory
  }

  /** Writes a call's sizes and flags into the header. No rows: no matter how many steps. */
  #describe(call: ForwardCall): { T: number; B: number } {
    const { T, B } = call
    const steps = B === 0 ? 0 : T
    checkSteps(steps)
    const header = this.#header
    header[headerField.T] = steps
    header[headerField.B] = B
    header[headerField.flags] = flagsOf(call)
    return { T: steps, B }
  }

  weights(): CellWeights[] {
    const weights = collectWeights(this.#spec, () => {})
    // Before the header is written: the stack may end in it, and the next call must not find this one's operation.
    const all = withScales(weights, this.#spec)
    const list = listWeights(all)
    this.#header[headerField.op] = networkOp.weights
    this.#call(list)
    noteScales(all)
    return weights
  }

  stream(batchSize: number): StreamCore {
    const { inputSize } = this.#spec
    // The output begins on a cache line of its own.
    const inputs = ceil((batchSize * inputSize) / 16) * 16
    const outputs = batchSize * outputSizeOf(this.#spec)
    const memory = newSharedFloats(inputs + outputs)
    const input = viewOf(memory, 0, batchSize * inputSize)
    const output = viewOf(memory, inputs, outputs)
    this.#header[headerField.op] = networkOp.stream
    this.#header[headerField.B] = batchSize
    const call = this.#call(input, output) as Bound
    return new NativeStream(this.#thread, input, output, call, batchSize * this.#rowH, batchSize * this.#rowC)
  }

  dispose(): void {
    this.#header[headerField.op] = networkOp.dispose
    this.#call()
    this.#memory = undefined
  }
}

/** Where results are made there is no caller to throw at: what has no memory, or nowhere to go, ends its own call. */
function orError(make: () => ForwardResult): ForwardResult | Error {
  try {
    return make()
  } catch (error) {
    return error as Error
  }
}
