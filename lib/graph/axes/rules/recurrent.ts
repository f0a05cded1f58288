/** Recurrent layers: sequences stand by themselves, and their steps do not. */

import { recurrentPlaces } from '../../recurrent/parts.ts'
import type { Site } from '../site.ts'
import { type Trace, traceAt } from '../trace.ts'
import type { Rule, Rules } from './rule.ts'

/** The axis of the sequences in x and in states, 0 or 1; of the first two axes of x, time is the other one. */
export function batchAxis(site: Site): number {
  return site.call.integer('layout', 0) === 1 ? 0 : 1
}

const recurrent: Rule = (site) => {
  const { x, lengths, h0, c0 } = recurrentPlaces
  const batch = batchAxis(site)
  const axes = new Map<number, number>([
    [x, batch],
    [lengths, 0],
    [h0, batch],
    [c0, batch],
  ])
  let found: Trace | undefined
  for (const [place, axis] of axes) {
    const trace = site.trace(place)
    if (trace === undefined) continue
    if (trace.axis !== axis) {
      site.refuse(`it runs along the ${site.subject.plural} (axis ${trace.axis} of input ${place})`)
    }
    if (found && (found.outer !== trace.outer || found.inner !== trace.inner)) {
      site.refuse(`its inputs have the ${site.subject.plural} merged with other axes in different ways`)
    }
    found = trace
  }
  const trace = found ?? site.refuse(`its weights depend on the ${site.subject.single}`)
  for (const place of site.places) {
    const axis = axes.get(place) ?? -1
    if (axis < 0 || site.trace(place) === undefined) site.fits(place, { ...trace, axis })
  }
  // The directions stand before the sequences in y, or behind time.
  const { outer, inner } = trace
  return [2 * batch, batch, batch].map((axis) => ({ ...traceAt(axis), outer, inner }))
}

export const recurrences: Rules = { RNN: recurrent, GRU: recurrent, LSTM: recurrent, DynamicQuantizeLSTM: recurrent }
