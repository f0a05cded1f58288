/** Which axis of a model's inputs and outputs has the rows of a batch, and whether a row's outputs depend on that row alone. */

import { failOption } from '../../errors.ts'
import type { Plan } from '../plan.ts'
import { differing, follow, runOf, tracesOfInputs, type ValueNames, valueLabel } from './follow.ts'
import { refuse, type Subject, shapeIn } from './site.ts'
import { areEven, isPlain, type Trace, traceAt } from './trace.ts'

/** By place; undefined for a value that all rows have in common. */
export interface RowAxes {
  readonly inputs: readonly (number | undefined)[]
  readonly outputs: readonly (number | undefined)[]
}

const subject: Subject = { refusal: 'rows do not stay apart in', plural: 'rows', single: 'row' }

/**
 * Follows the rows through the plans of several numbers of rows, the greatest among them, which `planFor` settles. A row must be computed the same way whatever
 * their number: numbers that a graph takes from its shapes are held against each other.
 */
export function rowAxes(planFor: (rows: number) => Plan, names: ValueNames, most: number): RowAxes {
  // More than 1, so that the axis is seen in a reshape; two others, and 1 among them, which squeezes and broadcasts may treat by itself; and as many
  // as there may be.
  const lengths = most > 3 ? [3, 2, 1, most] : [3, 2, 1]
  const [run, ...others] = lengths.map((length) => runOf(planFor, length, subject))
  const { plan } = run
  const plans = [plan, ...others.map((other) => other.plan)]
  const traces = tracesOfInputs(plans, subject, names)
  if (traces.size === 0) failOption('no input of the model has an axis for rows')
  // No value of rows is that of the newest one.
  const traceOf = (value: number) => traces.get(value) as Trace | undefined
  const inputs = plan.inputs.map((value) => traceOf(value)?.axis)
  follow({ subject, run, others }, traces)
  const outputs = plan.outputs.map((value, i) => {
    const label = valueLabel('output', names.outputs, i)
    const shapes = plans.map((one) => shapeIn(one, one.outputs[i]))
    const trace = traceOf(value)
    if (trace !== undefined && !isPlain(trace))
      refuse(subject, label, `it has them merged with another axis, of shape [${shapes[0]}]`)
    const axis = differing(shapes, subject, label)
    // What does not depend on the rows may be the same for each.
    const isRepeated = (along: number) => {
      const known = plans.map((one) => one.values[one.outputs[i]]?.constant)
      return areEven(known, traceAt(along))
    }
    const isHeld = trace === undefined ? axis === undefined || isRepeated(axis) : axis === trace.axis
    if (!isHeld) {
      const [own, ...rest] = shapes.map((one) => `[${one}]`)
      refuse(subject, label, `its shape is ${own} of 3 rows, and of others ${rest.join(' and ')}`)
    }
    return axis
  })
  for (const { input, output } of plan.carries) {
    if (inputs[input] === outputs[output]) continue
    const [was, is] = [inputs[input], outputs[output]].map((axis) => axis ?? 'none')
    const why = `its axis of rows is ${was}, and that of the output that takes its place ${is}`
    refuse(subject, valueLabel('state', names.inputs, input), why)
  }
  return { inputs, outputs }
}
