/** Live states that step together on the native backend. */

import type { NetworkSpec } from '../../spec/spec.ts'
import { type BatchArrayList, BatchArrays } from '../batch-arrays.ts'
import type { BatchCore } from '../interface.ts'
import { outOfMemory } from '../packing.ts'
import { batchOp, headerField, outcome } from '../protocol.ts'
import type { Bound } from './addon.ts'
import type { NativeThread } from './environment.ts'

/** The states and frames are this thread's own arrays: the addon copies rows to and from the memory of a batch. */
export class NativeBatch extends BatchArrays implements BatchCore {
  readonly #thread: NativeThread
  readonly #call: Bound

  constructor(thread: NativeThread, spec: NetworkSpec, call: Bound) {
    super(spec)
    this.#thread = thread
    this.#call = call
  }

  /** The addon's pointers change with the arrays or not at all. */
  protected override bind({ frames, h, c, outputs, rows }: BatchArrayList): void {
    this.#thread.header[headerField.op] = batchOp.bind
    this.#call(frames, h, c, outputs, rows)
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
