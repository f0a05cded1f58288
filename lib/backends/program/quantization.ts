/** Operators between real numbers and integers that stand for them. */

import type { Op } from './op.ts'
import type { Row, Rows } from './row.ts'
import { reshaped, sliced, spread, type View } from './views.ts'

/** A scale or zero point for each value: of the tensor, of an axis, or of blocks along it. */
function parameter(op: Op, given: View, shape: readonly number[]): View {
  const { call } = op
  if (given.shape.every((size) => size === 1)) return spread(op.reshape(given, []), shape)
  const axis = call.axisOf(1, shape.length)
  if (given.shape.length === 1)
    return spread(
      op.reshape(
        given,
        [...shape.slice(axis).keys()].map((i) => (i ? 1 : shape[axis])),
      ),
      shape,
    )
  const block = call.integer('block_size', 0)
  const blocks = [...given.shape.slice(0, axis + 1), 1, ...given.shape.slice(axis + 1)]
  const repeated = spread(reshaped(given, blocks)!, blocks.with(axis + 1, block))
  const whole = op.reshape(repeated, shape.with(axis, given.shape[axis] * block))
  return sliced(whole, axis, 0, shape[axis])
}

const dequantize: Row = (op) => {
  const { shape } = op.result()
  const zero = op.optional(2)
  const x = op.cast(op.view(0), 'float32')
  const centred = zero ? op.zip('sub', x, parameter(op, op.cast(zero, 'float32'), shape)) : x
  return op.zip('mul', centred, parameter(op, op.view(1), shape))
}

const ranges: Readonly<Record<string, readonly [number, number]>> = { uint8: [0, 255], int8: [-128, 127] }

const quantize: Row = (op) => {
  const { shape, type } = op.result()
  const [least, most] = ranges[type] ?? op.fail(`${type} as quantized values is not supported`)
  const zero = op.optional(2)
  const divided = op.zip('div', op.view(0), parameter(op, op.view(1), shape))
  const rounded = op.map('round', divided)
  const moved = zero ? op.zip('add', rounded, parameter(op, op.cast(zero, 'float32'), shape)) : rounded
  return op.cast(op.map('clip', moved, least, most), type)
}

export const quantization: Rows = { DequantizeLinear: dequantize, QuantizeLinear: quantize }
