/** Weights and activations of int8 as the documentation defines them, in plain loops: what every backend is held against. */
import type { Tensor } from 'native-rnn'

const { fround, abs, max, min, floor } = Math

/** The nearest integer, ties to the even one. */
function nearestEven(x: number): number {
  const below = floor(x)
  if (x - below !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** A vector as integers and their scale. */
export function quantize(values: ArrayLike<number>): { scale: number; q: number[] } {
  const list = Array.from(values, fround)
  const scale = list.every(Number.isFinite) ? fround(list.reduce((most, x) => max(most, abs(x)), 0) / 127) : Number.NaN
  return {
    scale,
    q: list.map((x) => (scale === 0 ? 0 : max(-127, min(127, nearestEven(fround(x / scale)))))),
  }
}

const known = new WeakMap<Tensor, { scale: number; q: number[] }[]>()

/** The rows of a matrix as integers and their scales; made once. */
function rowsOf(weight: Tensor): { scale: number; q: number[] }[] {
  const [rows, K] = weight.shape
  const made =
    known.get(weight) ?? Array.from({ length: rows }, (_, r) => quantize(weight.data.subarray(r * K, (r + 1) * K)))
  known.set(weight, made)
  return made
}

/** A matrix times a vector: s_r · Σ q·a, or (s_r · s) · Σ q·q where activations are int8, whose sums double precision holds exactly. */
export function product(weight: Tensor, a: ArrayLike<number>, activations: 'f32' | 'int8'): number[] {
  const v = activations === 'int8' ? quantize(a) : { scale: 1, q: Array.from(a) }
  if (Number.isNaN(v.scale)) return Array.from({ length: weight.shape[0] }, () => Number.NaN)
  return rowsOf(weight).map(({ scale, q }) => {
    let sum = 0
    for (let k = 0; k < q.length; k++) sum += q[k] * v.q[k]
    return fround(scale * v.scale) * sum
  })
}

type Dict = Readonly<Record<string, Tensor>>
type Activations = 'f32' | 'int8'
const { tanh } = Math
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const plus = (a: readonly number[], b?: Tensor) => a.map((x, i) => x + (b?.data[i] ?? 0))

/** One step of one layer, forward. `dict` has the weights before they are rounded. */
export type Step = (
  dict: Dict,
  x: ArrayLike<number>,
  h: ArrayLike<number>,
  c: ArrayLike<number>,
  a: Activations,
) => { h: number[]; c: number[] }

function sums(dict: Dict, x: ArrayLike<number>, h: ArrayLike<number>, activations: Activations) {
  return {
    fromInput: plus(product(dict.weight_ih_l0, x, activations), dict.bias_ih_l0),
    fromState: plus(product(dict.weight_hh_l0, h, activations), dict.bias_hh_l0),
  }
}

export const rnn: Step = (dict, x, h, _, a) => {
  const { fromInput, fromState } = sums(dict, x, h, a)
  return { h: fromInput.map((sum, j) => tanh(sum + fromState[j])), c: [] }
}

export const gru: Step = (dict, x, h, _, a) => {
  const H = h.length
  const { fromInput: i, fromState: s } = sums(dict, x, h, a)
  const next = Array.from(h, (old, j) => {
    const r = sigmoid(i[j] + s[j])
    const z = sigmoid(i[H + j] + s[H + j])
    return (1 - z) * tanh(i[2 * H + j] + r * s[2 * H + j]) + z * old
  })
  return { h: next, c: [] }
}

export const gruResetBefore: Step = (dict, x, h, _, a) => {
  const H = h.length
  const { fromInput: i, fromState: s } = sums(dict, x, h, a)
  const reset = Array.from(h, (old, j) => sigmoid(i[j] + s[j]) * old)
  const candidate = plus(product(dict.weight_hh_l0, reset, a), dict.bias_hh_l0)
  const next = Array.from(h, (old, j) => {
    const z = sigmoid(i[H + j] + s[H + j])
    return (1 - z) * tanh(i[2 * H + j] + candidate[2 * H + j]) + z * old
  })
  return { h: next, c: [] }
}

export const lstm: Step = (dict, x, h, c, a) => {
  const H = c.length
  const { fromInput: i, fromState: s } = sums(dict, x, h, a)
  const gate = (g: number, j: number) => i[g * H + j] + s[g * H + j]
  const peephole = (name: string, j: number) => dict[`weight_c${name}_l0`]?.data[j] ?? 0
  const cell = Array.from(c, (old, j) => {
    const input = sigmoid(gate(0, j) + peephole('i', j) * old)
    const forget = sigmoid(gate(1, j) + peephole('f', j) * old)
    return forget * old + input * tanh(gate(2, j))
  })
  const full = cell.map((value, j) => sigmoid(gate(3, j) + peephole('o', j) * value) * tanh(value))
  return { h: dict.weight_hr_l0 ? product(dict.weight_hr_l0, full, a) : full, c: cell }
}
