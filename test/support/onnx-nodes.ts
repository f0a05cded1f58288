/** What tests of ONNX nodes share: values for weights and inputs, and the gates of each operator. */

export const gates = { RNN: 1, GRU: 3, LSTM: 4 }
export type OpType = keyof typeof gates

/** Values in ±0.8 that differ from each other, so that no two gates, units or directions can be swapped unseen. */
export function values(seed: number, ...shape: number[]) {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.8 * Math.sin(seed + 1.7 * i))
  return { shape, data }
}
