/** What the streams of a model's batcher run, and whether another model could take its place. */

import { failOption, failShape, list, named, tuple } from '../errors.ts'
import { create } from '../intrinsics/captured.ts'
import { property } from '../intrinsics/properties.ts'
import { sameShape } from '../tensor/shape.ts'
import type { ModelCore } from './core.ts'
import {
  namesIn,
  type Opening,
  openProgram,
  planOf,
  type ReadStreamOptions,
  readSizes,
  type StreamSizes,
  type StreamValue,
} from './opening.ts'
import type { LoadedProgram } from './programs.ts'
import { type Layouts, layoutsOf, openRows, wantedAxes, withRows } from './rows.ts'
import { shownShape } from './shapes.ts'

/** A model opened for batches. */
export interface BatchOpening {
  readonly core: ModelCore
  readonly sizes: StreamSizes
  /** Of one row. */
  readonly opening: Opening
  readonly layouts: Layouts
  /** Makes the program for a number of rows. */
  readonly programFor: (rows: number) => LoadedProgram
}

/** Opens a model for batches of up to `most` rows; `current` is asked again once the options are read. */
export function openBatch(current: () => ModelCore, options: ReadStreamOptions, most: number): BatchOpening {
  const axes = wantedAxes(current(), options)
  const sizes = readSizes(current(), options, openRows(current(), axes))
  // A getter of the options may have disposed the model.
  const core = current()
  const opening = openProgram(core, sizes)
  const layouts = layoutsOf(core, sizes, axes, opening, options, most)
  const programFor = (rows: number) =>
    rows === 1 ? opening.program.retain() : core.load(planOf(core, sizes, withRows(sizes, axes, rows)))
  return { core, sizes, opening, layouts, programFor }
}

/** The options as they were read, with all sizes: copies, for the next model. */
export function settledOptions(
  { core, sizes }: BatchOpening,
  { batchAxes, along }: ReadStreamOptions,
): ReadStreamOptions {
  const names = namesIn(core)
  const states: Record<string, string> = create(null)
  for (const { input, output } of sizes.carries) states[names.inputs[input]] = names.outputs[output]
  const shapes: Record<string, readonly number[]> = create(null)
  for (const [i, shape] of sizes.shapes.entries()) shapes[names.inputs[i]] = [...shape]
  const axes: Record<string, unknown> = create(null)
  for (const name of [...names.inputs, ...names.outputs]) {
    const axis = batchAxes && property(batchAxes, name)
    if (axis !== undefined) axes[name] = axis
  }
  return { states: along === undefined ? states : undefined, along, shapes, batchAxes: axes }
}

/** Opens another model with the options that {@link settledOptions} gave. */
export function openInPlace(core: ModelCore, options: ReadStreamOptions, most: number): BatchOpening {
  for (const { name, label, shape } of core.inputs) {
    const size = options.shapes && (property(options.shapes, name) as readonly number[] | undefined)
    if (size === undefined || shape === undefined) continue
    const fits =
      shape.length === size.length && shape.every((one, axis) => typeof one !== 'number' || one === size[axis])
    if (fits) continue
    failShape(
      `the model must take the sizes of the batcher's. Expected ${label} size ${tuple(size)}, got ${shownShape(shape)}`,
    )
  }
  return openBatch(() => core, options, most)
}

/** Throws where streams could not go on from one model to the other, or their callers not with what it takes and gives. */
export function checkSameFaces(old: Opening, next: Opening): void {
  for (const group of ['inputs', 'states', 'outputs'] as const) checkSame(group, old[group], next[group])
}

type Face = Pick<StreamValue, 'name' | 'label' | 'type'> & { readonly shape: readonly number[] }

/** Their order counts too: by it states go from one memory to the other. */
function checkSame(group: string, old: readonly Face[], next: readonly Face[]): void {
  const [was, is] = [old, next].map((values) => values.map(({ name }) => `'${named(name)}'`).join(', ') || 'none')
  if (was !== is) failOption(`model must have the ${group} of the batcher's. Expected ${was}, got ${is}`)
  for (const [i, { label, type, shape }] of old.entries()) {
    const other = next[i]
    if (other.type !== type) failOption(`Expected ${label} of type ${type}, got ${other.type}`)
    if (!sameShape(other.shape, shape)) {
      failShape(`Expected ${label} size ${tuple(shape)}, got ${list(other.shape)}`)
    }
  }
}
