/** Live states that step together on the native backend. */

import { cellTraits } from '../../spec/cell-traits.ts'
import { type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import type { BatchCore } from '../interface.ts'
import { batchOp, headerField, outcome } from '../protocol.ts'
import type { Bound } from './addon.ts'
import { type NativeThread, outOfMemory } from './environment.ts'

/** The states and frames are this thread's own arrays: the addon copies rows to and from the memory of a batch. */
export class NativeBatch implements BatchCore {
  frames = new Float32Array(0)
  h = new Float32Array(0)
  c = new Float32Array(0)
  outputs = new Float32Array(0)
  rows = new Int32Array(0)
  readonly #thread: NativeThread
  readonly #spec: NetworkSpec
  readonly #call: Bound

  constructor(thread: NativeThread, spec: NetworkSpec, call: Bound) {
    this.#thread = thread
    this.#spec = spec
    this.#call = call
  }

  reserve(frames: number, states: number, rows: number): void {
    const { inputSize, hiddenSize, numLayers, cell } = this.#spec
    const O = outputSizeOf(this.#spec)
    const H = cellTraits[cell].hasCellState ? hiddenSize : 0
    // The addon's pointers change with the arrays or not at all, also where the memory for one of them is missing.
    const next = {
      frames: grown(this.frames, frames * inputSize),
      h: grown(this.h, states * numLayers * O),
      c: grown(this.c, states * numLayers * H),
      outputs: grown(this.outputs, rows * O),
      rows: this.rows.length === rows * 2 ? this.rows : new Int32Array(new ArrayBuffer(rows * 8)),
    }
    this.#thread.header[headerField.op] = batchOp.bind
    this.#call(next.frames, next.h, next.c, next.outputs, next.rows)
    Object.assign(this, next)
  }

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    const { header } = this.#thread
    header[headerField.op] = batchOp.launch
    header[headerField.B] = count
    this.#call()
    this.#thread.expect((slot, how) => ended(slot, how === outcome.done ? undefined : outOfMemory()))
  }

  collect(ticket: number): void {
    const { header } = this.#thread
    header[headerField.op] = batchOp.collect
    header[headerField.slot] = ticket
    this.#call()
  }
}

/** Memory of its own buffer, so that the addon's pointer into it holds; nobody else sees the buffer. */
function grown(values: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (length === values.length) return values
  const larger = new Float32Array(new ArrayBuffer(length * 4))
  larger.set(values)
  return larger
}
