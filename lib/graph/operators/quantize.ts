/** Operators between real numbers and integers that stand for them: (q − zero point) · scale. */

import { list } from '../../errors.ts'
import { roundHalfEven } from '../../precision/rounding.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { Call } from '../call.ts'
import { inStretches, type Pass } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { expanded } from '../strides.ts'
import { count, factsOf, type GraphData, type GraphTensor, kindOf, lengthOf, typeOfCode } from '../tensor.ts'
import { type Rows, rowOf } from './row.ts'

/** A scale or zero point for each value of `x`: of the tensor, of an axis, or of blocks along it. */
function* spread(call: Call, x: GraphTensor, parameter: GraphTensor, axis: number, block: number): Pass<GraphData> {
  const { shape } = x
  if (lengthOf(parameter) === 1) return (yield* expanded(call, call.view(parameter, []), shape)).data
  if (parameter.shape.length === 1) {
    if (parameter.shape[0] !== shape[axis]) {
      call.fail(`${parameter.shape[0]} scales or zero points of axis ${axis} of ${list(shape)}`)
    }
    const aligned = shape.map((size, i) => (i === axis ? size : 1))
    return (yield* expanded(call, call.view(parameter, aligned), shape)).data
  }
  const blocks = shape.with(axis, Math.ceil(shape[axis] / block))
  if (block < 1 || !sameShape(parameter.shape, blocks)) {
    call.fail(`scales or zero points ${list(parameter.shape)} of ${list(shape)}`)
  }
  // Each block's parameter `block` times along the axis, and the last block as far as the axis goes.
  const made = call.allocate(parameter.type, shape)
  const step = count(shape.slice(axis + 1))
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const inner = i % step
      const along = Math.floor(i / step) % shape[axis]
      const outer = Math.floor(i / step / shape[axis])
      made.data[i] = parameter.data[(outer * blocks[axis] + Math.floor(along / block)) * step + inner]
    }
  })
  return made.data
}

function* parameters(call: Call, x: GraphTensor): Pass<Parameters> {
  const [scale, zero] = [call.input(1), call.inputs[2]]
  if (kindOf(scale.type) !== 'float') call.fail(`scales must be floating-point, got ${scale.type}`)
  if (zero && lengthOf(zero) !== 1 && !sameShape(zero.shape, scale.shape)) {
    call.fail(`zero points ${list(zero.shape)} beside scales ${list(scale.shape)}`)
  }
  const isTensorWide = lengthOf(scale) === 1
  const axis = isTensorWide ? 0 : call.axisOf(1, x.shape.length)
  const block = call.integer('block_size', 0)
  const scales = (yield* spread(call, x, scale, axis, block)) as Float32Array
  const zeros = zero && ((yield* spread(call, x, zero, axis, block)) as Int32Array)
  return { type: scale.type, scales, zeros }
}

/** One of each for each value. */
interface Parameters {
  readonly type: GraphTensor['type']
  readonly scales: Float32Array
  readonly zeros: Int32Array | undefined
}

function* dequantize(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  if (kindOf(x.type) !== 'integer') call.fail(`${x.type} holds no quantized values`)
  const zero = call.inputs[2]
  if (zero && zero.type !== x.type) call.fail(`a zero point of ${zero.type} for values of ${x.type}`)
  const { type, scales, zeros } = yield* parameters(call, x)
  const made = call.allocate(type, x.shape)
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      made.data[i] = ((x.data[i] as number) - (zeros === undefined ? 0 : zeros[i])) * scales[i]
    }
  })
  return yield* rounded(made)
}

function* quantize(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  if (kindOf(x.type) !== 'float') call.fail(`${x.type} cannot be quantized`)
  const type = call.inputs[2]?.type ?? typeOfCode(call.integer('output_dtype', 0)) ?? 'uint8'
  const { kind, range } = factsOf(type)
  if (kind !== 'integer') call.fail(`${type} holds no quantized values`)
  const [least, most] = range!
  const { scales, zeros } = yield* parameters(call, x)
  const made = call.allocate(type, x.shape)
  const single = new Float32Array(1)
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      // The quotient is rounded to float32 first, as ONNX's own tools have it.
      single[0] = (x.data[i] as number) / scales[i]
      const value = roundHalfEven(single[0]) + (zeros === undefined ? 0 : zeros[i])
      made.data[i] = Math.min(Math.max(value, least), most)
    }
  })
  return made
}

export const quantization: Rows = {
  DequantizeLinear: rowOf(dequantize, 2, 3, 'axis block_size output_dtype'),
  QuantizeLinear: rowOf(quantize, 2, 3, 'axis block_size output_dtype saturate precision'),
}
