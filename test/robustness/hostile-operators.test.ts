/** Attributes, axes and places that no exporter writes: every one is refused by name, or takes no more than its file pays for. */

import fc from 'fast-check'
import { RNNError } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { type GraphValue, runOperator, value } from '../support/run-graph.mjs'

const zeros = (...shape: number[]) => value(new Float32Array(shape.reduce((product, size) => product * size, 1)), shape)
const integers = (...list: (number | bigint)[]) => value(BigInt64Array.from(list, BigInt), [list.length])
const scalar = (one: number | bigint) => value(BigInt64Array.of(BigInt(one)), [])

const image = zeros(1, 2, 4, 4)
const weights = zeros(2, 2, 2, 2)
const huge = 2n ** 62n

type Case = [
  words: string,
  opType: string,
  inputs: GraphValue[],
  attributes?: Record<string, unknown>,
  version?: number,
]

describe('an operator refuses', () => {
  it.each<Case>([
    ['kernel_shape must be 2 integers', 'MaxPool', [image], { kernel_shape: [huge, 1] }],
    ['a window over 2147483647 of 4 values', 'MaxPool', [image], { kernel_shape: [2 ** 31 - 1, 1] }],
    ['kernel_shape must be 2 integers of at least 1', 'AveragePool', [image], { kernel_shape: [0, 1] }],
    ['kernel_shape is missing', 'AveragePool', [image], {}],
    ['strides must be 2 integers of at least 1', 'MaxPool', [image], { kernel_shape: [1, 1], strides: [0, 1] }],
    ['dilations must be 2 integers of at least 1', 'MaxPool', [image], { kernel_shape: [2, 2], dilations: [0, -1] }],
    ['pads must be 4 integers of at least 0', 'MaxPool', [image], { kernel_shape: [2, 2], pads: [-1, 0, 0, 0] }],
    ['pads as large as the window', 'MaxPool', [image], { kernel_shape: [2, 2], pads: [2 ** 30, 0, 0, 0] }],
    ['auto_pad SAME is not supported', 'MaxPool', [image], { kernel_shape: [2, 2], auto_pad: 'SAME' }],
    ['3 axes of space', 'MaxPool', [zeros(1, 1, 1, 1, 1)], { kernel_shape: [1, 1, 1] }],
    ['2^31 values or more', 'Conv', [image, weights], { pads: [2 ** 30, 2 ** 30, 0, 0] }],
    ['far more work', 'Conv', [zeros(1, 1, 100, 100), zeros(1, 1, 100, 100)], { pads: [99, 99, 99, 99] }],
    ['far more work', 'MaxPool', [zeros(1, 1, 200, 200)], { kernel_shape: [200, 200], auto_pad: 'SAME_UPPER' }],
    ['far more work', 'MatMul', [zeros(64, 1, 64, 64), zeros(64, 64, 64)]],
    ['3 groups of 2 channels', 'Conv', [image, weights], { group: 3 }],
    ['0 groups', 'Conv', [image, weights], { group: 0 }],
    ['kernel_shape [3, 3] for weights of [2, 2]', 'Conv', [image, weights], { kernel_shape: [3, 3] }],
    ['weights without values', 'Conv', [image, zeros(2, 2, 0, 2)]],
    ['2 channels in 1 groups for weights', 'Conv', [image, zeros(2, 3, 2, 2)]],
    ['a bias [3] of 2 outputs', 'Conv', [image, weights, zeros(3)]],
    ['a window over', 'Conv', [image, weights], { dilations: [2 ** 30, 1] }],
    ['2^31 values or more', 'ConvTranspose', [image, weights], { output_shape: [2 ** 30, 2 ** 30] }],
    [
      '2^31 values or more',
      'ConvTranspose',
      [image, weights],
      { strides: [2 ** 31 - 1, 2 ** 31 - 1], dilations: [2 ** 31 - 1, 1] },
      17,
    ],
    ['pads that leave', 'ConvTranspose', [image, weights], { pads: [100, 0, 100, 0] }],
    ['axis 5 of a tensor of rank 4', 'Softmax', [image], { axis: 5 }],
    ['axis -5 of a tensor of rank 4', 'LayerNormalization', [image, zeros(4)], { axis: -5 }],
    ['a scale or bias [3]', 'LayerNormalization', [image, zeros(3)]],
    ['3 groups of 2 channels', 'GroupNormalization', [image, zeros(2), zeros(2)], { num_groups: 3 }, 21],
    ['input 1 must have the shape (2)', 'InstanceNormalization', [image, zeros(3), zeros(2)]],
    ['input 4 must have the shape (2)', 'BatchNormalization', [image, zeros(2), zeros(2), zeros(2), zeros(1)]],
    ['the first 5 of 4 values', 'TopK', [image, integers(5)]],
    ['the first -1 of 4 values', 'TopK', [image, integers(-1)]],
    ['k must be one value', 'TopK', [image, integers(1, 2)]],
    ['2^31 values or more', 'OneHot', [integers(1), scalar(2 ** 40), zeros(2)]],
    ['is not one', 'OneHot', [integers(1), scalar(-1), zeros(2)]],
    ['place 4 on axis 3', 'GatherElements', [image, value(BigInt64Array.of(4n), [1, 1, 1, 1])], { axis: 3 }],
    [
      'places [1, 3, 1, 1] in [1, 2, 4, 4]',
      'GatherElements',
      [image, value(new BigInt64Array(3), [1, 3, 1, 1])],
      { axis: 3 },
    ],
    ['axis 4', 'CumSum', [image, scalar(4)]],
    ['the place of a value among none', 'ArgMax', [zeros(2, 0)], { axis: 1 }],
    ['2^31 values or more', 'Pad', [zeros(1, 1), integers(2 ** 20, 2 ** 20, 0, 0)]],
    ['is not one', 'Pad', [zeros(1, 1), integers(-2, 0, 0, 0)]],
    ['pads 2 and 0 of 2 values in mode reflect', 'Pad', [zeros(2), integers(2, 0)], { mode: 'reflect' }],
    ['in mode edge', 'Pad', [zeros(0), integers(2, 0)], { mode: 'edge' }],
    ['mode toString is not supported', 'Pad', [zeros(2), integers(2, 0)], { mode: 'toString' }],
    ['an axis comes twice', 'Pad', [zeros(2, 2), integers(1, 1, 1, 1), zeros(), integers(0, -2)], {}, 18],
    ['sizes 2 and 3 of j', 'Einsum', [zeros(2, 2), zeros(3, 2)], { equation: 'ij,jk->ik' }],
    ['of an operand of rank 2', 'Einsum', [zeros(2, 2)], { equation: 'ijk->i' }],
    ['of 1 operands', 'Einsum', [zeros(2, 2)], { equation: 'ij,ij->i' }],
    ['the result of', 'Einsum', [zeros(2, 2)], { equation: 'ij->ii' }],
    ['the result of', 'Einsum', [zeros(2, 2)], { equation: 'ij->x' }],
    ['is no term', 'Einsum', [zeros(2, 2)], { equation: 'i0->i' }],
    ['3 operands are not supported', 'Einsum', [zeros(2), zeros(2), zeros(2)], { equation: 'i,i,i->i' }],
    ['far more work', 'Einsum', [zeros(10000), zeros(10000)], { equation: 'i,j->' }],
    ['[2, 3] times [2, 3]', 'Gemm', [zeros(2, 3), zeros(2, 3)]],
    ['C [4] of [2, 2]', 'Gemm', [zeros(2, 3), zeros(3, 2), zeros(4)]],
    ['num_outputs is not 1', 'Split', [zeros(4)], { num_outputs: 2 }, 18],
    [
      'zero points [2] beside scales [1]',
      'DequantizeLinear',
      [value(new Uint8Array(2), [2]), zeros(1), value(new Uint8Array(2), [2])],
    ],
    ['uint64 holds no quantized values', 'QuantizeLinear', [zeros(2), zeros(1), value(BigUint64Array.of(0n), [1])]],
    ['int64 is not supported', 'Dropout', [integers(1)], {}, 7],
    ['fmod 1', 'Mod', [zeros(2), zeros(2)]],
    ['an integer is divided by 0', 'Mod', [integers(2), integers(0)]],
    ['approximate exact is not supported', 'Gelu', [zeros(2)], { approximate: 'exact' }],
    ['int64 is not supported', 'Softplus', [integers(1)]],
    ['int64 where bool belongs', 'And', [integers(1), integers(1)]],
    ['axis 4 of a tensor of rank 4', 'ReduceSumSquare', [image], { axes: [4] }],
    ['the attribute alpha must be a number', 'Elu', [zeros(2)], { alpha: 'one' }],
  ])('%s: %s', (words, opType, inputs, attributes = {}, version = 17) => {
    expectError(() => runOperator(opType, inputs, attributes, { version }), 'ERR_RNN_MODEL_FILE', words)
  })
})

