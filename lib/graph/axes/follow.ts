/** Follows one axis from the inputs of a plan through all its steps, and holds the plan against the same graph's plans for other lengths. */

import { describe, failOption, RNNError } from '../../errors.ts'
import type { Plan, Step } from '../plan.ts'
import { ruleOf } from './rules/index.ts'
import { spread } from './rules/layout.ts'
import type { Rule } from './rules/rule.ts'
import { refuse, Site, type Subject, shapeIn, type Twin } from './site.ts'
import { isSame, lengthOf, type Traced, traceAt } from './trace.ts'

/** Integers that say nothing but the shape of the output, which is held against the other plans' anyway. */
const shapePlace: Readonly<Record<string, number>> = {
  Reshape: 1,
  Expand: 1,
  ConstantOfShape: 0,
  Slice: 2,
  Tile: 1,
  Squeeze: 1,
  Unsqueeze: 1,
  CastLike: 1,
}

/** A plan, and how long the followed axis is in its inputs. */
export interface Run {
  readonly plan: Plan
  readonly length: number
}

/** What is followed through which plan, others of the same graph for other lengths, and a rule that goes before those of single rows. */
export interface Following {
  readonly subject: Subject
  readonly run: Run
  readonly others: readonly Run[]
  readonly special?: (site: Site) => ReturnType<Rule> | undefined
}

/** Where each value has the axis, by its number; it begins with those of the inputs. Throws where an operator mixes what lies along it. */
export function follow({ subject, run, others, special }: Following, traces: Map<number, Traced>): void {
  const twins = others.map((other) => ({ ...other, steps: stepsByOutput(other.plan.steps) }))
  const walk = (steps: readonly Step[]): void => {
    for (const step of steps) {
      const own: Twin[] = twins.flatMap(({ plan, length, steps: all }) => {
        const twin = all.get(keyOf(step))
        return twin === undefined ? [] : [{ plan, length, step: twin }]
      })
      const site = new Site(subject, run.plan, step, own, traces)
      const made = step.branches === undefined ? tracesOf(site, special) : branched(site, walk, traces)
      for (const [i, value] of step.outputs.entries()) {
        if (value < 0) continue
        traces.set(value, made[i])
        checkShapes(site, i, made[i], run.length)
      }
    }
  }
  walk(run.plan.steps)
}

/** What a step is known by in every plan: its first output. */
export const keyOf = ({ outputs }: Step): number => outputs.find((value) => value >= 0) ?? -1

/** Those of branches too. */
export function stepsByOutput(steps: readonly Step[], into = new Map<number, Step>()): Map<number, Step> {
  for (const step of steps) {
    into.set(keyOf(step), step)
    for (const branch of step.branches ?? []) stepsByOutput(branch.steps, into)
  }
  return into
}

function tracesOf(site: Site, special: Following['special']): readonly Traced[] {
  const { step, subject } = site
  const traced = site.places.map((place) => site.traced(place))
  const hasAxis = traced.some((one) => typeof one === 'object')
  const hasNewest = traced.includes('newest')
  if (hasAxis && hasNewest) site.refuse(`it joins ${subject.plural} with what is known at the newest of them`)
  if (!hasAxis) {
    const free = shapePlace[step.opType]
    for (const place of site.places) if (site.traced(place) === undefined && place !== free) site.fixed(place)
    const made = hasNewest ? 'newest' : step.opType === 'Expand' || step.opType === 'Tile' ? spread(site) : undefined
    return step.outputs.map(() => made)
  }
  const rule = ruleOf(step.opType) ?? site.refuse(`nothing is known of how it treats ${subject.plural}`)
  const made = special?.(site) ?? rule(site)
  return 'axis' in made ? step.outputs.map(() => made) : made
}

/** Both branches must have the axis in the same place, and none of what is followed may choose between them. */
function branched(
  site: Site,
  walk: (steps: readonly Step[]) => void,
  traces: ReadonlyMap<number, Traced>,
): readonly Traced[] {
  const { step, subject } = site
  if (site.traced(0) !== undefined) site.refuse(`its condition depends on the ${subject.single}`)
  const [then, otherwise] = step.branches!
  for (const branch of [then, otherwise]) walk(branch.steps)
  return step.outputs.map((_, i) => {
    const [a, b] = [traces.get(then.outputs[i]), traces.get(otherwise.outputs[i])]
    if (!isSame(a, b)) site.refuse(`its branches have the ${subject.plural} on different axes`)
    return a
  })
}

/** An output in the other plans: its shape is the same but for what is followed, of which it has as much as its inputs let expect. */
function checkShapes(site: Site, place: number, traced: Traced, length: number): void {
  const { plural } = site.subject
  const shape = site.output(place)
  const lengthIn = (sizes: readonly number[]) => (typeof traced === 'object' ? lengthOf(traced, sizes) : 0)
  for (const twin of site.twins) {
    const other = shapeIn(twin.plan, twin.step.outputs[place])
    const isFit =
      twin.step.opType === site.step.opType &&
      other.length === shape.length &&
      shape.every((size, axis) => size === other[axis] || (typeof traced === 'object' && axis === traced.axis)) &&
      lengthIn(shape) * twin.length === lengthIn(other) * length
    if (!isFit) site.refuse(`of ${length} ${plural} it gives [${shape}], and of ${twin.length} [${other}]`)
  }
}

/** A graph settled for a length that nobody asked for; where it takes none but its own, that is the caller's option gone wrong. */
export function runOf(planFor: (length: number) => Plan, length: number, { plural }: Subject): Run {
  try {
    return { plan: planFor(length), length }
  } catch (error) {
    if (!(error instanceof RNNError) || error.code === 'ERR_RNN_OPTION') throw error
    return failOption(`the model does not take ${length} ${plural}: ${error.message}`, { cause: error })
  }
}

/** Of a model, by their place; values that a plan has beside them have none. */
export interface ValueNames {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** A value in messages. */
export const valueLabel = (kind: string, names: readonly string[], place: number) =>
  `the ${kind} ${describe(names[place] ?? `${place}`)}`

/** Where the inputs of the first of these plans have the axis. */
export function tracesOfInputs(plans: readonly Plan[], subject: Subject, { inputs }: ValueNames): Map<number, Traced> {
  const traces = new Map<number, Traced>()
  for (const [i, value] of plans[0].inputs.entries()) {
    const shapes = plans.map((plan) => shapeIn(plan, plan.inputs[i]))
    const axis = differing(shapes, subject, valueLabel('input', inputs, i))
    if (axis !== undefined) traces.set(value, traceAt(axis))
  }
  return traces
}

/** The axis along which the shapes of a value differ between plans; undefined where they do not. */
export function differing(
  [first, ...others]: readonly (readonly number[])[],
  subject: Subject,
  label: string,
): number | undefined {
  const axes = first.flatMap((size, axis) => (others.some((other) => other[axis] !== size) ? [axis] : []))
  if (axes.length > 1) refuse(subject, label, `it has them on the axes ${axes.join(' and ')}`)
  return axes[0]
}
