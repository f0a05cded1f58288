/** The transpose of a convolution: the products of each input, added where its window lies in the result. */

import type { Axis } from '../../graph/operators/window.ts'
import { fullPrecision } from '../../spec/weight-types.ts'
import { zipFunction } from '../protocol.ts'
import { biasOf, channelsSecond, type Layout, layoutOf, windowNumbers, withBias } from './convolutions.ts'
import type { Op } from './op.ts'
import { finished, folded, unpacked } from './products.ts'
import type { Row, Rows } from './row.ts'
import { permuted, reshaped, sliced, type View } from './views.ts'
import { digest } from './weights.ts'

const convTranspose: Row = (op) => {
  const { shape } = op.result()
  const layout = layoutOf(op, true)
  const { x, w, rows, columns, groups } = layout
  const constant = op.constant(1)
  const O = w.shape[1] * groups
  const { bias, later, epilogue } = biasOf(op, O)
  const y = op.make('float32', [x.shape[0], rows.input, columns.input, O])
  if (constant === undefined) {
    return withBias(op, channelsSecond(transposeOfRun(op, layout, y), shape.length), op.optional(2))
  }
  const [N, inputs] = [O / groups, x.shape[3] / groups]
  const taps = rows.kernel * columns.kernel
  const memories = Array.from({ length: groups }, (_, g) =>
    op.to.weights.dense(
      constant,
      `transposed ${groups} ${g} ${digest(epilogue.scale)}`,
      inputs,
      taps * N,
      () => {
        const own = op.dense(permuted(sliced(w, 0, g * inputs, inputs), [2, 3, 1, 0]))
        const scale = Float64Array.from({ length: taps * N }, (_, i) => epilogue.scale[g * N + (i % N)])
        const { weight } = folded(reshaped(own, [taps * N, inputs])!, { ...epilogue, scale, shift: scale })
        return { weight, bias: undefined }
      },
      fullPrecision,
    ),
  )
  const biases = Float32Array.from(epilogue.shift, (one, n) => one + (bias ? bias[n] * epilogue.scale[n] : 0))
  const numbers = [memories[0], groups, inputs, taps * N, ...windowNumbers(rows, columns), ...epilogue.after]
  op.emit('convTranspose', [...numbers, x, op.floats(biases, [O])], [y])
  const made = channelsSecond(y, shape.length)
  return later === undefined ? finished(op, epilogue, made) : withBias(op, made, later)
}

/** The products of each value of the kernel, added where they belong in a result that is wide enough for all; then a part of that. */
function transposeOfRun(op: Op, { x, w, rows, columns, groups }: Layout, y: View): View {
  const [B, H, W, C] = x.shape
  const reach = ({ output, stride, kernel, dilation, before, input }: Axis) =>
    Math.max((output - 1) * stride + (kernel - 1) * dilation + 1, before + input)
  const O = y.shape[3]
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
