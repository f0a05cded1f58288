/** Operators that work along some axes, each line of values by itself: reductions, softmaxes, norms, searches. */

import { reducedAxes, softmaxAxis } from '../../operators/arguments.ts'
import { axesOf } from '../../tensor.ts'
import type { Site } from '../site.ts'
import type { Trace } from '../trace.ts'
import type { Rule, Rules } from './rule.ts'

/** Where the axis is when others are gone. */
function without(trace: Trace, axes: readonly number[], keeps: boolean): Trace {
  return keeps ? trace : { ...trace, axis: trace.axis - axes.filter((axis) => axis < trace.axis).length }
}

const reduce: Rule = (site) => {
  const trace = site.only(0)
  const { call } = site
  const axes = reducedAxes(call, site.shape(0))
  if (axes === undefined) return trace
  site.apart(trace, axes, 'reduces')
  return without(trace, axes, call.flag('keepdims', true))
}

const axisOf = (site: Site, otherwise: number) => site.call.axisOf(otherwise, site.rank(0))

const extreme: Rule = (site) => {
  const trace = site.only(0)
  const axis = axisOf(site, 0)
  site.apart(trace, [axis], 'looks for the greatest or least of')
  return without(trace, [axis], site.call.flag('keepdims', true))
}

const softmax: Rule = (site) => {
  const trace = site.only(0)
  const { isOld, axis } = softmaxAxis(site.call, site.rank(0))
  site.apart(trace, isOld ? axesOf(site.shape(0)).slice(axis) : [axis], 'divides by a sum over')
  return trace
}

const topK: Rule = (site) => {
  const trace = site.only(0)
  site.apart(trace, [axisOf(site, -1)], 'sorts')
  return [trace, trace]
}

const oneHot: Rule = (site) => {
  const trace = site.only(0)
  const axis = site.call.axisOf(-1, site.rank(0) + 1)
  return { ...trace, axis: trace.axis + (axis <= trace.axis ? 1 : 0) }
}

const cumSum: Rule = (site) => {
  const trace = site.only(0)
  const axis = site.call.axis((site.call.numbers(1) ?? [0])[0], site.rank(0))
  site.apart(trace, [axis], 'sums up')
  return trace
}

const norms = (site: Site, trace: Trace, axis: number) => {
  site.apart(trace, axesOf(site.shape(0)).slice(axis), 'normalizes over')
  return [trace, trace, trace, trace]
}

/** A layer norm of a sum, which is its fourth output. */
const skipNorm: Rule = (site) => {
  for (const place of [2, 3, 4]) site.fixed(place)
  return norms(site, site.together([0, 1]), site.rank(0) - 1)
}

/** Each channel by numbers that are known: only they must not be the followed axis. */
const batchNorm: Rule = (site) => {
  const trace = site.only(0)
  site.apart(trace, [1], 'has a mean for each of')
  return trace
}

/** Over everything but the first axis: all values of some channels. */
const instanceNorm: Rule = (site) => norms(site, site.only(0), 1)

const reductions = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare']

export const alongAxes: Rules = {
  ...Object.fromEntries(reductions.map((name) => [`Reduce${name}`, reduce])),
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
  LayerNormalization: (site) => norms(site, site.only(0), axisOf(site, -1)),
  SkipLayerNormalization: skipNorm,
}
