/** Products of matrices, sums over labels. */

import { equationOf } from '../../operators/einsum.ts'
import type { Site } from '../site.ts'
import { isSame, type Trace } from '../trace.ts'
import type { Rule, Rules } from './rule.ts'

const contracts = 'sums over'

/** (…, M, K) · (…, K, N): what is before the matrices is broadcast. `turned`: the last two axes in each other's place. */
function product(site: Site, turned: readonly [boolean, boolean]): Trace {
  // From the end: 1 is the last axis. A vector has no row on the left and no column on the right.
  const ranks = [site.rank(0), site.rank(1)]
  const rank = Math.max(2, ...ranks)
  const made = rank - ranks.filter((one) => one === 1).length
  /** Which axis of (…, M, N) an operand's is; it must not be K. */
  const placeOf = (place: 0 | 1, trace: Trace): Trace => {
    const isVector = ranks[place] === 1
    const fromEnd = isVector ? 1 : ranks[place] - trace.axis
    if (fromEnd > 2) return { ...trace, axis: rank - fromEnd }
    const isLast = fromEnd === 1 ? !turned[place] : turned[place]
    // The last axis on the left is K, on the right the one before it, and of a vector its only one.
    if (isVector || isLast === (place === 0)) site.apart(trace, [trace.axis], contracts)
    return { ...trace, axis: place === 0 ? rank - 2 : rank - 1 }
  }
  const traces = ([0, 1] as const).map((place) => {
    const trace = site.trace(place)
    return trace && placeOf(place, trace)
  })
  const [a, b] = traces
  if (a !== undefined && b !== undefined && !isSame(a, b))
    site.refuse(`its inputs have the ${site.subject.plural} on different axes`)
  const found = (a ?? b) as Trace
  for (const place of [0, 1] as const) {
    if (traces[place] !== undefined) continue
    const axis = found.axis - rank + ranks[place]
    // Matrices that all use, or one for each.
    if (found.axis >= rank - 2 || axis < 0) site.fixed(place)
    else site.fits(place, { ...found, axis })
  }
  // A vector's axis of 1 is taken off again: N stays the last one.
  return found.axis === rank - 1 ? { ...found, axis: made - 1 } : found
}

const gemm: Rule = (site) => {
  const { call } = site
  const [a, b] = [site.trace(0), site.trace(1)]
  if (a === undefined && b === undefined) return site.refuse(`only what it adds depends on the ${site.subject.plural}`)
  const trace = product(site, [call.flag('transA'), call.flag('transB')])
  const added = site.trace(2)
  if (!site.has(2)) return trace
  const axis = trace.axis - 2 + site.rank(2)
  if (added !== undefined) {
    if (!isSame(added, { ...trace, axis })) site.refuse(`what it adds has the ${site.subject.plural} on another axis`)
  } else if (axis < 0) site.fixed(2)
  else site.fits(2, { ...trace, axis })
  return trace
}

const einsum: Rule = (site) => {
  const ranks = site.step.inputs.map((_, place) => site.rank(place))
  const { operands: labels, result } = equationOf(site.call, ranks)
  let found: { trace: Trace; label: string } | undefined
  for (const place of site.places) {
    const trace = site.trace(place)
    if (trace === undefined) continue
    const label = labels[place][trace.axis]
    if (labels[place].indexOf(label) !== labels[place].lastIndexOf(label))
      site.refuse(`it takes a diagonal of the ${site.subject.plural}`)
    if (found !== undefined && (found.label !== label || !isSame(found.trace, { ...trace, axis: found.trace.axis }))) {
      site.refuse(`its inputs have the ${site.subject.plural} on different axes`)
    }
    found ??= { trace, label }
  }
  const { trace, label } = found!
  for (const place of site.places) {
    if (site.trace(place) !== undefined) continue
    const axes = labels[place].flatMap((one, axis) => (one === label ? [axis] : []))
    if (axes.length > 1) site.refuse(`it takes a diagonal of the ${site.subject.plural}`)
    if (axes.length === 0) site.fixed(place)
    else site.fits(place, { ...trace, axis: axes[0] })
  }
  const axis = result.indexOf(label)
  if (axis < 0) site.apart(trace, [trace.axis], contracts)
  return { ...trace, axis }
}

export const products: Rules = {
  MatMul: (site) => product(site, [false, false]),
  FusedMatMul: (site) => product(site, [site.call.flag('transA'), site.call.flag('transB')]),
  Gemm: gemm,
  Einsum: einsum,
}
