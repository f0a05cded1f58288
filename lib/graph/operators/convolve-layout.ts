/** What a convolution and its transpose have alike: the inputs that they read, and how channels go to outputs. */

import { list } from '../../errors.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { Call } from '../call.ts'
import type { GraphTensor } from '../tensor.ts'
import { spatialOf } from './window.ts'

/** Channels of a group go to the outputs of the same group. */
export interface Layout {
  readonly x: GraphTensor
  readonly w: GraphTensor
  readonly bias: Float32Array | undefined
  readonly groups: number
  /** Input channels and outputs of one group. */
  readonly inputs: number
  readonly outputs: number
}

/** Reads and checks the inputs of a convolution or its transpose. */
export function layoutOf(call: Call, isTransposed: boolean): Layout {
  const x = call.floats(0)
  const w = call.floats(1, x)
  spatialOf(call, x.shape)
  if (w.shape.length !== x.shape.length) call.fail(`weights ${list(w.shape)} of an input ${list(x.shape)}`)
  const C = x.shape[1]
  const groups = call.integer('group', 1)
  if (!(groups >= 1 && C % groups === 0 && w.shape[0] % groups === 0)) {
    call.fail(`${groups} groups of ${C} channels and weights ${list(w.shape)}`)
  }
  const inputs = C / groups
  if ((isTransposed ? w.shape[0] : w.shape[1] * groups) !== C) {
    call.fail(`${C} channels in ${groups} groups for weights ${list(w.shape)}`)
  }
  const outputs = isTransposed ? w.shape[1] : w.shape[0] / groups
  const bias = call.inputs[2] && call.floats(2, x)
  if (bias && !sameShape(bias.shape, [groups * outputs])) {
    call.fail(`a bias ${list(bias.shape)} of ${groups * outputs} outputs`)
  }
  return { x, w, bias: bias && (bias.data as Float32Array), groups, inputs, outputs }
}
