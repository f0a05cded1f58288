/** Weights and inputs of a shape, the same in every run; knows PyTorch's order of them. */
import { gates } from './shapes.mjs'

/** Uniform values in ±limit from a seed (xorshift, 32 bits). */
export function uniform(count, limit, seed) {
  const values = new Float32Array(count)
  let s = seed
  for (let i = 0; i < count; i++) {
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    values[i] = (s / 2 ** 31) * limit
  }
  return values
}

/** `frames` are the inputs of successive calls: several for a stream, one for a forward pass. */
export function makeData(shape) {
  const { cell, I, H, T, B, form } = shape
  const G = gates[cell]
  const limit = 1 / Math.sqrt(H)
  const steps = form === 'stream' ? 4 : 1
  return {
    weightIh: uniform(G * H * I, limit, 11),
    weightHh: uniform(G * H * H, limit, 23),
    biasIh: uniform(G * H, limit, 37),
    biasHh: uniform(G * H, limit, 41),
    frames: Array.from({ length: steps }, (_, step) => uniform(T * B * I, 1, 101 + step)),
  }
}

/** PyTorch's names, as `loadStateDict` takes them. */
export function stateDict({ cell, I, H }, data) {
  const G = gates[cell]
  return {
    weight_ih_l0: { data: data.weightIh, shape: [G * H, I] },
    weight_hh_l0: { data: data.weightHh, shape: [G * H, H] },
    bias_ih_l0: { data: data.biasIh, shape: [G * H] },
    bias_hh_l0: { data: data.biasHh, shape: [G * H] },
  }
}

/** The gates of a (G·H, …) array in another order: `order[g]` is PyTorch's gate that stands at place g. */
export function reorderGates(values, G, order) {
  const gate = values.length / G
  const out = new Float32Array(values.length)
  order.forEach((from, to) => {
    out.set(values.subarray(from * gate, (from + 1) * gate), to * gate)
  })
  return out
}

/** (rows, columns) → (columns, rows). */
export function transposed(values, rows, columns) {
  const out = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]
  return out
}

export const sum = (a, b) => a.map((value, i) => value + b[i])

/** A flat (T, B, I) frame as nested arrays. */
export function nested(values, T, B, I) {
  const row = (t, b) => [...values.subarray((t * B + b) * I, (t * B + b + 1) * I)]
  return Array.from({ length: T }, (_, t) => Array.from({ length: B }, (_, b) => row(t, b)))
}
