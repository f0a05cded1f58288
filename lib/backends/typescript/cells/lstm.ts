/**
 * The long short-term memory, gates i f g o (torch.nn.LSTM): c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c'). With peepholes i and f see c, and o
 * sees c' (Gers and Schmidhuber 2000, as in ONNX).
 */
import { tanh } from '../../../intrinsics/captured.ts'
import { sigmoid } from '../math.ts'
import type { Cell, Row } from './cell.ts'

function plain({ H, fromInput, fromState, c, next }: Row): void {
  for (let j = 0; j < H; j++) {
    const i = sigmoid(fromInput[j] + fromState[j])
    const f = sigmoid(fromInput[H + j] + fromState[H + j])
    const g = tanh(fromInput[2 * H + j] + fromState[2 * H + j])
    const o = sigmoid(fromInput[3 * H + j] + fromState[3 * H + j])
    c[j] = f * c[j] + i * g
    next[j] = o * tanh(c[j])
  }
}

function peephole({ H, fromInput, fromState, c, peephole: p, next }: Row): void {
  for (let j = 0; j < H; j++) {
    const i = sigmoid(fromInput[j] + fromState[j] + p[j] * c[j])
    const f = sigmoid(fromInput[H + j] + fromState[H + j] + p[H + j] * c[j])
    const g = tanh(fromInput[2 * H + j] + fromState[2 * H + j])
    c[j] = f * c[j] + i * g
    const o = sigmoid(fromInput[3 * H + j] + fromState[3 * H + j] + p[2 * H + j] * c[j])
    next[j] = o * tanh(c[j])
  }
}

export const lstm: Cell = { gates: 4, cellState: true, peepholes: false, step: plain }
export const lstmPeephole: Cell = { gates: 4, cellState: true, peepholes: true, step: peephole }
