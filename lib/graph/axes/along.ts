/** A model without states of its own as a stream: its plan for some frames at a time, with states for what they need of the past. */

import { describe } from '../../errors.ts'
import type { Plan } from '../plan.ts'
import { causalRule, counted, type Findings, OddStride } from './causal.ts'
import { Editor, type InitialState } from './editor.ts'
import { follow, keyOf, type Run, runOf, tracesOfInputs, type ValueNames, valueLabel } from './follow.ts'
import { refuse, type Subject, shapeIn } from './site.ts'
import { isPlain, type Traced } from './trace.ts'

/** A plan that keeps states; the first of `states` is that of the first of its carries. */
export interface Streamed {
  readonly plan: Plan
  readonly states: readonly InitialState[]
}

/** Lengths through which time is followed: longer than any window that looks back, and without remainder by usual strides. */
const lengths = [240, 360] as const
/** Strides beyond these need no product of their own. */
const mostPeriod = 2 ** 16

/**
 * The plan that takes `frames` frames a run. `planFor` settles the graph with the dimension at a length. What is computed of a frame must not
 * depend on later ones, nor on how many there are; an operator that does is refused by name.
 */
export function along(
  planFor: (frames: number) => Plan,
  dimension: string,
  frames: number,
  names: ValueNames,
): Streamed {
  const subject: Subject = {
    refusal: `along ${describe(dimension)} cannot go through`,
    plural: 'frames',
    single: 'frame',
  }
  const whole = followed(planFor, subject, names)
  checkStrides(whole, frames, subject)
  const own = { plan: planFor(frames), length: frames }
  const { traces, found } = followed(planFor, subject, names, own)
  for (const step of own.plan.steps) {
    if (!traces.has(keyOf(step))) refuse(subject, step.label, `it is there for ${counted(frames)}, and not for others`)
  }
  const top = new Set(own.plan.steps.map(keyOf))
  for (const [key, { step }] of found.edits) {
    if (!top.has(key)) refuse(subject, step.label, 'it keeps past frames, and stands in a branch')
  }
  // Without what padding lets windows see beyond the last frame.
  const values = own.plan.values.map((value, i) => {
    const trace = traces.get(i)
    if (value === undefined || typeof trace !== 'object' || trace.behind === 0) return value
    return { ...value, shape: value.shape.map((size, axis) => (axis === trace.axis ? size - trace.behind : size)) }
  })
  const editor = new Editor(own.plan, values)
  return { plan: editor.edited(found.edits), states: editor.states }
}

/** A step must end where every stride does. */
function checkStrides({ found, length: all }: Followed, frames: number, subject: Subject): void {
  const periods = found.strides.map(({ step, stride, length }) => ({ step, period: (stride * all) / length }))
  const odd = periods.find(({ period }) => !Number.isInteger(frames / period))
  if (odd === undefined) return
  const needed = periods.reduce((multiple, { period }) => common(multiple, period), 1)
  refuse(subject, odd.step.label, `a step of ${frames} ends amid its stride: shapes must give a multiple of ${needed}`)
}

/** The least common multiple; of a fraction of a frame, which upsampling makes, the whole number stays. */
function common(a: number, b: number): number {
  let multiple = a
  while (!Number.isInteger(multiple / b)) multiple += a
  return multiple
}

interface Followed {
  readonly traces: ReadonlyMap<number, Traced>
  readonly found: Findings
  /** How many frames its inputs had. */
  readonly length: number
}

/** Through plans long enough that every stride divides what it gets, and one more where it is given. */
function followed(planFor: (frames: number) => Plan, subject: Subject, names: ValueNames, more?: Run): Followed {
  for (let period = 1; ; ) {
    const [run, ...others] = lengths.map((length) => runOf(planFor, length * period, subject))
    if (more !== undefined) others.push(more)
    const found: Findings = { edits: new Map(), strides: [] }
    const traces = tracesOfInputs(
      [run, ...others].map(({ plan }) => plan),
      subject,
      names,
    )
    if (traces.size === 0) refuse(subject, 'the model', 'no shape of its inputs depends on it')
    try {
      follow({ subject, run, others, special: (site) => causalRule(site, found) }, traces)
    } catch (error) {
      if (!(error instanceof OddStride) || period * error.stride > mostPeriod) throw error
      period *= error.stride
      continue
    }
    checkOutputs(run, traces, subject, names)
    return { traces, found, length: run.length }
  }
}

/** Frames come out as they went in: on an axis of their own, and none but those of the inputs. */
function checkOutputs(
  { plan, length }: Run,
  traces: ReadonlyMap<number, Traced>,
  subject: Subject,
  { outputs }: ValueNames,
) {
  for (const [i, value] of plan.outputs.entries()) {
    const trace = traces.get(value)
    if (typeof trace !== 'object' || isPlain(trace)) continue
    const gives = `of ${length} frames it has the shape [${shapeIn(plan, value)}], where padding or another axis is among them`
    refuse(subject, valueLabel('output', outputs, i), gives)
  }
}
