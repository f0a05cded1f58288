/**
 * The long short-term memory, gates i f g o (torch.nn.LSTM): c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c'). With peepholes i and f see c, and o
 * sees c' (Gers and Schmidhuber 2000, as in ONNX).
 */
import { usual } from '../activations.ts'
import type { Cell, Row } from './cell.ts'

function step(peepholes: boolean): (row: Row) => void {
  return ({ H, fromInput, fromState, c, peephole: p, functions, next }) => {
    const { f: gate, g: candidate, h: squash, inputForget } = functions
    for (let j = 0; j < H; j++) {
      const seen = (at: number, sum: number) => (peepholes ? sum + p[at + j] * c[j] : sum)
      const i = gate(seen(0, fromInput[j] + fromState[j]))
      const f = inputForget ? 1 - i : gate(seen(H, fromInput[H + j] + fromState[H + j]))
      c[j] = f * c[j] + i * candidate(fromInput[2 * H + j] + fromState[2 * H + j])
      const o = gate(seen(2 * H, fromInput[3 * H + j] + fromState[3 * H + j]))
      next[j] = o * squash(c[j])
    }
  }
}

export const lstmGeneral: Cell = { gates: 4, cellState: true, peepholes: false, step: step(false) }
export const lstmPeepholeGeneral: Cell = { gates: 4, cellState: true, peepholes: true, step: step(true) }
export const lstm: Cell = { gates: 4, cellState: true, peepholes: false, functions: usual, step: step(false) }
export const lstmPeephole: Cell = { gates: 4, cellState: true, peepholes: true, functions: usual, step: step(true) }
