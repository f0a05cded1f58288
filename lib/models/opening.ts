/** How a stream of a model is opened: which inputs are states, and the sizes that the file leaves open. */

import { describe, failOption, named } from '../errors.ts'
import { along, type Streamed } from '../graph/axes/along.ts'
import type { Carry } from '../graph/plan.ts'
import type { ElementType, GraphData } from '../graph/tensor.ts'
import { create } from '../intrinsics/captured.ts'
import { property } from '../intrinsics/properties.ts'
import { type Check, type Checked, integer, string } from '../options/checks.ts'
import { sha256 } from '../platform/hash.ts'
import { readShape } from '../tensor/read.ts'
import type { ModelCore } from './core.ts'
import type { InputRule } from './input.ts'
import { checkRecord, namesOf, refuseUnknown, unknownName } from './names.ts'
import { keyOf, type LoadedProgram } from './programs.ts'
import { type DeclaredInput, labelOf, shownKey } from './shapes.ts'

/** Options of `model.stream`, `model.restoreStream` and `model.batcher`. */
export interface ModelStreamOptions {
  /** Each input that is a state, and the output that takes its place at the next step: `{ state: 'stateN' }`. */
  states?: Record<string, string>
  /**
   * The name of the dimension that is time, for a model without states of its own: each step takes one frame of it, or as many as `shapes`
   * says, and gives the frames that are then known. Whatever an operator needs of the past becomes a state. Every operator on that axis must be
   * causal.
   */
  along?: string
  /** The sizes of an input's dimensions, by its name: needed where the file leaves them open. */
  shapes?: Record<string, readonly number[]>
  /**
   * Which axis has the rows of a batch, by the name of an input; else axis 0, of states of rank 3 axis 1. Where outputs have them follows from
   * the graph; one that is named here is held against that. Only batchers have batches.
   */
  batchAxes?: Record<string, number>
}

/** A state of a stream, settled. */
export interface StateInput extends InputRule {
  readonly name: string
  /** Its place among the plan's inputs. */
  readonly place: number
  readonly shape: readonly number[]
  /** What it begins with; zeros where left out. */
  readonly initial?: GraphData
}

/** An input or output of a stream that is no state, settled. */
export interface StreamValue extends InputRule {
  readonly name: string
  /** Its place among the plan's inputs or outputs. */
  readonly place: number
  readonly type: ElementType
  readonly shape: readonly number[]
}

/** What a stream runs. */
export interface Opening {
  readonly program: LoadedProgram
  readonly states: readonly StateInput[]
  readonly inputs: readonly StreamValue[]
  readonly outputs: readonly StreamValue[]
  /** Of the model and its states: by it a saved state knows what it belongs to. */
  fingerprint(): Uint8Array
}

/** Options as they were read and held against the model. */
export interface StreamSizes {
  readonly carries: readonly Carry[]
  readonly shapes: readonly (readonly number[])[]
  readonly along?: { readonly name: string; readonly frames: number }
}

const record: Check<object> = (value, name) => {
  checkRecord(value, name)
  return value
}

export const streamChecks = { states: record, along: string, shapes: record, batchAxes: record } as const
export type ReadStreamOptions = Checked<typeof streamChecks>

/** Reads the options of a stream and settles all sizes; `known` are sizes by the names that they have in the file, where options do not say otherwise. */
export function readSizes(
  core: ModelCore,
  options: ReadStreamOptions,
  known: Map<string, number> = new Map(),
): StreamSizes {
  const { states = create(null), along: name, shapes: given = create(null), batchAxes = create(null) } = options
  checkAxes(core, batchAxes)
  const carries = readStates(core, states)
  if (name === undefined) return { carries, shapes: readShapes(core, given, known) }
  if (carries.length > 0) failOption('along must be left out where states are given: it finds them by itself')
  const names = core.inputs.flatMap(({ shape }) => (shape ?? []).filter((size) => typeof size === 'string'))
  if (!names.includes(name)) unknownName(name, [...new Set(names)], 'dimension', 'along')
  known.set(name, 1)
  const shapes = readShapes(core, given, known)
  return { carries, shapes, along: { name, frames: known.get(name)! } }
}

/** Of any stream, also of one that has no rows: what is wrong for a batcher is no option of a stream. */
function checkAxes({ inputs, graph }: ModelCore, given: object): void {
  const values = [...inputs, ...graph.outputs]
  refuseUnknown(given, values, 'input or output', 'batchAxes')
  for (const { name } of values) givenAxis(given, name)
}

/** The axis of an input's or output's rows, where the options say one. */
export function givenAxis(batchAxes: object, name: string): number | undefined {
  const given = property(batchAxes, name)
  return given === undefined ? undefined : integer(0, 31)(given, labelOf(name, 'batchAxes'))
}

