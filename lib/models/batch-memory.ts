/** A model's memory of a batch: the states and frames of all streams in slots. */

import { type GraphData, newData } from '../graph/tensor.ts'
import { create } from '../intrinsics/captured.ts'
import type { BackendName } from '../spec/spec.ts'
import type { BatchMemory } from '../streams/batch/memory.ts'
import { Slots } from '../streams/batch/slots.ts'
import { sealState } from '../streams/saved-state.ts'
import { checkNotDetached } from '../tensor/read.ts'
import { ModelLauncher } from './batch-launch.ts'
import type { BatchOpening } from './batch-opening.ts'
import type { ModelCore } from './core.ts'
import type { Opening } from './opening.ts'
import { writeState } from './states.ts'
import { copyOfData, type ModelData } from './values.ts'

/** What a model's batcher moves. */
export interface ModelBatch {
  /** A value for each input that is no state. */
  frame: readonly GraphData[]
  /** A value for each state; what is left out is what it begins with. */
  state: readonly (GraphData | undefined)[]
  saved: readonly GraphData[]
  output: Record<string, ModelData>
  memory: ModelMemory
}

export class ModelMemory extends ModelLauncher implements BatchMemory<ModelBatch> {
  readonly zeroState: readonly undefined[] = []
  readonly zeroFrame: readonly GraphData[]
  /** Of one row. */
  readonly opening: Opening
  readonly #core: ModelCore
  readonly #frameSlots: Slots
  readonly #stateSlots: Slots

  constructor(batch: BatchOpening, { maxBatch, maxQueue }: { maxBatch: number; maxQueue: number }) {
    super(batch, maxBatch)
    const { core, opening } = batch
    this.opening = opening
    this.#core = core
    this.#stateSlots = new Slots(2 ** 31, (count) => this.states.grow(count))
    // Those that wait, and those of the batch that is about to start.
    this.#frameSlots = new Slots(maxQueue + maxBatch, (count) => this.frames.grow(count))
    this.zeroFrame = this.frames.newValues(1)
    core.retain()
    opening.program.retain()
  }

  override dispose(): void {
    super.dispose()
    this.opening.program.release()
    this.#core.release()
  }

  get backend(): BackendName {
    return this.#core.backend.name
  }

  takeState(state: ModelBatch['state']): number {
    const slot = this.#stateSlots.take()
    this.writeState(slot, state)
    return slot
  }

  giveState(slot: number): void {
    this.#stateSlots.give(slot)
  }

  writeState(slot: number, state: ModelBatch['state']): void {
    const { states } = this.opening
    for (let k = 0; k < states.length; k++) writeState(this.states.view(k, slot), states[k], state[k])
  }

  copyOfState(state: ModelBatch['state']): ModelBatch['state'] {
    const copy: (GraphData | undefined)[] = []
    for (let k = 0; k < state.length; k++) {
      const data = state[k]
      copy[k] = data && copyOfData(this.opening.states[k].type, data)
    }
    return copy
  }

  copyState(slot: number, to: ModelMemory, target: number): void {
    const { states } = this
    for (let k = 0; k < states.lengths.length; k++) {
      states.copyTo(k, slot, to.states.data[k], target * states.lengths[k])
    }
  }

  readState(slot: number): GraphData[] {
    return this.states.read(slot)
  }

  encode(state: ModelBatch['saved']): Uint8Array {
    return sealState(this.opening.fingerprint(), 0, state)
  }

  checkFrame(frame: unknown): void {
    const { inputs } = this.opening
    for (let k = 0; k < inputs.length; k++) {
      checkNotDetached(inputs[k].label, { data: (frame as ModelBatch['frame'])[k], shape: inputs[k].shape })
    }
  }

  takeFrame(frame: ModelBatch['frame']): number {
    const slot = this.#frameSlots.take()
    this.frames.write(slot, frame)
    return slot
  }

  giveFrame(slot: number): void {
    this.#frameSlots.give(slot)
  }

  newOutput(): ModelBatch['output'] {
    const output: ModelBatch['output'] = create(null)
    const { outputs } = this.opening
    const { lengths } = this.outputs
    for (let k = 0; k < outputs.length; k++) {
      const { name, type } = outputs[k]
      output[name] = newData(type, lengths[k])
    }
    return output
  }

  prepareOutputs(): void {}

  copyOutput(row: number, output: ModelBatch['output']): void {
    const { outputs } = this.opening
    for (let k = 0; k < outputs.length; k++) this.outputs.copyTo(k, row, output[outputs[k].name], 0)
  }
}
