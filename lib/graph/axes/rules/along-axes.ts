/** Operators that work along some axes, each line of values by itself: reductions, softmaxes, norms, searches. */

import { reducedAxes, softmaxAxis } from '../../operators/arguments.ts'
import { reductions } from '../../operators/reduce.ts'
import { axesOf } from '../../tensor.ts'
import type { Site } from '../site.ts'
import type { Trace } from '../trace.ts'
import { type Rule, type Rules, ruleOfAll } from './rule.ts'

/** Where the axis is when others are one value each, or gone. */
function without(site: Site, trace: Trace, axes: readonly number[], does: string): Trace {
  site.apart(trace, axes, does)
  if (site.call.flag('keepdims', true)) return trace
  return { ...trace, axis: trace.axis - axes.filter((axis) => axis < trace.axis).length }
}

const reduce: Rule = (site) => {
  const trace = site.only(0)
  const axes = reducedAxes(site.call, site.shape(0))
  return axes === undefined ? trace : without(site, trace, axes, 'reduces')
}

const extreme: Rule = (site) => without(site, site.only(0), [site.axis(0)], 'looks for the greatest or least of')

const softmax: Rule = (site) => {
  const trace = site.only(0)
  const { isOld, axis } = softmaxAxis(site.call, site.rank(0))
  return site.apart(trace, isOld ? axesOf(site.shape(0)).slice(axis) : [axis], 'divides by a sum over')
}

const topK: Rule = (site) => site.apart(site.only(0), [site.axis(-1)], 'sorts')

const oneHot: Rule = (site) => {
  const trace = site.only(0)
  const axis = site.call.axisOf(-1, site.rank(0) + 1)
  return { ...trace, axis: trace.axis + (axis <= trace.axis ? 1 : 0) }
}

const cumSum: Rule = (site) => {
  const trace = site.only(0)
  const axis = site.call.axis((site.call.numbers(1) ?? [0])[0], site.rank(0))
  return site.apart(trace, [axis], 'sums up')
}

const norms = (site: Site, trace: Trace, axis: number) =>
  site.apart(trace, axesOf(site.shape(0)).slice(axis), 'normalizes over')

/** A layer norm of a sum, which is its fourth output. */
const skipNorm: Rule = (site) => {
  for (const place of [2, 3, 4]) site.fixed(place)
  return norms(site, site.together([0, 1]), site.rank(0) - 1)
}

/** Each channel by numbers that are known: only they must not be the followed axis. */
const batchNorm: Rule = (site) => site.apart(site.only(0), [1], 'has a mean for each of')

/** Over everything but the first axis: all values of some channels. */
const instanceNorm: Rule = (site) => norms(site, site.only(0), 1)

export const alongAxes: Rules = {
  ...ruleOfAll(reductions, reduce),
  ArgMax: extreme,
  ArgMin: extreme,
  Softmax: softmax,
  LogSoftmax: softmax,
  TopK: topK,
  OneHot: oneHot,
  CumSum: cumSum,
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  GroupNormalization: instanceNorm,
  LayerNormalization: (site) => norms(site, site.only(0), site.axis(-1)),
  SkipLayerNormalization: skipNorm,
}
