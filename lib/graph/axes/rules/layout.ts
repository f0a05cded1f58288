/** Operators that move values, give them another shape, take them apart or put them together. */

import { padsOf, permutation, sliceOf } from '../../operators/arguments.ts'
import type { Site } from '../site.ts'
import { relocated, type Trace, traceAt } from '../trace.ts'
import type { Rule, Rules } from './rule.ts'

/** Values in their order, in another shape: the inputs after the first say which. */
const reshaped: Rule = (site) => {
  const trace = site.only(0, 1)
  return (
    relocated(trace, site.shape(0), site.output(0)) ??
    site.refuse(`it makes [${site.output(0)}] of [${site.shape(0)}], which cuts the axis of the ${site.subject.plural}`)
  )
}

const transpose: Rule = (site) => {
  const trace = site.only(0)
  return { ...trace, axis: permutation(site.call, site.shape(0)).indexOf(trace.axis) }
}

const expand: Rule = (site) => {
  const trace = site.only(0, 1)
  return { ...trace, axis: trace.axis + site.output(0).length - site.rank(0) }
}

/** Repeats of the whole axis lie outside of it. */
const tile: Rule = (site) => {
  const trace = site.only(0, 1)
  const repeats = site.output(0)[trace.axis] / site.shape(0)[trace.axis]
  if (repeats !== 1 && trace.front + trace.behind > 0) site.refuse('it repeats padded frames')
  return { ...trace, outer: trace.outer * repeats }
}

const concat: Rule = (site) => site.apart(site.together(), [site.axis(1)], 'appends to')

const split: Rule = (site) => site.apart(site.only(0, 1), [site.axis(0)], 'parts')

/** All of the followed axis, however long, or none of it is its matter. */
const slice: Rule = (site) => {
  const trace = site.only(0, 2)
  const isWhole = site.always((one) => {
    const { axes, starts, ends, steps } = sliceOf(one.call, one.rank(0))
    const at = axes.indexOf(trace.axis)
    return (
      at < 0 || (starts[at] === 0 && steps[at] === 1 && (ends[at] >= endless || ends[at] === one.shape(0)[trace.axis]))
    )
  })
  return isWhole && site.output(0)[trace.axis] === site.shape(0)[trace.axis]
    ? trace
    : site.refuse(`it takes a part of the ${site.subject.plural} (axis ${trace.axis})`)
}

/** What exporters write for the end of an axis is at least this. */
const endless = 2 ** 30

/** Rows of a table by places, or the same places of every row. */
const gather: Rule = (site) => {
  const axis = site.axis(0)
  const places = site.trace(1)
  if (places !== undefined) {
    site.fixed(0)
    return { ...places, axis: axis + places.axis }
  }
  const trace = site.apart(site.only(0), [axis], 'picks from')
  return trace.axis < axis ? trace : { ...trace, axis: trace.axis - 1 + site.rank(1) }
}

const gatherElements: Rule = (site) => site.apart(site.together(), [site.axis(0)], 'picks from')

const pad: Rule = (site) => {
  const trace = site.only(0)
  const { before, after } = padsOf(site.call, site.shape(0))
  if (before[trace.axis] !== 0 || after[trace.axis] !== 0) {
    site.refuse(`it pads the axis of the ${site.subject.plural} (axis ${trace.axis})`)
  }
  return trace
}

/** A value that does not depend on what is followed, repeated as often as there is of it. */
export function spread(site: Site): Trace | undefined {
  const [from, to] = [site.shape(0), site.output(0)]
  for (const { plan, step } of site.twins) {
    const other = plan.values[step.outputs[0]]?.shape
    const axes = to.flatMap((size, axis) => (other !== undefined && size !== other[axis] ? [axis] : []))
    if (axes.length === 1 && (from[axes[0] - to.length + from.length] ?? 1) === 1) return traceAt(axes[0])
  }
  return undefined
}

export const layouts: Rules = {
  Reshape: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Flatten: reshaped,
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  Pad: pad,
}
