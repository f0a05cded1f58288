/** A network of the addon: forward passes, each by its cheapest way, and its streams and batches. */

import { ceil, copyFloats, copyOfRange, newSharedFloats, setValues, viewOf, zeros } from '../../intrinsics/captured.ts'
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { BatchCore, ForwardCall, ForwardResult, Network, Settle, StreamCore } from '../interface.ts'
import {
  type Layout,
  layoutOf,
  listWeights,
  outOfMemory,
  type RowSizes,
  readNetwork,
  resultArrays,
  rowSizesOf,
  writeHeader,
} from '../packing.ts'
import { arenaLength, callOp, headerField, networkOp, outcome } from '../protocol.ts'
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
  readonly #spec: NetworkSpec
  readonly #rows: RowSizes
  readonly #call: Bound
  readonly weightBytes: number
  #memory: Float32Array | undefined

  constructor(thread: NativeThread, spec: NetworkSpec, call: Bound, memory: Float32Array, floats: number) {
    this.#thread = thread
    this.#spec = spec
    this.#rows = rowSizesOf(spec)
    this.#call = call
    this.#memory = memory
    this.weightBytes = 4 * floats
  }

  forward(call: ForwardCall): ForwardResult {
    const { x, h0, c0, lengths } = call
    const layout = this.#describe(call)
    // What x says of its length may be a lie.
    const { x: values, h, y, inputs, floats } = layout
    if (y >= longOutput || floats > arenaLength) return this.#forwardLarge(call, layout)
    const { arena, arenaInts } = this.#thread
    setValues(arena, x)
    if (h0) setValues(arena, h0, values)
    if (c0) setValues(arena, c0, values + (h0 ? h : 0))
    if (lengths) setValues(arenaInts, lengths, inputs - layout.B)
    this.#thread.header[headerField.op] = networkOp.forwardArena
    this.#call()
    return this.#cut(call, inputs, layout)
  }

  /** Arrays are passed as they are. */
  #forwardLarge(call: ForwardCall, layout: Layout): ForwardResult {
    const result = resultArrays(layout, call, uninitialized)
    const { output, hn, cn } = result
    this.#thread.header[headerField.op] = networkOp.forward
    this.#call(call.x, call.h0, call.c0, call.lengths, output, hn, cn)
    return result
  }

  /** Results out of the arena. */
  #cut(call: Pick<ForwardCall, 'returnOutput' | 'into'>, at: number, layout: Layout): ForwardResult {
    const { arena } = this.#thread
    const { y, h, c } = layout
    if (!call.into) {
      const output = call.returnOutput ? copyOfRange(arena, at, y) : undefined
      const hn = copyOfRange(arena, at + y, h)
      return { output, hn, cn: c > 0 ? copyOfRange(arena, at + y + h, c) : undefined }
    }
    const result = resultArrays(layout, call, zeros) // all before any is written to
    if (result.output) copyFloats(result.output, 0, arena, at, y)
    copyFloats(result.hn, 0, arena, at + y, h)
    if (result.cn) copyFloats(result.cn, 0, arena, at + y + h, c)
    return result
  }

  /**
   * Results that fit the arena, or that go into the caller's arrays, come out of the call's own memory when it has ended. All others are
   * written where they stay: arrays that nobody has before the call is done.
   */
  forwardAsync(call: ForwardCall, settle: Settle, check: () => void): () => void {
    const { x, h0, c0, lengths, returnOutput, into } = call
    const thread = this.#thread
    const layout = this.#describe(call)
    const fits = layout.floats - layout.inputs <= arenaLength
    const own = fits || into ? undefined : resultArrays(layout, call, uninitialized)
    thread.header[headerField.op] = networkOp.start
    this.#call(x, h0, c0, lengths, own?.output, own?.hn, own?.cn)
    // The inputs are not kept.
    const wanted = { returnOutput, into }
    const take = (slot: number): ForwardResult => {
      check()
      if (fits) {
        thread.act(callOp.takeArena, slot)
        return this.#cut(wanted, 0, layout)
      }
      const result = resultArrays(layout, wanted, uninitialized)
      thread.act(callOp.take, slot, result)
      return result
    }
    const slot = thread.expect((slot, how) => {
      const result = how === outcome.done ? (own ?? orError(() => take(slot))) : outOfMemory()
      thread.act(callOp.drop, slot)
      settle(result)
    })
    return () => thread.cancel(slot)
  }

  batch(): BatchCore {
    return new NativeBatch(this.#thread, this.#spec, this.#act(networkOp.batch) as Bound)
  }

  share(): unknown {
    this.#act(networkOp.share)
    return this.#memory
  }

  /** Writes a call's sizes and flags into the header. */
  #describe(call: ForwardCall): Layout {
    const layout = layoutOf(this.#rows, call)
    writeHeader(this.#thread.header, 0, layout)
    return layout
  }

  weights(): CellWeights[] {
    return readNetwork(this.#spec, (all) => {
      // Before the header is written: the stack may end in it, and the next call must not find this one's operation.
      const list = listWeights(all)
      this.#act(networkOp.weights, list)
    })
  }

  stream(batchSize: number): StreamCore {
    const { x, y, h, c } = this.#rows
    // The output begins on a cache line of its own.
    const inputs = ceil((batchSize * x) / 16) * 16
    const memory = newSharedFloats(inputs + batchSize * y)
    const input = viewOf(memory, 0, batchSize * x)
    const output = viewOf(memory, inputs, batchSize * y)
    this.#thread.header[headerField.B] = batchSize
    const call = this.#act(networkOp.stream, input, output) as Bound
    return new NativeStream(this.#thread, input, output, call, batchSize * h, batchSize * c)
  }

  dispose(): void {
    this.#act(networkOp.dispose)
    this.#memory = undefined
  }

  #act(op: number, first?: unknown, second?: unknown): unknown {
    this.#thread.header[headerField.op] = op
    return this.#call(first, second)
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
