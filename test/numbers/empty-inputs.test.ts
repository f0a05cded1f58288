/** Inputs with an axis of no values, where the result has some: every backend gives what TypeScript gives, or fails as it does. */
import { type BackendName, Model, RNNError } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { modelBackends, modelFile, weight } from '../support/model-files.ts'
import type { TestAttribute } from '../support/onnx-writer.ts'

const floats = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape })
const places = (...shape: number[]) => ({ data: new BigInt64Array(shape.reduce((a, b) => a * b, 1)), shape })
type Given = ReturnType<typeof floats> | ReturnType<typeof places>

type Case = [what: string, opType: string, x: Given, more: Given | string | undefined, Record<string, TestAttribute>?]
const cases: Case[] = [
  ['places of an axis', 'Gather', floats(0, 2), places(2)],
  ['places of elements', 'GatherElements', floats(0, 2), places(2, 2)],
  ['a convolution', 'Conv', floats(1, 1, 0), 'w', { pads: [3, 3] }],
  ['a convolution of rows', 'Conv', floats(2, 1, 0, 3), 'plane', { pads: [3, 3, 2, 2] }],
  ['a convolution of each channel', 'Conv', floats(1, 2, 0), 'channels', { group: 2, pads: [3, 3] }],
  ['a convolution whose weights come in the run', 'Conv', floats(1, 1, 0), floats(1, 1, 2), { pads: [3, 3] }],
  ['a transposed convolution', 'ConvTranspose', floats(1, 1, 0), 'w', { dilations: [3] }],
  [
    'a transposed one whose weights come in the run',
    'ConvTranspose',
    floats(1, 1, 0),
    floats(1, 1, 4),
    { dilations: [3], strides: [2] },
  ],
  ['the greatest', 'MaxPool', floats(1, 1, 0), undefined, { kernel_shape: [3], pads: [2, 2] }],
  ['the mean', 'AveragePool', floats(1, 1, 0), undefined, { kernel_shape: [3], pads: [2, 2] }],
  [
    'the mean with padding',
    'AveragePool',
    floats(1, 1, 0),
    undefined,
    { kernel_shape: [3], pads: [2, 2], count_include_pad: 1 },
  ],
  ['a product', 'MatMul', floats(2, 0), floats(0, 3)],
  ['a sum', 'Einsum', floats(2, 0), floats(0, 3), { equation: 'ij,jk->ik' }],
  ['joining', 'Concat', floats(0, 2), floats(1, 2), { axis: 0 }],
  ['the greatest of all', 'ReduceMax', floats(0, 2), undefined, { keepdims: 0 }],
]

function outcomeOf([, opType, x, more, attributes = {}]: Case, backend: BackendName) {
  const second = typeof more === 'object' ? { v: more } : undefined
  const type = second?.v.data instanceof BigInt64Array ? ('int64' as const) : undefined
  const file = modelFile({
    nodes: [
      {
        opType,
        name: 'it',
        inputs: ['x', ...(second ? ['v'] : typeof more === 'string' ? [more] : [])],
        outputs: ['y'],
        attributes,
      },
    ],
    inputs: { x: {}, ...(second && { v: { type } }) },
    outputs: { y: {} },
    weights: { w: weight(1, 1, 1, 2), plane: weight(2, 1, 1, 2, 2), channels: weight(3, 2, 1, 2) },
    opset: 18,
  })
  const model = Model.read(file, { backend })
  try {
    return model.run({ x, ...second }).y
  } catch (error) {
    if (!(error instanceof RNNError)) throw error
    return { code: error.code, message: error.message }
  } finally {
    model.dispose()
  }
}

/** A GRU over no steps, with lengths. */
function runOfNothing(backend: BackendName, lengths: readonly number[], isConstant: boolean) {
  const given = { data: Int32Array.from(lengths), shape: [lengths.length] }
  const file = modelFile({
    nodes: [{ opType: 'GRU', name: 'it', inputs: ['x', 'W', 'R', '', 'n'], outputs: ['', 'h'] }],
    inputs: { x: { shape: ['t', 2, 3] }, n: { type: 'int32', shape: [2] } },
    outputs: { h: {} },
    weights: { W: weight(1, 1, 6, 3), R: weight(2, 1, 6, 2) },
  })
  const model = Model.read(file, { backend, constants: isConstant ? { n: given } : {} })
  try {
    return model.run({ x: floats(0, 2, 3), ...(!isConstant && { n: given }) }).h.shape
  } catch (error) {
    return (error as RNNError).code
  }
}

describe.each(modelBackends)('a recurrent layer over no steps on %s', (backend) => {
  it.each([true, false])('takes no length but 0 (of constants: %s)', (isConstant) => {
    expect(runOfNothing(backend, [0, 0], isConstant)).toEqual([1, 2, 2])
    for (const lengths of [
      [0, 1],
      [65536, 0],
      [-1, 0],
    ]) {
      expect(runOfNothing(backend, lengths, isConstant)).toBe('ERR_RNN_OPTION')
    }
  })
})

describe.each(modelBackends.filter((name) => name !== 'typescript'))('on %s', (backend) => {
  it.each(cases.map((one) => [one[0], one] as const))('%s', (_, one) => {
    const expected = outcomeOf(one, 'typescript')
    expect(outcomeOf(one, backend)).toEqual(expected)
    if ('data' in expected) expect(expected.data.length).toBeGreaterThan(0)
    else expect(expected.code).toBe('ERR_RNN_OPTION')
  })
})
