/** A plan as the addon runs it: a program, its memory, and calls of it. */

import type { Plan } from '../../graph/plan.ts'
import { stepFailed } from '../../graph/step-error.ts'
import { elementTypes, type GraphData } from '../../graph/tensor.ts'
import { bytesOf, newSharedFloats } from '../../intrinsics/captured.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { Program, ProgramInstance, SlotRows, WeightStore } from '../interface.ts'
import { SharedWeights } from '../packed-memory.ts'
import { listWeights, outOfMemory, packedMemory } from '../packing.ts'
import { arraysOver, type Compiled, compile, type Place } from '../program/compile.ts'
import type { Packer } from '../program/weights.ts'
import { callOp, headerField, instanceOp, operatorNumber, outcome, programOp } from '../protocol.ts'
import type { Addon, Bound } from './addon.ts'
import type { NativeThread } from './environment.ts'

/** What comes back is left to the garbage collector: disposed of, it would empty the memory. */
function packerOf(addon: Addon, table: number): Packer {
  const kind = operatorNumber.linear
  return {
    dense(K, N, precision, arrays) {
      const memory = packedMemory(addon.operatorFloats(table, kind, [K, N], precision))
      addon.operator(table, kind, [K, N], precision, memory, arrays)
      return new SharedWeights(memory)
    },
    network(spec, weights) {
      const memory = packedMemory(addon.networkFloats(table, spec))
      addon.network(table, spec, 1, memory, listWeights(weights))
      return new SharedWeights(memory)
    },
    adopt: (shared) => new SharedWeights(shared),
  }
}

const sharedBytes = (bytes: number) => bytesOf(newSharedFloats(bytes / 4))

/** What a program's instances have of it. */
type Made = Pick<Compiled, 'labels' | 'inputs' | 'outputs'>

export class NativeProgram implements Program {
  readonly #thread: NativeThread
  readonly #call: Bound
  readonly #ioBytes: number
  readonly #made: Made

  constructor(
    thread: NativeThread,
    table: number,
    plan: Plan,
    store: WeightStore,
    threads: number,
    precision: Precision,
  ) {
    const { addon } = thread
    const made = compile(plan, packerOf(addon, table), store, threads, precision, sharedBytes)
    const { labels, inputs, outputs } = made
    this.#thread = thread
    this.#ioBytes = made.ioBytes
    this.#made = { labels, inputs, outputs }
    const memories = made.memories.map((memory) => memory.shared())
    this.#call = addon.program(table, threads, made.numbers, made.constants, memories)
  }

  instance(): ProgramInstance {
    const io = new SharedArrayBuffer(this.#ioBytes + 64)
    this.#thread.header[headerField.op] = programOp.instance
    return new NativeInstance(this.#thread, this.#call(new Uint8Array(io)) as Bound, io, this.#made)
  }

  dispose(): void {
    this.#thread.header[headerField.op] = programOp.dispose
    this.#call()
  }
}

class NativeInstance implements ProgramInstance {
  readonly inputs: readonly GraphData[]
  readonly outputs: readonly GraphData[]
  readonly #thread: NativeThread
  readonly #call: Bound
  readonly #made: Made

  /** @param call as it was just made: where in `io` its memory begins is in the header */
  constructor(thread: NativeThread, call: Bound, io: SharedArrayBuffer, made: Made) {
    const from = thread.header[headerField.slot]
    this.#thread = thread
    this.#call = call
    this.#made = made
    this.inputs = arraysOver(io, from, made.inputs)
    this.outputs = arraysOver(io, from, made.outputs)
  }

  run(): void {
    // `op` is 0, run, as whoever read it last left it.
    this.#call()
    if (this.#thread.header[headerField.slot] !== 0) throw this.#failure()
  }

  start(settle: (error?: Error) => void): () => void {
    this.#act(instanceOp.start)
    const thread = this.#thread
    const slot = thread.expect((slot, how) => {
      const error = how === outcome.done ? undefined : how === outcome.failed ? this.#failureOf(slot) : outOfMemory()
      thread.act(callOp.drop, slot)
      settle(error)
    })
    return () => thread.cancel(slot)
  }

  #failureOf(slot: number): Error {
    this.#thread.header[headerField.slot] = slot
    this.#act(instanceOp.failedAt)
    return this.#failure()
  }

  /** The header says which instruction failed, counted from 1. */
  #failure(): Error {
    return stepFailed(this.#made.labels[this.#thread.header[headerField.slot] - 1])
  }

  gather(input: number, rows: SlotRows): void {
    this.#move(instanceOp.gather, this.#made.inputs[input], rows)
  }

  scatter(from: 'inputs' | 'outputs', place: number, rows: SlotRows): void {
    this.#move(instanceOp.scatter, this.#made[from][place], rows)
  }

  #move(op: number, { type, offset }: Place, { memory, order, first, stride, outer, inner, rows, count }: SlotRows) {
    const { header } = this.#thread
    const bytes = (elementTypes[type].array as unknown as Uint8ArrayConstructor).BYTES_PER_ELEMENT
    header[headerField.op] = op
    header[headerField.B] = count
    this.#call(memory, order, first, stride, offset, outer, inner * bytes, rows)
  }

  dispose(): void {
    this.#act(instanceOp.dispose)
  }

  #act(op: number): void {
    this.#thread.header[headerField.op] = op
    this.#call()
  }
}
