/** Convolution by its windows laid side by side, for short rows of them. */

import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass } from '../pace.ts'
import { rounded } from '../rounding.ts'
import type { GraphTensor } from '../tensor.ts'
import type { Layout } from './convolve-layout.ts'
import { type Axis, asPlane, endOfWindows, firstWindow } from './window.ts'

/**
 * The same sums in the same order, for short rows: what each window sees is laid side by side, as each output's weights are, and four
 * outputs are summed at once, so that no addition waits for the one before it.
 */
export function* convByWindows(
  call: Call,
  layout: Layout,
  made: GraphTensor,
  axes: readonly Axis[],
): Pass<GraphTensor> {
  const { x, w, bias, groups, inputs, outputs } = layout
  const plane = asPlane(axes)
  const to = plane[0].output * plane[1].output
  const K = inputs * plane[0].kernel * plane[1].kernel
  call.spend((made.data.length + x.shape[0] * groups * to) * K)
  const windows = call.scratch(to * K)
  const [weights, data] = [w.data as Float32Array, made.data as Float32Array]
  const pace = new Pace()
  const first = (o: number) => (bias === undefined ? 0 : bias[o])
  for (let ng = 0; ng < x.shape[0] * groups; ng++) {
    yield* layWindows(x.data as Float32Array, ng * inputs * plane[0].input * plane[1].input, inputs, plane, windows)
    const g = ng % groups
    for (let o = g * outputs, end = o + outputs, row = ng * outputs * to; o < end; ) {
      const [w0, w1, w2, w3] = [o * K, (o + 1) * K, (o + 2) * K, (o + 3) * K]
      const wide = o + 4 <= end ? 4 : 1
      for (let p = 0; p < to; p++) {
        let [a, b, c, d] = wide === 4 ? [first(o), first(o + 1), first(o + 2), first(o + 3)] : [first(o), 0, 0, 0]
        const at = p * K
        if (wide === 1) for (let k = 0; k < K; k++) a += weights[w0 + k] * windows[at + k]
        else {
          for (let k = 0; k < K; k++) {
            const value = windows[at + k]
            a += weights[w0 + k] * value
            b += weights[w1 + k] * value
            c += weights[w2 + k] * value
            d += weights[w3 + k] * value
          }
          data[row + to + p] = b
          data[row + 2 * to + p] = c
          data[row + 3 * to + p] = d
        }
        data[row + p] = a
        if (pace.isOver(wide * (K + 2))) yield
      }
      o += wide
      row += wide * to
    }
  }
  return yield* rounded(made)
}

/** (window, channel, value of the kernel); 0 beyond the edges. */
function* layWindows(
  x: Float32Array,
  start: number,
  inputs: number,
  [rows, columns]: readonly [Axis, Axis],
  windows: Float64Array,
): Pass<void> {
  const taps = rows.kernel * columns.kernel
  const K = inputs * taps
  yield* inStretches(windows.length, (from, to) => windows.fill(0, from, to))
  const pace = new Pace()
  for (let i = 0; i < inputs; i++) {
    const at = start + i * rows.input * columns.input
    for (let tap = 0; tap < taps; tap++) {
      const column = tap % columns.kernel
      const row = (tap - column) / columns.kernel
      const [first, end] = [firstWindow(columns, column), endOfWindows(columns, column)]
      for (let r = firstWindow(rows, row), last = endOfWindows(rows, row); r < last; r++) {
        const y = r * rows.stride + row * rows.dilation - rows.before
        const from = at + y * columns.input + column * columns.dilation - columns.before
        const to = r * columns.output * K + i * taps + tap
        for (let c = first; c < end; c++) windows[to + c * K] = x[from + c * columns.stride]
      }
      if (pace.isOver(rows.output * (columns.output + 4))) yield
    }
  }
}
