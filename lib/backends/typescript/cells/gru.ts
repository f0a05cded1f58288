/**
 * The gated recurrent unit, gates r z n; h' = (1 − z) ⊙ n + z ⊙ h. The reset gate acts on the product (torch.nn.GRU, cuDNN) or on the
 * state before it (Cho et al. 2014, ONNX with linear_before_reset = 0).
 */
import { tanh } from '../../../intrinsics/captured.ts'
import { sigmoid } from '../math.ts'
import type { Cell, Row } from './cell.ts'

function resetAfter({ H, fromInput, fromState, h, next }: Row): void {
  for (let j = 0; j < H; j++) {
    const r = sigmoid(fromInput[j] + fromState[j])
    const z = sigmoid(fromInput[H + j] + fromState[H + j])
    const n = tanh(fromInput[2 * H + j] + r * fromState[2 * H + j])
    next[j] = (1 - z) * n + z * h[j]
  }
}

function reset({ H, fromInput, fromState, h, secondInput }: Row): void {
  for (let j = 0; j < H; j++) secondInput[j] = sigmoid(fromInput[j] + fromState[j]) * h[j]
}

function update({ H, fromInput, fromState, h, next }: Row): void {
  for (let j = 0; j < H; j++) {
    const z = sigmoid(fromInput[H + j] + fromState[H + j])
    const n = tanh(fromInput[2 * H + j] + fromState[2 * H + j])
    next[j] = (1 - z) * n + z * h[j]
  }
}

export const gru: Cell = { gates: 3, cellState: false, peepholes: false, step: resetAfter }
export const gruResetBefore: Cell = { gates: 3, cellState: false, peepholes: false, secondInput: reset, step: update }
