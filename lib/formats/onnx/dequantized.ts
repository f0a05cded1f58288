/** Whether weights of a file stand there as integers with scales; such a layer may be kept as int8 without being asked to. */

import type { Budget } from '../../graph/budget.ts'
import type { GraphNode } from '../../graph/graph.ts'
import type { NodeNetwork } from '../../graph/recurrent/node.ts'
import type { Scope } from '../../graph/scope.ts'
import { survivesInt8 } from '../../precision/rounding.ts'

/** Operators that move values and change none; all but Concat move those of their first input. */
const moves = 'Identity Transpose Reshape Unsqueeze Squeeze Slice Concat Split Gather Expand Flatten Cast'.split(' ')
/** More steps than writers of files put between integers and a layer. */
const mostSteps = 256

/** Whether all values behind a name come out of DequantizeLinear. */
export function isDequantized(scope: Scope, name: string, budget: Budget): boolean {
  const open: [Scope, string][] = [[scope, name]]
  for (let steps = 0; open.length > 0; steps++) {
    if (steps === mostSteps) return false
    const found = nodeOf(...open.pop()!, budget)
    if (found === undefined) return false
    const { node } = found
    if (node.opType === 'DequantizeLinear') continue
    if (node.domain !== '' || !moves.includes(node.opType)) return false
    const inputs = node.opType === 'Concat' ? node.inputs : node.inputs.slice(0, 1)
    for (const input of inputs) open.push([found.scope, input])
  }
  return true
}

/** The node that makes a value; undefined where none does. */
function nodeOf(from: Scope, asked: string, budget: Budget): { scope: Scope; node: GraphNode } | undefined {
  let name = asked
  for (let scope: Scope | undefined = from; scope; ) {
    const source = scope.graph.find(name, budget)
    if (source?.kind === 'node') return scope.graph.callee(source.node) ? undefined : { scope, node: source.node }
    if (source?.kind === 'tensor') return undefined
    const call: Scope['call'] = source?.kind === 'input' ? scope.call : undefined
    if (source?.kind === 'input' && call === undefined) return undefined
    name = call && source?.kind === 'input' ? (call.node.inputs[source.index] ?? '') : name
    scope = call ? call.scope : scope.parent
  }
  return undefined
}

/** Whether int8 keeps every weight of a network with the bits that it has. */
export function fitsInt8({ weights, inputSize, hiddenSize }: NodeNetwork): boolean {
  return weights.every(
    ({ weightIh, weightHh }) =>
      survivesInt8(weightIh, inputSize, weightIh.length) && survivesInt8(weightHh, hiddenSize, weightHh.length),
  )
}
