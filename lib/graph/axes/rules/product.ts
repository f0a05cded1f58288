/** Products of matrices, sums over labels. */

import { equationOf, type Label } from '../../operators/einsum.ts'
import type { Site } from '../site.ts'
import { isSame, type Trace, traceAt } from '../trace.ts'
import type { Rule, Rules } from './rule.ts'

const contracts = 'sums over'

/** (…, M, K) · (…, K, N): what is before the matrices is broadcast. `turned`: the last two axes in each other's place. */
function product(site: Site, turned: readonly [boolean, boolean]): Trace {
  // A vector has no row on the left and no column on the right.
  const ranks = [site.rank(0), site.rank(1)]
  const rank = Math.max(2, ...ranks)
  const made = rank - ranks.filter((one) => one === 1).length
  /** Which axis of (…, M, N) an operand's is; it must not be K. */
  const into = (axis: number, place: number) => {
    const fromEnd = ranks[place] - axis
    if (fromEnd > 2) return rank - fromEnd
    const isLast = (fromEnd === 1) !== turned[place]
    // The last axis on the left is K, on the right the one before it, and of a vector its only one.
    if (ranks[place] === 1 || isLast === (place === 0)) site.apart(traceAt(axis), [axis], contracts)
    return rank - 2 + place
  }
  // Matrices that all use, or one for each.
  const found = site.joined([0, 1], into, (axis, place) => (axis >= rank - 2 ? -1 : axis - rank + ranks[place]))
  // A vector's axis of 1 is taken off again: N stays the last one.
  return found.axis === rank - 1 ? { ...found, axis: made - 1 } : found
}

const gemm: Rule = (site) => {
  const { call } = site
  const [a, b] = [site.trace(0), site.trace(1)]
  if (a === undefined && b === undefined) return site.refuse(`only what it adds depends on the ${site.subject.plural}`)
  const trace = product(site, [call.flag('transA'), call.flag('transB')])
  const added = site.trace(2)
  const wanted = { ...trace, axis: trace.axis - 2 + site.rank(2) }
  if (added === undefined) site.fits(2, wanted)
  else if (!isSame(added, wanted)) site.refuse(`what it adds has the ${site.subject.plural} on another axis`)
  return trace
}

const einsum: Rule = (site) => {
  const ranks = site.step.inputs.map((_, place) => site.rank(place))
  const { operands: labels, result } = equationOf(site.call, ranks)
  // They meet in a shape that has an axis for each label.
  const all = labels.flat()
  const axisOf = (label: Label, place: number) => {
    const axis = labels[place].indexOf(label)
    if (axis !== labels[place].lastIndexOf(label)) site.refuse(`it takes a diagonal of the ${site.subject.plural}`)
    return axis
  }
  const trace = site.joined(
    site.places,
    (axis, place) => {
      const label = labels[place][axis]
      axisOf(label, place)
      return all.indexOf(label)
    },
    (axis, place) => axisOf(all[axis], place),
  )
  const axis = result.indexOf(all[trace.axis])
  const [first] = site.places.flatMap((place) => site.trace(place) ?? [])
  if (axis < 0) site.apart(first, [first.axis], contracts)
  return { ...trace, axis }
}

export const products: Rules = {
  MatMul: (site) => product(site, [false, false]),
  FusedMatMul: (site) => product(site, [site.call.flag('transA'), site.call.flag('transB')]),
  Gemm: gemm,
  Einsum: einsum,
}
