/** Live states that step together on the native backend. */

import { newFloats, newInts, setFloats } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import { type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import type { BatchCore } from '../interface.ts'
import { batchOp, headerField, outcome } from '../protocol.ts'
import type { Bound } from './addon.ts'
import { type NativeThread, outOfMemory } from './environment.ts'

/** The states and frames are this thread's own arrays: the addon copies rows to and from the memory of a batch. */
export class NativeBatch implements BatchCore {
  frames = newFloats(0)
  h = newFloats(0)
  c = newFloats(0)
  outputs = newFloats(0)
  rows = newInts(0)
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
    const newFrames = grown(this.frames, frames * inputSize)
    const h = grown(this.h, states * numLayers * O)
    const c = grown(this.c, states * numLayers * H)
    const outputs = grown(this.outputs, rows * O)
    const newRows = trueLength(this.rows) === rows * 2 ? this.rows : newInts(rows * 2)
    this.#thread.header[headerField.op] = batchOp.bind
    this.#call(newFrames, h, c, outputs, newRows)
    this.frames = newFrames
    this.h = h
    this.c = c
    this.outputs = outputs
    this.rows = newRows
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
  if (length === trueLength(values)) return values
  const larger = newFloats(length)
  setFloats(larger, values)
  return larger
}
