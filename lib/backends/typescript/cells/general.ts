/**
 * The cells whose functions are given beside them, as ONNX writes them: f of the gates, g of the candidate, h of an LSTM's cell state.
 * Each bounds what enters it, where there is a bound.
 */
import type { Cell, Row } from './cell.ts'

function elman({ H, fromInput, fromState, functions: { f }, next }: Row): void {
  for (let j = 0; j < H; j++) next[j] = f(fromInput[j] + fromState[j])
}

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

function memory(peepholes: boolean): (row: Row) => void {
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

export const rnnGeneral: Cell = { gates: 1, cellState: false, peepholes: false, step: elman }
export const gruGeneral: Cell = { gates: 3, cellState: false, peepholes: false, step: resetAfter }
export const gruResetBeforeGeneral: Cell = {
  gates: 3,
  cellState: false,
  peepholes: false,
  secondInput: reset,
  step: update,
}
export const lstmGeneral: Cell = { gates: 4, cellState: true, peepholes: false, step: memory(false) }
export const lstmPeepholeGeneral: Cell = { gates: 4, cellState: true, peepholes: true, step: memory(true) }
