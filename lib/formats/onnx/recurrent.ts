/** From a recurrent node of a file to its weights and states: which inputs it has, what they are made of, and what they will take. */

import { describe } from '../../errors.ts'
import type { Budget, Refuse } from '../../graph/budget.ts'
import { fold } from '../../graph/fold.ts'
import type { NodeParts } from '../../graph/recurrent/node.ts'
import { nodeParts, recurrentPlaces, toFloats } from '../../graph/recurrent/parts.ts'
import { type Scope, Unknown } from '../../graph/scope.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import type { ReadTensor } from '../../tensor/read.ts'
import type { FileNode } from './file-node.ts'

/** What a node has in the file. */
export interface Found {
  readonly parts: NodeParts
  readonly h0?: ReadTensor
  readonly c0?: ReadTensor
}

/** Reads a node's inputs; one that is needed and does not stand in the file is refused by name, and says what it depends on. */
export function recurrentPart(scope: Scope, node: FileNode, budget: Budget): Found {
  const refuse: Refuse = node.refuse
  const value = (place: number): GraphTensor | Unknown | undefined => {
    const name = node.inputs[place] ?? ''
    return name === '' ? undefined : fold(scope, name, budget)
  }
  const constant = (place: number, what: string): GraphTensor | undefined => {
    const found = value(place)
    if (!(found instanceof Unknown)) return found
    return refuse(
      `its ${what}, ${describe(node.inputs[place])}, does not stand in the file: it depends on ${found.why}`,
    )
  }
  const state = (place: number, what: string) => {
    const found = value(place)
    return found === undefined || found instanceof Unknown ? undefined : toFloats(found, what, budget, refuse)
  }
  if (node.opType === 'AttnLSTM') refuse('an LSTM with attention is not supported')
  const parts = nodeParts(node.opType, scope.attributesOf(node), constant, budget, refuse)
  return {
    parts,
    h0: state(recurrentPlaces.h0, 'initial_h'),
    c0: parts.opType === 'LSTM' ? state(recurrentPlaces.c0, 'initial_c') : undefined,
  }
}

/** What a layer takes beside its weights: objects here and in native code, buffers of its own. */
const bytesBeside = 8192
/** Units are packed in panels of at most so many, the last one padded. */
const panel = 16

/** What a layer takes for good: its weights as they are kept, padded to whole panels of units where they are packed. */
export function bytesOfLayer({ parts: { W, R, B, P }, h0, c0 }: Found): number {
  const H = R.shape[R.shape.length - 1] ?? 1
  const padded = (Math.ceil(H / panel) * panel) / Math.max(1, H)
  const packed = 4 * (W.data.length + R.data.length + (B?.data.length ?? 0) + (P?.data.length ?? 0)) * padded
  return bytesBeside + packed + 4 * ((h0?.data.length ?? 0) + (c0?.data.length ?? 0))
}
