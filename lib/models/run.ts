/** One run of a model: its arguments read and checked, an instance filled, and its results taken out. */

import type { ProgramInstance } from '../backends/interface.ts'
import { copiedBytes, runInSlices } from '../backends/turns/time-slices.ts'
import { type Listening, onAbort, readSignal, reasonOf, throwIfAborted } from '../calls/abort-signal.ts'
import { describe, failOption } from '../errors.ts'
import { type ElementType, type GraphData, type GraphTensor, newData } from '../graph/tensor.ts'
import { bytesIn, create, isArray, min, newPromise, setValues } from '../intrinsics/captured.ts'
import { property } from '../intrinsics/properties.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { trueLength } from '../intrinsics/typed-arrays.ts'
import { type Check, readOptions } from '../options/checks.ts'
import { checkNotDetached } from '../tensor/read.ts'
import { isTraced, type ModelTrace, modelChannel } from '../tracing.ts'
import type { ModelCore } from './core.ts'
import { readInput } from './input.ts'
import { checkRecord, namesOf, refuseUnknown, unknownName } from './names.ts'
import type { LoadedProgram } from './programs.ts'
import { shownShape } from './shapes.ts'
import { frozenCopy, type ModelTensor, viewOfData } from './values.ts'

/** Inputs that were read; their shapes are held against what the file declares when a plan is made for them. */
export interface CheckedInputs {
  readonly shapes: (readonly number[])[]
  readonly values: GraphTensor[]
}

/** Reads all inputs, each property once. The values may be the caller's own arrays. */
export function readInputs(core: ModelCore, given: unknown): CheckedInputs {
  checkRecord(given, 'inputs')
  const { inputs } = core
  refuseUnknown(given, inputs, 'input', 'inputs')
  const shapes: (readonly number[])[] = []
  const values: GraphTensor[] = []
  for (let i = 0; i < inputs.length; i++) {
    const rule = inputs[i]
    const value = property(given, rule.name)
    if (value === undefined) {
      const shape = rule.shape === undefined ? 'any shape' : shownShape(rule.shape)
      failOption(`${rule.label} is missing: the model needs it, of type ${rule.type} and size ${shape}`)
    }
    const { data, shape } = readInput(value, rule)
    shapes[i] = shape
    values[i] = { type: rule.type, shape, data }
  }
  for (let i = 0; i < inputs.length; i++) checkNotDetached(inputs[i].label, values[i])
  return { shapes, values }
}

/** A run that only has to be started. */
interface Prepared {
  readonly program: LoadedProgram
  readonly instance: ProgramInstance
  /** Places of the outputs that are wanted, in the instance's order. */
  readonly outputs: readonly number[]
  readonly trace: ModelTrace | undefined
}

function placeOf<T>(value: T, all: readonly T[]): number {
  for (let place = 0; place < all.length; place++) if (all[place] === value) return place
  return -1
}

function outputsCheck(core: ModelCore): Check<readonly number[]> {
  return (value, name) => {
    if (!isArray(value)) failOption(`${name} must be an array of names of outputs, got ${describe(value)}`)
    const known = namesOf(core.graph.outputs)
    const places: number[] = []
    for (let i = 0; i < value.length; i++) {
      const one: unknown = value[i]
      if (typeof one !== 'string') {
        failOption(`${name}[${i}] must be the name of an output, got ${describe(one)}`)
      }
      const place = placeOf(one, known)
      if (place < 0) unknownName(one, known, 'output', name)
      if (placeOf(place, places) < 0) places[places.length] = place
    }
    return places
  }
}

function prepare(
  current: () => ModelCore,
  given: unknown,
  wanted: readonly number[] | undefined,
  async: boolean,
): Prepared {
  const { shapes, values } = readInputs(current(), given)
  // Reading may have run anything, and disposed the model.
  const core = current()
  const program = core.runProgram({ shapes, values, outputs: wanted, carries: [] })
  ensureStack()
  const instance = program.take()
  for (let i = 0; i < values.length; i++) setValues(instance.inputs[i], values[i].data)
  const outputs = wanted ?? core.allOutputs
  const trace = isTraced(modelChannel) ? { backend: core.backend.name, shapes, async } : undefined
  return { program, instance, outputs, trace }
}

