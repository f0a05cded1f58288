/** Which axis of a model's inputs and outputs has the rows of a batch, and whether a row's outputs depend on that row alone. */

import { describe, fail } from '../../errors.ts'
import type { Plan } from '../plan.ts'
import { differing, follow, runOf } from './follow.ts'
import { type Subject, shapeIn } from './site.ts'
import { isEven, isPlain, type Trace, type Traced, traceAt } from './trace.ts'

/** By place; undefined for a value that all rows have in common. */
export interface RowAxes {
  readonly inputs: readonly (number | undefined)[]
  readonly outputs: readonly (number | undefined)[]
}

export interface ValueNames {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
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
  const shapesOf = (values: 'inputs' | 'outputs', i: number) => plans.map((one) => shapeIn(one, one[values][i]))
  const inputs = plan.inputs.map((_, i) =>
    differing(shapesOf('inputs', i), (why) => refuse(`the input ${describe(names.inputs[i] ?? `${i}`)}`, why)),
  )
  if (inputs.every((axis) => axis === undefined)) fail('ERR_RNN_OPTION', 'no input of the model has an axis for rows')
  const traces = new Map<number, Traced>()
  for (const [i, axis] of inputs.entries()) if (axis !== undefined) traces.set(plan.inputs[i], traceAt(axis))
  follow({ subject, run, others }, traces)
  const outputs = plan.outputs.map((value, i) => {
    const name = `the output ${describe(names.outputs[i] ?? `${i}`)}`
    const shapes = shapesOf('outputs', i)
    const trace = traces.get(value) as Trace | undefined
    if (trace !== undefined && !isPlain(trace))
      refuse(name, `it has them merged with another axis, of shape [${shapes[0]}]`)
    const axis = differing(shapes, (why) => refuse(name, why))
    const isHeld = trace === undefined ? axis === undefined || isRepeated(plans, i, axis) : axis === trace.axis
    if (!isHeld)
      refuse(
        name,
        `its shape is [${shapes[0]}] of 3 rows, and of others ${shapes
          .slice(1)
          .map((one) => `[${one}]`)
          .join(' and ')}`,
      )
    return axis
  })
  for (const { input, output } of plan.carries) {
    if (inputs[input] === outputs[output]) continue
    const [is, was] = [outputs[output], inputs[input]].map((axis) => (axis === undefined ? 'none' : `${axis}`))
    refuse(
      `the state ${describe(names.inputs[input] ?? `${input}`)}`,
      `its axis of rows is ${was}, and that of the output that takes its place ${is}`,
    )
  }
  return { inputs, outputs }
}

/** Whether an output that does not depend on the rows is the same for each. */
function isRepeated([plan, ...others]: readonly Plan[], output: number, axis: number): boolean {
  const constantOf = (one: Plan) => one.values[one.outputs[output]]?.constant
  const own = constantOf(plan)
  return [plan, ...others].every((one) => {
    const other = constantOf(one)
    return own !== undefined && other !== undefined && isEven(own, other, traceAt(axis))
  })
}

function refuse(what: string, why: string): never {
  return fail('ERR_RNN_OPTION', `rows do not stay apart in ${what}: ${why}`)
}
