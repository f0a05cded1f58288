/** Live sequences of a whole model: states that move from step to step, one backend call each. */

import type { ProgramInstance } from '../backends/interface.ts'
import { checkThis, failOption } from '../errors.ts'
import { factsOf, type GraphData } from '../graph/tensor.ts'
import { create, freeze, setValues } from '../intrinsics/captured.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { typedArrayName } from '../intrinsics/typed-arrays.ts'
import { readOptions } from '../options/checks.ts'
import { sealState } from '../streams/saved-state.ts'
import { disposed } from '../streams/stream-step.ts'
import type { ModelCore } from './core.ts'
import { type Opening, openProgram, readSizes, type StreamValue, streamChecks } from './opening.ts'
import { LoadedProgram } from './programs.ts'
import { decodeStates, fillZeros, readExactly, readValues, stateRecord, writeState } from './states.ts'
import type { ModelData, ModelInput, ModelTensor } from './values.ts'

/** The ways to step a {@link ModelStream}. */
export interface ModelStep {
  /** Reads `inputs`, advances the states, fills `outputs` and returns them; allocates nothing. */
  (): ModelStream['outputs']
  /**
   * Copies values into `inputs` first; those that are left out stay as they are. A Float32Array is the one input of type float32 that
   * is no state.
   */
  (inputs: Record<string, ModelInput> | Float32Array): ModelStream['outputs']
}

/**
 * A live sequence of a whole model. Inputs that `states` names are kept by the stream: after a step each holds what its output was. The steps have
 * the bits of `run` fed with the states that it gave before. A stream lives on when its model is disposed.
 *
 * Streams are opened by `model.stream()`, `model.restoreStream()` and `stream.fork()`.
 *
 * @example
 * const stream = vad.stream({ states: { state: 'stateN' }, shapes: { input: [1, 576] } })
 * stream.inputs.input.set(frame)
 * console.log(stream.step().output[0])
 */
export class ModelStream {
  /** Arrays to write the next step's inputs to, by name, without the states. The same ones for the stream's whole life. */
  readonly inputs: Readonly<Record<string, ModelData>>
  /** The newest step's outputs, by name, without those that become states: the same arrays each time, so copy what must outlive the next step. */
  readonly outputs: Readonly<Record<string, ModelData>>
  /**
   * Takes one step. Bound to its stream: `const { step } = stream` works. A step that fails moves no state.
   *
   * @throws RNNError `ERR_RNN_SHAPE`, `ERR_RNN_OPTION` for an unknown name, or a value or an index out of range; `ERR_RNN_DISPOSED`
   */
  readonly step: ModelStep
  readonly #opening: Opening
  #instance: ProgramInstance | undefined

  private constructor(opening: Opening, instance: ProgramInstance) {
    if (!(opening?.program instanceof LoadedProgram)) {
      failOption('streams are opened by model.stream(), not by new')
    }
    this.#opening = opening
    this.#instance = instance
    this.inputs = recordOf(opening.inputs, instance.inputs)
    this.outputs = recordOf(opening.outputs, instance.outputs)
    this.step = stepOf(opening, this.outputs, () => this.#use())
  }

  /**
   * The states now.
   *
   * @returns copies, by the names of their inputs
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  state(): Record<string, ModelTensor> {
    checkThis(this, ModelStream, 'stream.state')
    return stateRecord(this.#opening.states, this.#states())
  }

  /**
   * Begins anew.
   *
   * @param state states to begin with, by the names of their inputs; what is left out is zeros. A failed call leaves all as they were.
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  reset(state?: Record<string, ModelInput>): void {
    checkThis(this, ModelStream, 'stream.reset')
    this.#states()
    const { states } = this.#opening
    const values = readValues(state ?? create(null), states, 'state', 'state')
    const targets = this.#states()
    ensureStack()
    for (let i = 0; i < states.length; i++) writeState(targets[i], states[i], values[i])
  }

  /**
   * A second stream with the same states, inputs and outputs, independent from now on.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  fork(): ModelStream {
    checkThis(this, ModelStream, 'stream.fork')
    const own = this.#use()
    ensureStack()
    const twin = this.#opening.program.take()
    for (let i = 0; i < own.inputs.length; i++) setValues(twin.inputs[i], own.inputs[i])
    for (let i = 0; i < own.outputs.length; i++) setValues(twin.outputs[i], own.outputs[i])
    return streamOf(this.#opening, twin)
  }

  /**
   * The states as bytes, with a fingerprint of the model and a checksum. `model.restoreStream` takes them back on any backend and
   * machine, for a model of the same graph and constants with the same states.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  save(): Uint8Array {
    checkThis(this, ModelStream, 'stream.save')
    return sealState(this.#opening.fingerprint(), 0, this.#states())
  }

  /** Frees the stream. Idempotent; a later use is `ERR_RNN_DISPOSED`. */
  dispose(): void {
    checkThis(this, ModelStream, 'stream.dispose')
    const instance = this.#instance
    if (!instance) return
    ensureStack()
    this.#instance = undefined
    // Whoever kept `inputs` may still write to them: nobody else gets this instance.
    this.#opening.program.drop(instance)
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** The memory of the states, in their order. */
  #states(): GraphData[] {
    const { inputs } = this.#use()
    const { states } = this.#opening
    const arrays: GraphData[] = []
    for (let i = 0; i < states.length; i++) arrays[i] = inputs[states[i].place]
    return arrays
  }

  #use(): ProgramInstance {
    return this.#instance ?? disposed()
  }
}

