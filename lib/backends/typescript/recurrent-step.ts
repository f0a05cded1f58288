/** A recurrent step of a plan on this backend's own network; it alone knows how ONNX lays out what a network takes and gives. */

import { type Pass, rowByRow } from '../../graph/pace.ts'
import type { PlanValue, Step } from '../../graph/plan.ts'
import { recurrentNetwork } from '../../graph/recurrent/network.ts'
import { rounded } from '../../graph/rounding.ts'
import { stepFailed } from '../../graph/step-error.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { newInts, zeros } from '../../intrinsics/captured.ts'
import { directionsOf } from '../../spec/spec.ts'
import type { Precision } from '../../spec/weight-types.ts'
import { copy } from './arrays.ts'
import { createNetwork } from './network.ts'

/** Runs the step on its inputs. */
export type RecurrentStep = (inputs: readonly (GraphTensor | undefined)[]) => Pass<readonly GraphTensor[]>

export function recurrentStep(
  step: Step,
  values: readonly (PlanValue | undefined)[],
  precision: Precision,
): RecurrentStep {
  const { spec, weights, batchFirst } = recurrentNetwork(step, (value) => values[value]?.constant, 1, precision)
  const network = createNetwork(spec, weights)
  const D = directionsOf(spec)
  const H = spec.hiddenSize
  return function* (inputs) {
    const x = inputs[0]!
    const [T, B] = batchFirst ? [x.shape[1], x.shape[0]] : [x.shape[0], x.shape[1]]
    /** ONNX's states with `layout` are (B, D, H). */
    function* state(tensor: GraphTensor | undefined): Pass<Float32Array | undefined> {
      const data = tensor?.data as Float32Array | undefined
      return data && batchFirst ? yield* swapped(data, 1, B, D, H) : data
    }
    const { output, hn, cn } = yield* network.pass({
      x: x.data as Float32Array,
      T,
      B,
      batchFirst,
      h0: yield* state(inputs[5]),
      c0: yield* state(inputs[6]),
      lengths: inputs[4] && lengthsOf(step, inputs[4], B, T),
      returnOutput: step.outputs[0] >= 0,
      into: undefined,
    })
    const made = (data: Float32Array, shape: number[]) => rounded({ type: x.type, shape, data })
    function* last(data: Float32Array): Pass<GraphTensor> {
      return batchFirst ? yield* made(yield* swapped(data, 1, D, B, H), [B, D, H]) : yield* made(data, [D, B, H])
    }
    const y = output ?? zeros(0)
    const isApart = output !== undefined && !batchFirst && D > 1
    const apart = isApart ? yield* swapped(y, T, B, D, H) : y
    const results = [yield* made(apart, batchFirst ? [B, T, D, H] : [T, D, B, H]), yield* last(hn)]
    if (cn) results[2] = yield* last(cn)
    return results
  }
}

/** (N, A, B, H) → (N, B, A, H) */
function* swapped(values: Float32Array, N: number, A: number, B: number, H: number): Pass<Float32Array> {
  const made = zeros(N * A * B * H)
  const move = (row: number, from: number, to: number) => {
    const a = row % A
    const first = (row - a) * B + a
    for (let b = from; b < to; b++) copy(made, (first + b * A) * H, values, (row * B + b) * H, H)
  }
  yield* rowByRow(N * A, B, move, H + 4)
  return made
}

function lengthsOf(step: Step, { data }: GraphTensor, B: number, T: number): Int32Array {
  const lengths = newInts(B)
  for (let b = 0; b < B; b++) {
    const length = data[b] as number
    if (!(length >= 0 && length <= T)) throw stepFailed(step.label)
    lengths[b] = length
  }
  return lengths
}