const operators =
  `Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast CastLike Ceil Clip Concat Constant ConstantOfShape Conv
ConvTranspose Cos CumSum DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor FusedMatMul Gather GatherElements Gelu
Gemm GlobalAveragePool GlobalMaxPool Greater GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LayerNormalization
LeakyRelu Less Log LogSoftmax MatMul Max MaxPool Mean Min Mod Mul Neg Not OneHot Or PRelu Pad Pow QuantizeLinear Range Reciprocal ReduceL1
ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Selu Shape
Sigmoid Sign Sin Size SkipLayerNormalization Slice Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze
Where Xor`.split(/\s+/)

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
}

const small = fc.integer({ min: -3, max: 5 })
const wild = fc.oneof(
  { weight: 6, arbitrary: small },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 2 ** 40, 2 ** 53, -(2 ** 62), 1000, 70_000) },
)

const anyValue = fc
  .tuple(
    fc.constantFrom<keyof typeof arrays | 'int64' | 'uint64' | 'bool' | 'float16'>(
      'float32',
      'float32',
      'float32',
      'int64',
      'int64',
      'bool',
      'float16',
      'float64',
      'uint64',
      'int32',
      'int8',
      'uint8',
    ),
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    fc.infiniteStream(wild),
  )
  .map(([type, dims, values]): GraphValue => {
    const list = [...values.take(dims.reduce((product, size) => product * size, 1))]
    if (type === 'bool')
      return value(
        Uint8Array.from(list, (one) => one & 1),
        dims,
        'bool',
      )
    if (type === 'float16') return value(Uint16Array.from(list), dims, 'float16')
    if (type === 'int64') return value(BigInt64Array.from(list, BigInt), dims)
    if (type === 'uint64') return value(BigUint64Array.from(list, BigInt), dims)
    return value((arrays[type] as typeof Float32Array).from(list), dims)
  })