function recordOf(values: readonly StreamValue[], arrays: readonly GraphData[]): Readonly<Record<string, ModelData>> {
  const all: Record<string, ModelData> = create(null)
  for (let i = 0; i < values.length; i++) all[values[i].name] = arrays[values[i].place]
  return freeze(all)
}

/** The input that a step's Float32Array is. */
export function soleInput(inputs: readonly StreamValue[]): StreamValue {
  let sole: StreamValue | undefined
  for (let i = 0; i < inputs.length; i++) {
    if (factsOf(inputs[i].type).array !== Float32Array) continue
    if (sole) failOption(`${sole.label} and ${inputs[i].label} are Float32Arrays: give values by name`)
    sole = inputs[i]
  }
  return sole ?? failOption('no input but the states is a Float32Array: give values by name')
}

/** Closes over what a step needs, so that one without arguments costs one comparison above the backend's own. `use` throws for a stream that was disposed. */
function stepOf({ inputs, states }: Opening, outputs: ModelStream['outputs'], use: () => ProgramInstance): ModelStep {
  return function step(given?: unknown): ModelStream['outputs'] {
    const instance = use()
    // biome-ignore lint/complexity/noArguments: a rest parameter allocates, and step(undefined) must not pass for step()
    if (arguments.length === 0) {
      instance.run()
      return outputs
    }
    if (typedArrayName(given) !== undefined) {
      const sole = soleInput(inputs)
      setValues(instance.inputs[sole.place], readExactly(given, sole))
    } else {
      const values = readValues(given, inputs, 'input', 'inputs', states)
      // A getter may have disposed the stream.
      use()
      for (let i = 0; i < values.length; i++) {
        const data = values[i]
        if (data !== undefined) setValues(instance.inputs[inputs[i].place], data)
      }
    }
    instance.run()
    return outputs
  }
}

/** The constructor is private, so that no public type shows what it takes. */
const streamOf = (opening: Opening, instance: ProgramInstance): ModelStream =>
  new (ModelStream as unknown as new (opening: Opening, instance: ProgramInstance) => ModelStream)(opening, instance)

/** Opens a stream; behind `model.stream` and `model.restoreStream`. `current` is asked again once the options are read. */
export function openModelStream(
  current: () => ModelCore,
  options: unknown,
  where: string,
  saved?: { bytes: unknown },
): ModelStream {
  const read = readOptions(options, streamChecks, where)
  const sizes = readSizes(current(), read)
  const opening = openProgram(current(), sizes)
  const instance = opening.program.take()
  try {
    for (const data of [...instance.inputs, ...instance.outputs]) fillZeros(data)
    const arrays = opening.states.map(({ place }) => instance.inputs[place])
    for (const [i, state] of opening.states.entries()) writeState(arrays[i], state, undefined)
    if (saved) decodeStates(opening, saved.bytes, arrays)
    return streamOf(opening, instance)
  } catch (error) {
    opening.program.give(instance)
    throw error
  }
}
