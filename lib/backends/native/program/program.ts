/** A plan as the addon runs it: its numbers, its memory, and calls of it. */

import type { Plan } from '../../../graph/plan.ts'
import { stepFailed } from '../../../graph/step-error.ts'
import { count, type ElementType, elementTypes, factsOf, type GraphData } from '../../../graph/tensor.ts'
import type { Precision } from '../../../spec/weight-types.ts'
import type { Program, ProgramInstance, SlotRows, WeightStore } from '../../interface.ts'
import { headerField, instanceOp, outcome, programOp } from '../../protocol.ts'
import type { Bound } from '../addon.ts'
import { type NativeThread, outOfMemory } from '../environment.ts'
import { copiesLeft, placeConstants, placeScratch, writeInPlace } from './arena.ts'
import { encode } from './emit.ts'
import { lowerStep } from './index.ts'
import { Lowering, refuse } from './lowering.ts'
import type { View } from './views.ts'
import { PackedWeights } from './weights.ts'

/** An array over a part of shared memory. */
interface Place {
  readonly array: {
    new (buffer: SharedArrayBuffer, offset: number, length: number): GraphData
    BYTES_PER_ELEMENT: number
  }
  readonly offset: number
  readonly length: number
}

/** The budget of a run knows its values alone; this is for what operators make on their way: rows of windows, sums that are too wide. */
function mostScratch({ values }: Plan): number {
  let bytes = 0
  for (const value of values) if (value !== undefined) bytes += count(value.shape) * (factsOf(value.type).bits / 8)
  return 2 ** 32 + 64 * bytes
}

export class NativeProgram implements Program {
  readonly #thread: NativeThread
  readonly #call: Bound
  readonly #labels: readonly string[]
  readonly #ioBytes: number
  readonly #inputs: readonly Place[]
  readonly #outputs: readonly Place[]

  constructor(
    thread: NativeThread,
    table: number,
    plan: Plan,
    store: WeightStore,
    threads: number,
    precision: Precision,
  ) {
    const lowering = new Lowering(plan, new PackedWeights(thread.addon, table, store, precision), lowerStep, threads)
    const { inputs, outputs } = lowering.lower()
    const code = copiesLeft(lowering.code)
    writeInPlace(code)
    const scratchBytes = placeScratch(code)
    if (scratchBytes > mostScratch(plan))
      refuse('a run', `${scratchBytes} bytes between its operators, far more than its values have`)
    const constants = placeConstants(code)
    const numbers = encode(code, lowering.ioBytes, scratchBytes, refuse)
    const placed = (values: readonly number[], views: readonly View[]) =>
      views.map((view, i) => placeOf(plan.values[values[i]]!.type, view))
    this.#inputs = placed(plan.inputs, inputs)
    this.#outputs = placed(plan.outputs, outputs)
    this.#thread = thread
    this.#labels = code.map(({ label }) => label)
    this.#ioBytes = lowering.ioBytes
    this.#call = thread.addon.program(table, threads, numbers, constants, lowering.weights.memories)
  }

  instance(): ProgramInstance {
    const { header } = this.#thread
    const io = new SharedArrayBuffer(this.#ioBytes + 64)
    header[headerField.op] = programOp.instance
    const call = this.#call(new Uint8Array(io)) as Bound
    const from = header[headerField.slot]
    const arrays = (places: readonly Place[]) => {
      const made: GraphData[] = []
      for (let i = 0; i < places.length; i++) {
        const { array: TypedArray, offset, length } = places[i]
        made[i] = new TypedArray(io, from + offset, length)
      }
      return made
    }
    const offsets = { inputs: this.#inputs, outputs: this.#outputs }
    return new NativeInstance(this.#thread, call, this.#labels, arrays(this.#inputs), arrays(this.#outputs), offsets)
  }

  dispose(): void {
    this.#thread.header[headerField.op] = programOp.dispose
    this.#call()
  }
}

function placeOf(type: ElementType, { memory, shape }: View): Place {
  return { array: elementTypes[type].array as unknown as Place['array'], offset: memory.offset, length: count(shape) }
}

class NativeInstance implements ProgramInstance {
  readonly inputs: readonly GraphData[]
  readonly outputs: readonly GraphData[]
  readonly #thread: NativeThread
  readonly #call: Bound
  readonly #labels: readonly string[]
  readonly #places: Readonly<Record<'inputs' | 'outputs', readonly Place[]>>

  constructor(
    thread: NativeThread,
    call: Bound,
    labels: readonly string[],
    inputs: readonly GraphData[],
    outputs: readonly GraphData[],
    places: Readonly<Record<'inputs' | 'outputs', readonly Place[]>>,
  ) {
    this.#thread = thread
    this.#call = call
    this.#labels = labels
    this.#places = places
    this.inputs = inputs
    this.outputs = outputs
  }

  run(): void {
    // `op` is 0, run, as whoever read it last left it.
    this.#call()
    const failed = this.#thread.header[headerField.slot]
    if (failed !== 0) throw this.#errorAt(failed)
  }

  start(settle: (error?: Error) => void): () => void {
    this.#act(instanceOp.start)
    const thread = this.#thread
    const slot = thread.expect((slot, how) => {
      const error = how === outcome.done ? undefined : how === outcome.failed ? this.#failure(slot) : outOfMemory()
      thread.drop(slot)
      settle(error)
    })
    return () => thread.cancel(slot)
  }

  #failure(slot: number): Error {
    this.#thread.header[headerField.slot] = slot
    this.#act(instanceOp.failedAt)
    return this.#errorAt(this.#thread.header[headerField.slot])
  }

  #errorAt(failed: number): Error {
    return stepFailed(this.#labels[failed - 1])
  }

  gather(input: number, rows: SlotRows): void {
    this.#move(instanceOp.gather, this.#places.inputs[input], rows)
  }

  scatter(from: 'inputs' | 'outputs', place: number, rows: SlotRows): void {
    this.#move(instanceOp.scatter, this.#places[from][place], rows)
  }

  #move(op: number, { array, offset }: Place, { memory, order, first, stride, outer, inner, rows, count }: SlotRows) {
    const { header } = this.#thread
    header[headerField.op] = op
    header[headerField.B] = count
    this.#call(memory, order, first, stride, offset, outer, inner * array.BYTES_PER_ELEMENT, rows)
  }

  dispose(): void {
    this.#act(instanceOp.dispose)
  }

  #act(op: number): void {
    this.#thread.header[headerField.op] = op
    this.#call()
  }
}
