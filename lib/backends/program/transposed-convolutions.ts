/** The transpose of a convolution: the products of each input, added where its window lies in the result. */

import type { Axis } from '../../graph/operators/window.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { fullPrecision } from '../../spec/weight-types.ts'
import { zipFunction } from '../protocol.ts'
import { afterSums, ended, type Layout, layoutOf, windowNumbers } from './convolutions.ts'
import type { Epilogue } from './fuse.ts'
import type { Op } from './op.ts'
import { folded, unpacked } from './products.ts'
import type { Row, Rows } from './row.ts'
import { permuted, reshaped, sliced, type View } from './views.ts'
import { digest } from './weights.ts'

const convTranspose: Row = (op) => {
  const layout = layoutOf(op, true)
  const constant = op.constant(1)
  const O = layout.w.shape[1] * layout.groups
  const epilogue = afterSums(op, O)
  const y = constant ? transposeOfConstant(op, layout, constant, O, epilogue) : transposeOfRun(op, layout, O)
  return ended(op, y, epilogue)
}

/** A packed matrix for each group, of all values of the kernel. */
function transposeOfConstant(
  op: Op,
  { x, w, rows, columns, groups }: Layout,
  constant: GraphTensor,
  O: number,
  { scale, shift, after }: Epilogue,
): View {
  const [N, inputs] = [O / groups, x.shape[3] / groups]
  const taps = rows.kernel * columns.kernel
  const memories = Array.from({ length: groups }, (_, g) =>
    op.to.weights.dense(
      constant,
      `transposed ${groups} ${g} ${digest(scale)}`,
      inputs,
      taps * N,
      () => {
        const own = op.reshape(permuted(sliced(w, 0, g * inputs, inputs), [2, 3, 1, 0]), [taps * N, inputs])
        const factors = Float64Array.from({ length: taps * N }, (_, i) => scale[g * N + (i % N)])
        return { weight: folded(own, { scale: factors, shift: factors }).weight, bias: undefined }
      },
      0,
      fullPrecision,
    ),
  )
  const numbers = [memories[0], groups, inputs, taps * N, ...windowNumbers(rows, columns), ...after]
  const biases = op.floats(Float32Array.from(shift), [O])
  return op.run('convTranspose', [...numbers, x, biases], {
    type: 'float32',
    shape: [x.shape[0], rows.input, columns.input, O],
  })
}

/** The products of each value of the kernel, added where they belong in a result that is wide enough for all; then a part of that. */
function transposeOfRun(op: Op, { x, w, rows, columns, groups }: Layout, O: number): View {
  const [B, H, W, C] = x.shape
  const reach = ({ output, stride, kernel, dilation, before, input }: Axis) =>
    Math.max((output - 1) * stride + (kernel - 1) * dilation + 1, before + input)
  const [N, inputs, taps] = [O / groups, C / groups, rows.kernel * columns.kernel]
  const sums = op.run('fill', [0], { type: 'float32', shape: [B, reach(rows), reach(columns), O] })
  for (let g = 0; g < groups; g++) {
    const a = op.reshape(sliced(x, 3, g * inputs, inputs), [B * H * W, inputs])
    const b = op.reshape(permuted(sliced(w, 0, g * inputs, inputs), [0, 2, 3, 1]), [inputs, taps * N])
    const terms = op.reshape(unpacked(op, a, b, 1), [B, H, W, taps, N])
    for (let tap = 0; tap < taps; tap++) {
      const [i, k] = [Math.floor(tap / columns.kernel), tap % columns.kernel]
      const across = sliced(sums, 1, i * rows.dilation, H, rows.stride)
      const target = sliced(sliced(across, 2, k * columns.dilation, W, columns.stride), 3, g * N, N)
      const term = reshaped(sliced(terms, 3, tap, 1), [B, H, W, N])!
      op.emit('zip', [zipFunction.add, target, term], [target])
    }
  }
  return sliced(sliced(sums, 1, rows.before, rows.input), 2, columns.before, columns.input)
}

export const transposedConvolutions: Rows = { ConvTranspose: convTranspose }