function readStates(core: ModelCore, given: object): Carry[] {
  const { inputs, graph } = core
  const outputs = namesOf(graph.outputs)
  refuseUnknown(given, inputs, 'input', 'states')
  const carries: Carry[] = []
  for (const [input, { name, type }] of inputs.entries()) {
    const next = (given as Record<string, unknown>)[name]
    if (next === undefined) continue
    const label = labelOf(name, 'states')
    if (typeof next !== 'string') failOption(`${label} must be the name of an output, got ${describe(next)}`)
    const output = outputs.indexOf(next)
    if (output < 0) unknownName(next, outputs, 'output', label)
    const made = graph.outputs[output].type
    if (made !== type) {
      failOption(`${label} must be of one type with '${named(next)}': the input is ${type}, the output ${made}`)
    }
    carries.push({ output, input })
  }
  return carries
}

/** Sizes by the options, else as declared; a name that one input settles is settled for all. */
function readShapes({ inputs }: ModelCore, given: object, known: Map<string, number>): number[][] {
  refuseUnknown(given, inputs, 'input', 'shapes')
  const own = inputs.map(({ name, shape: declared }) => {
    const value = (given as Record<string, unknown>)[name]
    if (value === undefined) return declared
    const shape = readShape(value, labelOf(name, 'shapes'))
    for (const [axis, size] of (declared ?? []).entries()) {
      if (typeof size === 'string' && axis < shape.length) known.set(size, shape[axis])
    }
    return shape
  })
  return own.map((shape, i) => {
    if (shape === undefined) return openRank(inputs[i])
    return shape.map((size, axis) => {
      const settled = typeof size === 'string' ? known.get(size) : size
      return settled ?? openSize(inputs[i], axis, known)
    })
  })
}

function openRank({ name, label }: DeclaredInput): never {
  const how = `shapes: { ${shownKey(name)}: [1, …] }`
  failOption(`the rank of ${label} is open in the file, and a stream needs it: give the sizes, ${how}`)
}

function openSize({ name, label, shape }: DeclaredInput, axis: number, known: ReadonlyMap<string, number>): never {
  const size = shape![axis]
  const sizes = shape!.map((one) => (typeof one === 'string' ? known.get(one) : one) ?? '…').join(', ')
  const what = typeof size === 'string' ? `the name "${named(size)}"` : 'no name and no number'
  const how = `shapes: { ${shownKey(name)}: [${sizes}] }`
  failOption(`${label}.size(${axis}) has ${what} in the file, and a stream needs its size: give it, ${how}`)
}

/** The plan of a stream; `shapes` as in `sizes`, or with another number of rows. */
export function planOf(
  core: ModelCore,
  { carries, along: time }: StreamSizes,
  shapes: StreamSizes['shapes'],
): Streamed {
  const settled = (own: StreamSizes['shapes']) =>
    core.plan({ shapes: own, carries }, (places) => needsValue(core, places))
  if (time === undefined) return { plan: settled(shapes), states: [] }
  const { name, frames } = time
  const withFrames = (length: number) =>
    shapes.map((shape, i) => shape.map((size, axis) => (core.inputs[i].shape?.[axis] === name ? length : size)))
  return along((length) => settled(withFrames(length)), name, frames, namesIn(core))
}

export const namesIn = ({ graph }: ModelCore) => ({ inputs: namesOf(graph.inputs), outputs: namesOf(graph.outputs) })

/** Makes the program of a stream, or finds it. */
export function openProgram(core: ModelCore, sizes: StreamSizes): Opening {
  const key = `${keyOf(sizes, [])}~${sizes.along?.name ?? ''}`
  const program = core.program(key, () => planOf(core, sizes, sizes.shapes))
  const { plan, initial } = program
  const names = namesIn(core)
  const valueAt = (number: number, place: number, name: string, group: string): StreamValue => {
    const { type, shape } = plan.values[number]!
    return { name, place, type, shape, label: labelOf(name, group) }
  }
  const states = plan.carries.map(({ input }, k): StateInput => {
    const own = initial[k]
    const value = valueAt(plan.inputs[input], input, own?.name ?? names.inputs[input], 'state')
    return own === undefined ? value : { ...value, initial: own.initial.data }
  })
  const facesOf = (group: 'inputs' | 'outputs', side: keyof Carry) =>
    plan[group]
      .map((number, place) => valueAt(number, place, names[group][place] ?? '', group))
      .filter(({ place }) => !plan.carries.some((carry) => carry[side] === place))
  return {
    program,
    states,
    inputs: facesOf('inputs', 'input'),
    outputs: facesOf('outputs', 'output'),
    fingerprint: () => {
      const list = states.map(({ name, type, shape }) => [name, type, shape])
      return sha256([core.fingerprint(), JSON.stringify(list)])
    },
  }
}

function needsValue({ inputs }: ModelCore, places: readonly number[]): never {
  const labels = places.map((place) => inputs[place].label).join(', ')
  const { name } = inputs[places[0]]
  const how = `constants: { ${shownKey(name)}: … }`
  failOption(
    `the values of ${labels} decide shapes or branches, so a stream cannot change them: give them when the model is read, ${how}`,
  )
}
