/** The windows of convolutions and pools over (B, H, W, C): which of them a program has numbers for, and views of them side by side. */

import { type Axis, asPlane } from '../../graph/operators/window.ts'
import { count } from '../../graph/tensor.ts'
import type { Op } from './op.ts'
import { sliced, type View } from './views.ts'

/** The most that a window's kernel, stride, dilation or padding may be. */
const mostOfWindow = 2 ** 24

/** Windows over rows and columns, of numbers that a program may have. */
export function planeOf(op: Op, axes: readonly Axis[]): readonly [rows: Axis, columns: Axis] {
  const plane = asPlane(axes)
  for (const { kernel, stride, dilation, before, after } of plane) {
    const most = Math.max(kernel, stride, dilation, before, after)
    if (most > mostOfWindow) op.fail(`a window whose size, step or padding is ${most}; at most 2^24 is possible`)
  }
  return plane
}

/** The window without the taps, at both ends, that lie in the padding wherever it stands; and how many these are before it. */
export function trimmed(axis: Axis): { readonly axis: Axis; readonly from: number } {
  const { input, output, kernel, stride, dilation, before } = axis
  const meets = (tap: number) => {
    const first = Math.max(0, Math.ceil((before - tap * dilation) / stride))
    return first < output && first * stride + tap * dilation - before < input
  }
  let [from, end] = [0, kernel]
  while (end - from > 1 && (from + 1) * dilation <= before && !meets(from)) from++
  while (end - from > 1 && !meets(end - 1)) end--
  return { axis: { ...axis, kernel: end - from, before: before - from * dilation }, from }
}

/** An input without rows or columns is all padding: one value of it in their place. */
export function notEmpty(op: Op, x: View, padding: number): View {
  if (count(x.shape) > 0) return x
  return op.run('fill', [padding], { type: 'float32', shape: x.shape.map((size) => Math.max(1, size)) })
}

/** An input with its padding, where there is any. */
export function withPadding(op: Op, x: View, rows: Axis, columns: Axis, outside: number): View {
  const [B, H, W, C] = x.shape
  const reach = ({ output, stride, kernel, dilation }: Axis) => (output - 1) * stride + (kernel - 1) * dilation + 1
  const [h, w] = [Math.max(reach(rows), rows.before + H), Math.max(reach(columns), columns.before + W)]
  if (h === H && w === W) return x
  const padded = op.run('fill', [outside], { ...x, shape: [B, h, w, C] })
  op.emit('copy', [x], [sliced(sliced(padded, 1, rows.before, H), 2, columns.before, W)])
  return padded
}

/** All windows of a padded input side by side, (B, Ho, Wo, kh, kw, C): a view. */
export function windowsIn(op: Op, x: View, rows: Axis, columns: Axis, outside: number): View {
  const padded = withPadding(op, x, rows, columns, outside)
  const [b, down, right, c] = padded.strides
  const [B, , , C] = x.shape
  return {
    ...padded,
    shape: [B, rows.output, columns.output, rows.kernel, columns.kernel, C],
    strides: [b, down * rows.stride, right * columns.stride, down * rows.dilation, right * columns.dilation, c],
  }
}
