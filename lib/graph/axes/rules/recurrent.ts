/** Recurrent layers: sequences stand by themselves, and their steps do not. */

import { recurrentPlaces } from '../../recurrent/parts.ts'
import type { Site } from '../site.ts'
import { type Trace, traceAt } from '../trace.ts'
import type { Rule, Rules } from './rule.ts'

/** Of x and y: the axis of time and that of the sequences; of states, that of the sequences. */
export function layoutOf(site: Site): { time: number; batch: number; state: number } {
  return site.call.integer('layout', 0) === 1 ? { time: 1, batch: 0, state: 0 } : { time: 0, batch: 1, state: 1 }
}

const recurrent: Rule = (site) => {
  const { x, lengths, h0, c0 } = recurrentPlaces
  const { batch, state } = layoutOf(site)
  const axes = new Map([
    [x, batch],
    [lengths, 0],
    [h0, state],
    [c0, state],
  ] as [number, number][])
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
  const [y, last] = [batch === 0 ? 0 : 2, state]
  const at = (axis: number) => ({ ...traceAt(axis), outer: trace.outer, inner: trace.inner })
  return [at(y), at(last), at(last)]
}

export const recurrences: Rules = { RNN: recurrent, GRU: recurrent, LSTM: recurrent, DynamicQuantizeLSTM: recurrent }
