/** Convolutions and pools: the first axis has what stands by itself, the second channels, the others space. */

import { kernelOf, slidesOf } from '../../operators/window.ts'
import type { Site } from '../site.ts'
import type { Trace } from '../trace.ts'
import type { Rule, Rules } from './rule.ts'

/** How a window slides along one axis. */
export interface Window {
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
}

/** Along this axis of the input. */
export function windowOf(site: Site, axis: number): Window {
  const { call } = site
  const axes = site.rank(0) - 2
  const { mode, along } = slidesOf(call, axes)
  const isConv = site.step.opType.startsWith('Conv')
  const kernel = isConv ? site.shape(1)[axis] : kernelOf(call, axes)[axis - 2]
  if (mode.startsWith('SAME') && kernel > 1)
    site.refuse(`auto_pad ${mode} pads both ends of the axis of the ${site.subject.plural}`)
  return { kernel, ...along(axis - 2) }
}

/** Whether each value along the axis is made of the one at its own place. */
export function isPointwise({ kernel, stride, before, after }: Window): boolean {
  return kernel === 1 && stride === 1 && before === 0 && after === 0
}

const along = (site: Site, trace: Trace): Trace =>
  trace.axis < 2 || isPointwise(windowOf(site, trace.axis))
    ? trace
    : site.refuse(`its window slides over the ${site.subject.plural} (axis ${trace.axis})`)

const conv: Rule = (site) => along(site, site.apart(site.only(0), [1], 'sums over'))

const pool: Rule = (site) => {
  const trace = site.only(0)
  // Places of the greatest values are counted through the whole input.
  if (site.step.outputs[1] >= 0) site.refuse(`it gives places among all ${site.subject.plural}`)
  return along(site, trace)
}

const globalPool: Rule = (site) => {
  const trace = site.only(0)
  if (trace.axis >= 2) site.refuse(`it makes one value of all ${site.subject.plural} (axis ${trace.axis})`)
  return trace
}

export const windows: Rules = {
  Conv: conv,
  ConvTranspose: conv,
  MaxPool: pool,
  AveragePool: pool,
  GlobalMaxPool: globalPool,
  GlobalAveragePool: globalPool,
}