/** The results as the caller's own. */
function resultsOf(core: ModelCore, prepared: Prepared): Record<string, ModelTensor> {
  const results: Record<string, ModelTensor> = create(null)
  for (let k = 0; k < prepared.outputs.length; k++) {
    setValues(addResult(results, core, prepared, k).data, prepared.instance.outputs[k])
  }
  return results
}

/** The same in steps. */
function* resultsInSteps(core: ModelCore, prepared: Prepared): Generator<void, Record<string, ModelTensor>> {
  const results: Record<string, ModelTensor> = create(null)
  for (let k = 0; k < prepared.outputs.length; k++) {
    const { data, type } = addResult(results, core, prepared, k)
    const from = prepared.instance.outputs[k]
    const length = trueLength(from)
    const step = (copiedBytes * length) / bytesIn(from)
    for (let at = 0; at < length; at += step) {
      setValues(data, viewOfData(type, from, at, min(step, length - at)), at)
      yield
    }
  }
  return results
}

/** Adds zeros for an output that is asked for; gives its type and the array, which has still to be filled. */
function addResult(
  results: Record<string, ModelTensor>,
  core: ModelCore,
  { program: { plan }, instance, outputs }: Prepared,
  k: number,
): { type: ElementType; data: GraphData } {
  const { type, shape } = plan.values[plan.outputs[k]]!
  const data = newData(type, trueLength(instance.outputs[k]))
  results[core.graph.outputs[outputs[k]].name] = { data, shape: frozenCopy(shape) }
  return { type, data }
}

function areLong({ instance }: Prepared): boolean {
  let bytes = 0
  for (let k = 0; k < instance.outputs.length; k++) bytes += bytesIn(instance.outputs[k])
  return bytes > copiedBytes
}

/** Behind `model.run`. */
export function runModel(current: () => ModelCore, given: unknown, options: unknown): Record<string, ModelTensor> {
  const { outputs } = readOptions(options, { outputs: outputsCheck(current()) }, 'Model.run')
  const core = current()
  const prepared = prepare(current, given, outputs, false)
  const { program, instance, trace } = prepared
  const run = () => {
    instance.run()
    return resultsOf(core, prepared)
  }
  try {
    return trace ? modelChannel.traceSync(run, trace) : run()
  } finally {
    program.give(instance)
  }
}

/** Behind `model.runAsync`: everything is checked as `run` does, but what is wrong rejects. The inputs are copied before it returns. */
export async function runModelAsync(
  current: () => ModelCore,
  given: unknown,
  options: unknown,
): Promise<Record<string, ModelTensor>> {
  const checks = { outputs: outputsCheck(current()), signal: readSignal }
  const { outputs, signal } = readOptions(options, checks, 'Model.runAsync')
  const core = current()
  if (signal) throwIfAborted(signal)
  const prepared = prepare(current, given, outputs, true)
  const { trace } = prepared
  return trace
    ? modelChannel.tracePromise(() => started(core, prepared, signal), trace)
    : started(core, prepared, signal)
}

/** The run as a promise, and its end by a signal: whichever is first. */
function started(
  core: ModelCore,
  prepared: Prepared,
  signal: AbortSignal | undefined,
): Promise<Record<string, ModelTensor>> {
  const { program, instance } = prepared
  return newPromise((resolve, reject) => {
    let over = false
    let listening: Listening | undefined
    let cancel: (() => void) | undefined
    const end = (error: unknown, results?: Record<string, ModelTensor>) => {
      if (over) return
      over = true
      listening?.stop()
      program.give(instance)
      if (results) resolve(results)
      else reject(error)
    }
    const settle = (error?: Error) => {
      if (over) return
      if (error) return end(error)
      try {
        if (!areLong(prepared)) return end(undefined, resultsOf(core, prepared))
        cancel = runInSlices(resultsInSteps(core, prepared), (result) =>
          result instanceof Error ? end(result) : end(undefined, result),
        )
      } catch (thrown) {
        end(thrown)
      }
    }
    try {
      // Before the start: the signal's own code may throw, and abort.
      if (signal) {
        listening = onAbort(signal, () => {
          if (over) return
          over = true
          cancel?.()
          program.drop(instance)
          reject(reasonOf(signal))
        })
      }
      if (over) return
      ensureStack()
      cancel = instance.start(settle)
    } catch (error) {
      end(error)
    }
  })
}
