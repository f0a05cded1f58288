/** The Elman cell, with tanh or relu (torch.nn.RNN): h' = f(W_ih·x + b_ih + W_hh·h + b_hh). */
import { tanh } from '../../../intrinsics/captured.ts'
import { relu } from '../math.ts'
import type { Cell, Row } from './cell.ts'

function elman(activation: (x: number) => number): (row: Row) => void {
  return ({ H, fromInput, fromState, next }) => {
    for (let j = 0; j < H; j++) next[j] = activation(fromInput[j] + fromState[j])
  }
}

export const rnnTanh: Cell = { gates: 1, cellState: false, peepholes: false, step: elman(tanh) }
export const rnnRelu: Cell = { gates: 1, cellState: false, peepholes: false, step: elman(relu) }
