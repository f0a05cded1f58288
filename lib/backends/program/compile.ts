/** A plan made ready for compiled code: the numbers of its instructions, its constants, its packed weights, and where inputs and outputs lie. */

import type { Plan } from '../../graph/plan.ts'
import { count, dataOver, type ElementType, factsOf, type GraphData } from '../../graph/tensor.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { WeightStore } from '../interface.ts'
import type { PackedMemory } from '../packed-memory.ts'
import { copiesLeft, placeConstants, placeScratch, writeInPlace } from './arena.ts'
import { cut } from './cut.ts'
import { encode } from './emit.ts'
import { lowerStep } from './index.ts'
import { Lowering, refuse } from './lowering.ts'
import type { View } from './views.ts'
import { PackedWeights, type Packer } from './weights.ts'

/** An input or output: its values, from a byte of a run's memory on. */
export interface Place {
  readonly type: ElementType
  readonly offset: number
  readonly length: number
}

export interface Compiled {
  /** Those of native/protocol/instructions.h. */
  readonly numbers: Float64Array
  readonly constants: Uint8Array
  /** Packed weights, by their numbers; whoever has this counts as one user of each. */
  readonly memories: readonly PackedMemory[]
  /** The step of each instruction, for people. */
  readonly labels: readonly string[]
  /** Bytes of a run's inputs and outputs. */
  readonly ioBytes: number
  readonly inputs: readonly Place[]
  readonly outputs: readonly Place[]
}

/** The budget of a run knows its values alone; this is for what operators make on their way: rows of windows, sums that are too wide. */
function mostScratch({ values }: Plan): number {
  let bytes = 0
  for (const value of values) if (value !== undefined) bytes += count(value.shape) * (factsOf(value.type).bits / 8)
  return 2 ** 32 + 64 * bytes
}

/** `memory` gives the memory for constants. Throws the error of the step that cannot be done. */
export function compile(
  plan: Plan,
  packer: Packer,
  store: WeightStore,
  threads: number,
  precision: Precision,
  memory: (bytes: number) => Uint8Array,
): Compiled {
  const weights = new PackedWeights(packer, store, precision)
  try {
    const lowering = new Lowering(plan, weights, lowerStep, threads)
    const { inputs, outputs } = lowering.lower()
    const { ioBytes } = lowering
    const whole = copiesLeft(lowering.code)
    writeInPlace(whole)
    const code = packer.mostWork === undefined ? whole : cut(whole, packer.mostWork)
    const scratchBytes = placeScratch(code)
    if (scratchBytes > mostScratch(plan))
      refuse('a run', `${scratchBytes} bytes between its operators, far more than its values have`)
    const constants = placeConstants(code, memory)
    const numbers = encode(code, ioBytes, scratchBytes, refuse)
    const placed = (values: readonly number[], views: readonly View[]) =>
      views.map((view, i) => placeOf(plan.values[values[i]]!.type, view))
    return {
      numbers,
      constants,
      memories: weights.memories,
      labels: code.map(({ label }) => label),
      ioBytes,
      inputs: placed(plan.inputs, inputs),
      outputs: placed(plan.outputs, outputs),
    }
  } catch (error) {
    weights.release()
    throw error
  }
}

/** The arrays of inputs or outputs, where a run's memory begins at a byte of a buffer. */
export function arraysOver(buffer: ArrayBufferLike, start: number, places: readonly Place[]): GraphData[] {
  const arrays: GraphData[] = []
  for (let i = 0; i < places.length; i++) {
    const { type, offset, length } = places[i]
    arrays[i] = dataOver(type, buffer, start + offset, length)
  }
  return arrays
}

function placeOf(type: ElementType, { memory, shape }: View): Place {
  return { type, offset: memory.offset, length: count(shape) }
}
