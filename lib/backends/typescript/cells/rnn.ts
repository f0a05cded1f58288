/** The Elman cell (torch.nn.RNN): h' = f(W_ih·x + b_ih + W_hh·h + b_hh). */
import { tanh } from '../../../intrinsics/captured.ts'
import type { Functions } from '../activations.ts'
import { relu } from '../math.ts'
import type { Cell, Row } from './cell.ts'

function elman({ H, fromInput, fromState, functions: { f }, next }: Row): void {
  for (let j = 0; j < H; j++) next[j] = f(fromInput[j] + fromState[j])
}

const only = (f: (x: number) => number): Functions => ({ f, g: f, h: f, inputForget: false })

export const rnnGeneral: Cell = { gates: 1, cellState: false, peepholes: false, step: elman }
export const rnnTanh: Cell = { gates: 1, cellState: false, peepholes: false, functions: only(tanh), step: elman }
export const rnnRelu: Cell = { gates: 1, cellState: false, peepholes: false, functions: only(relu), step: elman }
