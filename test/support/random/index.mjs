// Random graphs of every operator: what each takes, its attributes, and which sizes and bounds its results have. ONNX's shapes stand here
// apart from the package.

import { binaries } from './arithmetic.mjs'
import { GraphBuilder } from './builder.mjs'
import { layouts } from './layouts.mjs'
import { norms } from './norms.mjs'
import { pointwises } from './pointwise.mjs'
import { products } from './products.mjs'
import { recurrents } from './recurrent.mjs'
import { reductions } from './reductions.mjs'
import { selections } from './selections.mjs'
import { windows } from './windows.mjs'

/** Every operator by name: from which opset on, and what adds a node of it to a graph. */
export const operators = {
  ...pointwises,
  ...binaries,
  ...products,
  ...windows,
  ...norms,
  ...reductions,
  ...selections,
  ...layouts,
  ...recurrents,
}

/** @typedef {ReturnType<GraphBuilder['done']>} RandomGraph */

/**
 * A graph of a list of numbers.
 *
 * @param {readonly number[]} choices
 * @param {{ rows?: number, names?: readonly string[], Builder?: typeof GraphBuilder }} [options] `names`: the operators that it may have
 * @returns {RandomGraph}
 */
export function randomGraph(choices, { rows, names = Object.keys(operators), Builder = GraphBuilder } = {}) {
  const g = new Builder(choices, names, rows)
  const nodes = 1 + g.below(12)
  for (let tries = 0; g.nodes.length < nodes && tries < 40; tries++) {
    const operator = operators[g.of(names)]
    if (g.version >= operator.since) operator.add(g)
  }
  if (g.nodes.length === 0) operators.Abs.add(g)
  return g.done()
}

/**
 * Numbers for a graph, as fast-check makes and shortens them.
 *
 * @param {typeof import('fast-check').default} fc
 */
export const choicesOf = (fc) => fc.array(fc.nat(2 ** 16 - 1), { minLength: 60, maxLength: 240 })
