/**
 * The gated recurrent unit, gates r z n; h' = (1 − z) ⊙ n + z ⊙ h. The reset gate acts on the product (torch.nn.GRU, cuDNN) or on the
 * state before it (Cho et al. 2014, ONNX with linear_before_reset = 0).
 */
import { usual } from '../activations.ts'
import type { Cell, Row } from './cell.ts'

function resetAfter({ H, fromInput, fromState, h, functions: { f, g }, next }: Row): void {
  for (let j = 0; j < H; j++) {
    const r = f(fromInput[j] + fromState[j])
    const z = f(fromInput[H + j] + fromState[H + j])
    const n = g(fromInput[2 * H + j] + r * fromState[2 * H + j])
    next[j] = (1 - z) * n + z * h[j]
  }
}

function reset({ H, fromInput, fromState, h, functions: { f }, secondInput }: Row): void {
  for (let j = 0; j < H; j++) secondInput[j] = f(fromInput[j] + fromState[j]) * h[j]
}

function update({ H, fromInput, fromState, h, functions: { f, g }, next }: Row): void {
  for (let j = 0; j < H; j++) {
    const z = f(fromInput[H + j] + fromState[H + j])
    const n = g(fromInput[2 * H + j] + fromState[2 * H + j])
    next[j] = (1 - z) * n + z * h[j]
  }
}

export const gruGeneral: Cell = { gates: 3, cellState: false, peepholes: false, step: resetAfter }
export const gruResetBeforeGeneral: Cell = {
  gates: 3,
  cellState: false,
  peepholes: false,
  secondInput: reset,
  step: update,
}
export const gru: Cell = { gates: 3, cellState: false, peepholes: false, functions: usual, step: resetAfter }
export const gruResetBefore: Cell = {
  gates: 3,
  cellState: false,
  peepholes: false,
  secondInput: reset,
  functions: usual,
  step: update,
}