const texts = [
  'reflect',
  'edge',
  'SAME_UPPER',
  'SAME_LOWER',
  'VALID',
  'tanh',
  'ij,jk',
  'i...->...',
  'ii->i',
  'a,b->ab',
  'ab->ba',
  '',
]
const lists = [
  'axes',
  'pads',
  'kernel_shape',
  'strides',
  'dilations',
  'output_shape',
  'output_padding',
  'perm',
  'split',
  'starts',
  'ends',
  'shape',
]
const flags = [
  'keepdims',
  'fmod',
  'ceil_mode',
  'count_include_pad',
  'exclusive',
  'reverse',
  'transA',
  'transB',
  'largest',
  'select_last_index',
  'storage_order',
  'noop_with_empty_axes',
  'allowzero',
]
const anyAttributes = fc.record(
  {
    ...Object.fromEntries(lists.map((name) => [name, fc.array(wild, { minLength: 1, maxLength: 4 })])),
    ...Object.fromEntries(flags.map((name) => [name, fc.integer({ min: 0, max: 1 })])),
    ...Object.fromEntries(
      ['axis', 'group', 'num_groups', 'k', 'to', 'start', 'end', 'block_size', 'num_outputs', 'value_int'].map(
        (name) => [name, wild],
      ),
    ),
    ...Object.fromEntries(
      ['mode', 'auto_pad', 'equation', 'approximate'].map((name) => [name, fc.constantFrom(...texts)]),
    ),
    ...Object.fromEntries(
      ['alpha', 'beta', 'epsilon', 'value'].map((name) => [
        name,
        fc.record({ float: fc.constantFrom(0, -1, Infinity, 0.5) }),
      ]),
    ),
  },
  { requiredKeys: [] },
)

/** A few attributes at a time: each that is wrong ends a call. */
const someAttributes = fc
  .tuple(anyAttributes, fc.array(fc.nat(30), { maxLength: 5 }))
  .map(([all, chosen]) => Object.fromEntries(Object.entries(all).filter((_, i) => chosen.includes(i))))

it('gives values or an error of its own for any inputs and attributes', () => {
  const versions = fc.integer({ min: 7, max: 23 })
  const types = fc.constantFrom(['float32'], ['int64'], ['bool'], ['float32', 'int64'])
  const runs = Number(process.env.MODEL_FILE_RUNS ?? 4000)
  const asked = fc.tuple(
    fc.constantFrom(...operators),
    fc.array(anyValue, { maxLength: 4 }),
    someAttributes,
    versions,
    types,
  )
  fc.assert(
    fc.property(asked, ([opType, inputs, attributes, version, types]) => {
      const domain = opType === 'FusedMatMul' || opType.startsWith('Skip') ? 'com.microsoft' : ''
      try {
        runOperator(opType, inputs, attributes, { version, types, domain })
      } catch (error) {
        if (!(error instanceof RNNError)) throw error
        expect(error.code).toBe('ERR_RNN_MODEL_FILE')
      }
    }),
    { numRuns: runs },
  )
})
