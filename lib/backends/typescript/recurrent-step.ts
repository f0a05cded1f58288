/** A recurrent step of a plan on this backend's own network; it alone knows how ONNX lays out what a network takes and gives. */

import type { PlanValue, Step } from '../../graph/plan.ts'
import { recurrentNetwork } from '../../graph/recurrent/network.ts'
import { roundTo } from '../../graph/rounding.ts'
import { stepFailed } from '../../graph/step-error.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { newInts, zeros } from '../../intrinsics/captured.ts'
import type { Precision } from '../../spec/weight-types.ts'
import { copy } from './arrays.ts'
import { TypeScriptNetwork } from './network.ts'

/** Runs the step on its inputs. */
export type RecurrentStep = (inputs: readonly (GraphTensor | undefined)[]) => readonly GraphTensor[]

export function recurrentStep(
  step: Step,
  values: readonly (PlanValue | undefined)[],
  precision: Precision,
): RecurrentStep {
  const { spec, weights, batchFirst } = recurrentNetwork(step, (value) => values[value]?.constant, 1, precision)
  const network = new TypeScriptNetwork(spec, weights)
  const D = spec.direction === 'bidirectional' ? 2 : 1
  const H = spec.hiddenSize
  return (inputs) => {
    const x = inputs[0]!
    const [T, B] = batchFirst ? [x.shape[1], x.shape[0]] : [x.shape[0], x.shape[1]]
    /** ONNX's states with `layout` are (B, D, H). */
    const state = (tensor: GraphTensor | undefined) =>
      tensor && (batchFirst ? moved(tensor.data as Float32Array, B, D, H) : (tensor.data as Float32Array))
    const { output, hn, cn } = network.forward({
      x: x.data as Float32Array,
      T,
      B,
      batchFirst,
      h0: state(inputs[5]),
      c0: state(inputs[6]),
      lengths: inputs[4] && lengthsOf(step, inputs[4], B, T),
      returnOutput: step.outputs[0] >= 0,
      into: undefined,
    })
    const made = (data: Float32Array, shape: number[]): GraphTensor => {
      roundTo(x.type, data)
      return { type: x.type, shape, data }
    }
    const last = (data: Float32Array) => (batchFirst ? made(moved(data, D, B, H), [B, D, H]) : made(data, [D, B, H]))
    const y = output ?? zeros(0)
    const all = batchFirst ? made(y, [B, T, D, H]) : made(output ? directionsApart(y, T, B, D, H) : y, [T, D, B, H])
    return cn ? [all, last(hn), last(cn)] : [all, last(hn)]
  }
}

/** (A, B, H) → (B, A, H) */
function moved(values: Float32Array, A: number, B: number, H: number): Float32Array {
  const swapped = zeros(A * B * H)
  for (let a = 0; a < A; a++) for (let b = 0; b < B; b++) copy(swapped, (b * A + a) * H, values, (a * B + b) * H, H)
  return swapped
}

/** (T, B, D·H) → (T, D, B, H) */
function directionsApart(values: Float32Array, T: number, B: number, D: number, H: number): Float32Array {
  if (D === 1) return values
  const apart = zeros(T * D * B * H)
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      for (let d = 0; d < D; d++) copy(apart, ((t * D + d) * B + b) * H, values, ((t * B + b) * D + d) * H, H)
    }
  }
  return apart
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
