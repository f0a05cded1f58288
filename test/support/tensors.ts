/** Tensors for tests: values in no pattern, rows picked out, axes swapped. */
import { Tensor } from 'native-rnn'

/** Values in no pattern, the same each time. */
export function ramp(...shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1)
  return new Tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + 0.3)),
    shape,
  )
}

/** The tensor with two axes swapped. */
export function swapped({ data, shape }: Tensor): Tensor {
  const [A, B, C] = shape
  const moved = new Float32Array(data.length)
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) moved.set(data.subarray((a * B + b) * C, (a * B + b + 1) * C), (b * A + a) * C)
  }
  return new Tensor(moved, [B, A, C])
}

/** Row b of the middle axis, (A, 1, C). */
export function row({ data, shape }: Tensor, b: number, from = 0, to = shape[0]): Tensor {
  const [, B, C] = shape
  const picked = new Float32Array((to - from) * C)
  for (let a = from; a < to; a++) picked.set(data.subarray((a * B + b) * C, (a * B + b + 1) * C), (a - from) * C)
  return new Tensor(picked, [to - from, 1, C])
}
