/** How a stream of a model is opened: which inputs are states, and the sizes that the file leaves open. */

import { describe, fail, named } from '../errors.ts'
import type { Carry } from '../graph/plan.ts'
import type { ElementType, GraphData } from '../graph/tensor.ts'
import { sha256 } from '../hash.ts'
import { create } from '../intrinsics/captured.ts'
import { type Check, readOptions } from '../options/checks.ts'
import { readShape } from '../tensor/read.ts'
import type { ModelCore } from './core.ts'
import type { InputRule } from './input.ts'
import { checkRecord, namesOf, refuseUnknown, unknownName } from './names.ts'
import { keyOf, type LoadedProgram } from './programs.ts'
import { type DeclaredInput, labelOf } from './shapes.ts'

/** Options of `model.stream`, `model.restoreStream` and `model.batcher`. */
export interface ModelStreamOptions {
  /** Each input that is a state, and the output that takes its place at the next step: `{ state: 'stateN' }`. */
  states?: Record<string, string>
  /** The sizes of an input's dimensions, by its name: needed where the file leaves them open. */
  shapes?: Record<string, readonly number[]>
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
}

const record: Check<object> = (value, name) => {
  checkRecord(value, name)
  return value
}

export const streamChecks = { states: record, shapes: record } as const

/** Reads the options of a stream and settles all sizes. */
export function readSizes(core: ModelCore, options: { states?: object; shapes?: object }): StreamSizes {
  return {
    carries: readStates(core, options.states ?? create(null)),
    shapes: readShapes(core, options.shapes ?? create(null)),
  }
}

function readStates(core: ModelCore, given: object): Carry[] {
  const { inputs, graph } = core
  const [known, outputs] = [namesOf(inputs), namesOf(graph.outputs)]
  refuseUnknown(given, known, 'input', 'states')
  const carries: Carry[] = []
  for (const [input, { name, type }] of inputs.entries()) {
    const next = (given as Record<string, unknown>)[name]
    if (next === undefined) continue
    const label = labelOf(name, 'states')
    if (typeof next !== 'string')
      fail('ERR_RNN_OPTION', `${label} must be the name of an output, got ${describe(next)}`)
    const output = outputs.indexOf(next)
    if (output < 0) unknownName(next, outputs, 'output', label)
    const made = graph.outputs[output].type
    if (made !== type) {
      fail(
        'ERR_RNN_OPTION',
        `${label} must be of one type with '${named(next)}': the input is ${type}, the output ${made}`,
      )
    }
    carries.push({ output, input })
  }
  return carries
}

/** Sizes by the options, else as declared; a name that one input settles is settled for all. */
function readShapes({ inputs }: ModelCore, given: object): number[][] {
  refuseUnknown(given, namesOf(inputs), 'input', 'shapes')
  const known = new Map<string, number>()
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
      return settled ?? openSize(inputs[i], axis, size as string | undefined)
    })
  })
}

function openRank({ name, label }: DeclaredInput): never {
  const how = `shapes: { ${JSON.stringify(name)}: [1, …] }`
  fail('ERR_RNN_OPTION', `the rank of ${label} is open in the file, and a stream needs it: give the sizes, ${how}`)
}

function openSize({ name, label, shape }: DeclaredInput, axis: number, size: string | undefined): never {
  const sizes = shape!.map((one, i) => (i === axis ? '…' : typeof one === 'number' ? one : 1)).join(', ')
  const what = size === undefined ? 'no name and no number' : `the name "${named(size)}"`
  const how = `shapes: { ${labelOf(name, '').slice(1)}: [${sizes}] }`
  fail('ERR_RNN_OPTION', `${label}.size(${axis}) has ${what} in the file, and a stream needs its size: give it, ${how}`)
}

/** Makes the program of a stream, or finds it. */
export function openProgram(core: ModelCore, { carries, shapes }: StreamSizes): Opening {
  const wanted = { shapes, carries }
  const program = core.program(keyOf(wanted, []), () => core.plan(wanted, (places) => needsValue(core, places)))
  const { plan } = program
  const names = { inputs: namesOf(core.graph.inputs), outputs: namesOf(core.graph.outputs) }
  const value = (number: number, place: number, name: string, group: string): StreamValue => {
    const { type, shape } = plan.values[number]!
    return { name, place, type, shape, label: labelOf(name, group) }
  }
  const isState = (place: number) => plan.carries.some(({ input }) => input === place)
  const isNext = (place: number) => plan.carries.some(({ output }) => output === place)
  const all = plan.inputs.map((number, place) => value(number, place, names.inputs[place], 'inputs'))
  const states = all
    .filter(({ place }) => isState(place))
    .map((state) => ({ ...state, label: labelOf(state.name, 'state') }))
  return {
    program,
    states,
    inputs: all.filter(({ place }) => !isState(place)),
    outputs: plan.outputs
      .map((number, place) => value(number, place, names.outputs[place], 'outputs'))
      .filter(({ place }) => !isNext(place)),
    fingerprint: () => {
      const list = states.map(({ name, type, shape }) => [name, type, shape])
      return sha256([core.fingerprint(), JSON.stringify(list)])
    },
  }
}

function needsValue({ inputs }: ModelCore, places: readonly number[]): never {
  const labels = places.map((place) => inputs[place].label).join(', ')
  const { name } = inputs[places[0]]
  const how = `constants: { ${labelOf(name, '').slice(1)}: … }`
  fail(
    'ERR_RNN_OPTION',
    `the values of ${labels} decide shapes or branches, so a stream cannot change them: give them when the model is read, ${how}`,
  )
}

/** Reads the options of `model.stream` and its like. */
export function readStreamOptions(options: unknown, where: string): { states?: object; shapes?: object } {
  return readOptions(options, streamChecks, where)
}
