/** What a whole model refuses, when it is read or when sizes come: node, operator and opset, or the input, by name. */
import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { type Declared, modelBackends, modelFile, weight } from '../support/model-files.ts'
import { graphInput, graphOutput, initializer, type TestAttribute, type TestNode } from '../support/onnx-writer.ts'

const read = (file: Uint8Array) => Model.read(file, { backend: 'typescript' })

/** A model of one node that makes `y` of `x`, and of weights. */
function single(
  opType: string,
  attributes: Record<string, TestAttribute> = {},
  more: Partial<Parameters<typeof modelFile>[0]> & { with?: string[]; domain?: string; x?: Declared } = {},
) {
  const node: TestNode = {
    opType,
    name: 'it',
    domain: more.domain,
    inputs: ['x', ...(more.with ?? [])],
    outputs: ['y'],
    attributes,
  }
  return modelFile({ nodes: [node], inputs: { x: more.x ?? { shape: [1, 2, 8] } }, outputs: { y: {} }, ...more })
}

type Refused = [what: string, words: string, file: () => Uint8Array]

describe('when a model is read, it refuses', () => {
  const lstm = { W: weight(1, 1, 8, 8), R: weight(2, 1, 8, 2) }
  it.each<Refused>([
    ['Loop', 'node 0 "it" (Loop): the operator "Loop", opset 17, is not supported', () => single('Loop')],
    [
      'Scan',
      'node 0 "it" (Scan): the operator "Scan", opset 21, is not supported',
      () => single('Scan', {}, { opset: 21 }),
    ],
    [
      'an operator of a domain that it does not know',
      'the operator "Rotary" of the domain "com.example", opset 1, is not supported',
      () => single('Rotary', {}, { domain: 'com.example' }),
    ],
    [
      'an LSTM with attention',
      'the operator "AttnLSTM" of the domain "com.microsoft", opset 1, is not supported',
      () => single('AttnLSTM', {}, { domain: 'com.microsoft' }),
    ],
    [
      'an attribute that the operator does not have',
      'node 0 "it" (Softmax): the attribute "temperature" of "Softmax", opset 17, is not supported',
      () => single('Softmax', { temperature: { float: 2 } }),
    ],
    [
      'an attribute of a value that there is not',
      'node 0 "it" (Gelu), opset 20: approximate fast is not supported',
      () => single('Gelu', { approximate: 'fast' }, { opset: 20 }),
    ],
    [
      'training',
      'node 0 "it" (BatchNormalization), opset 17: training_mode is not supported',
      () => {
        const one = weight(1, 2)
        return single(
          'BatchNormalization',
          { training_mode: 1 },
          { with: ['a', 'b', 'c', 'd'], weights: { a: one, b: one, c: one, d: one } },
        )
      },
    ],
    [
      'a type that the operator does not take',
      'node 0 "it" (Sigmoid), opset 17: input 0 of type int64 is not supported',
      () => single('Sigmoid', {}, { x: { type: 'int64', shape: ['n'] } }),
    ],
    [
      'an attribute of a recurrent node',
      'node 0 "it" (LSTM): The attribute zoneout of LSTM is not known',
      () => single('LSTM', { zoneout: 1 }, { with: ['W', 'R'], weights: lstm }),
    ],
    [
      'an activation that there is not',
      'node 0 "it" (GRU): The attribute activations of GRU has the value "Swish", which is not an activation of ONNX',
      () => single('GRU', { activations: ['Swish', 'Tanh'] }, { with: ['W', 'R'], weights: lstm }),
    ],
    [
      'recurrent weights that do not fit each other',
      'node 0 "it" (LSTM): Expected R size (1, 8, 2), got [1, 6, 2]',
      () => single('LSTM', {}, { with: ['W', 'R'], weights: { W: weight(1, 1, 8, 8), R: weight(2, 1, 6, 2) } }),
    ],
    [
      'recurrent weights that are not finite',
      'node 0 "it" (GRU): R must be finite, got NaN at [0, 5, 1]',
      () => {
        const R = weight(2, 1, 6, 2)
        const data = Float32Array.from(R.data, (value, i) => (i === 11 ? Number.NaN : value))
        return single('GRU', {}, { with: ['W', 'R'], weights: { W: weight(1, 1, 6, 8), R: { ...R, data } } })
      },
    ],
    [
      'an attribute that If does not have',
      'node 1 (If): the attribute "lazy" is not supported',
      () =>
        modelFile({
          nodes: [
            { opType: 'Cast', inputs: ['x'], outputs: ['c'], attributes: { to: 9 } },
            { opType: 'If', inputs: ['c'], outputs: ['y'], attributes: { lazy: 1 } },
          ],
          inputs: { x: { shape: [] } },
          outputs: { y: {} },
        }),
    ],
    ['too many inputs', 'node 0 "it" (Neg): 2 inputs', () => single('Neg', {}, { with: ['x'] })],
    [
      'a value that nothing makes',
      'node 0 "it" (Add): input 1, "z", is "z", which nothing in the file makes',
      () => single('Add', {}, { with: ['z'] }),
    ],
    [
      'an output that nothing makes',
      'the output "z" is "z", which nothing in the file makes',
      () => single('Neg', {}, { outputs: { z: {} } }),
    ],
    ['an input without a type', 'the input "i" has no type', () => single('Neg', {}, { more: [graphInput('i')] })],
    ['an output without a type', 'the output "o" has no type', () => single('Neg', {}, { more: [graphOutput('o')] })],
    ['no outputs', 'the graph has no outputs', () => single('Neg', {}, { outputs: {} })],
    [
      'an attribute that is a tensor where none belongs',
      'node 0 "it" (Softmax), opset 17: the attribute axis must be an integer',
      () => single('Softmax', { axis: { tensor: initializer('', { shape: [1], data: [1] }).subarray(2) } }),
    ],
  ])('%s', (_, words, file) => {
    expectError(() => read(file()), 'ERR_RNN_MODEL_FILE', words)
  })

  it('only what its outputs need', () => {
    const nodes: TestNode[] = [
      { opType: 'Neg', inputs: ['x'], outputs: ['y'] },
      { opType: 'Scan', inputs: ['x'], outputs: ['z'] },
    ]
    const model = read(modelFile({ nodes, inputs: { x: { shape: [1] } }, outputs: { y: {} } }))
    expect(model.run({ x: [3] }).y.data).toEqual(Float32Array.of(-3))
  })
})

describe('when sizes come, it refuses', () => {
  const pair = modelFile({
    nodes: [{ opType: 'MatMul', name: 'product', inputs: ['a', 'b'], outputs: ['y'] }],
    inputs: { a: { shape: ['rows', 4] }, b: { shape: [undefined, 'rows'] } },
    outputs: { y: {} },
  })
  const zeros = (...shape: number[]) => ({
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
    shape,
  })

  it.each<[what: string, words: string, a: number[], b: number[]]>([
    ['another rank', 'Expected the input "a" of size (rows, 4), got [8]', [8], [4, 2]],
    ['another size', 'Expected the input "a" of size (rows, 4), got [2, 5]', [2, 5], [4, 2]],
    ['two sizes of one name', 'Expected the input "b" of size (?, rows), got [4, 3]: rows is 2 in "a"', [2, 4], [4, 3]],
    [
      'sizes that a node cannot take',
      'Inputs "a" [2, 4], "b" [5, 2] do not fit the model: node 0 "product" (MatMul), opset 17: [2, 4] times [5, 2]',
      [2, 4],
      [5, 2],
    ],
  ])('%s', (_, words, a, b) => {
    expectError(() => read(pair).run({ a: zeros(...a), b: zeros(...b) }), 'ERR_RNN_SHAPE', words)
  })

  it('a file whose own sizes cannot be, as the file’s fault', () => {
    const file = single('MatMul', {}, { with: ['w'], weights: { w: weight(1, 3, 3) }, x: { shape: [2, 4] } })
    expectError(
      () => read(file).run({ x: zeros(2, 4) }),
      'ERR_RNN_MODEL_FILE',
      'node 0 "it" (MatMul), opset 17: [2, 4] times [3, 3]',
    )
  })

  it('an output of another type than is declared', () => {
    const file = single('Shape', {}, {})
    expectError(
      () => read(file).run({ x: zeros(1, 2, 8) }),
      'ERR_RNN_MODEL_FILE',
      'the output "y" is declared as float32, and is int64',
    )
  })

  it.each(modelBackends)('recurrent weights without values, though %s has nothing to compute', (backend) => {
    const file = modelFile({
      nodes: [
        { opType: 'Abs', inputs: ['w'], outputs: ['W'] },
        { opType: 'RNN', name: 'it', inputs: ['x', 'W', 'R'], outputs: ['y'], attributes: { hidden_size: 2 } },
      ],
      inputs: { x: { shape: [1, 0, 0] }, w: { shape: [1, 2, 0] } },
      outputs: { y: {} },
      weights: { R: weight(1, 1, 2, 2) },
    })
    expectError(
      () => Model.read(file, { backend }).run({ x: zeros(1, 0, 0), w: zeros(1, 2, 0) }),
      'ERR_RNN_MODEL_FILE',
      'node 1 "it" (RNN), opset 17: input_size must be from 1 to 1048576, got 0',
    )
  })

  it.each<Refused>([
    [
      'recurrent weights that are computed in a run',
      'node 0 "it" (RNN), opset 17: its input 1 is a weight and must be known before a run, but depends on the values of the input "w", which are float32',
      () =>
        single(
          'RNN',
          {},
          { with: ['w', 'R'], weights: { R: weight(1, 1, 2, 2) }, inputs: { x: {}, w: { shape: [1, 2, 3] } } },
        ),
    ],
    [
      'recurrent weights that are an input, even one without values',
      'node 0 "it" (RNN), opset 17: its input 2 is a weight and must be known before a run, but depends on the values of the input "w", which are float32',
      () =>
        single(
          'RNN',
          {},
          { with: ['W', 'w'], weights: { W: weight(1, 1, 0, 8) }, inputs: { x: {}, w: { shape: [1, 0, 0] } } },
        ),
    ],
    [
      'recurrent weights of another size',
      'node 0 "it" (RNN), opset 17: Expected X size (…, 3), as W has it, got [1, 2, 8]',
      () => single('RNN', {}, { with: ['W', 'R'], weights: { W: weight(1, 1, 2, 3), R: weight(1, 1, 2, 2) } }),
    ],
    [
      'a state of another size',
      'node 0 "it" (RNN), opset 17: Expected initial_h size (1, 2, 2), got [1, 1, 2]',
      () =>
        single(
          'RNN',
          {},
          {
            with: ['W', 'R', '', '', 'h'],
            weights: { W: weight(1, 1, 2, 8), R: weight(1, 1, 2, 2), h: weight(1, 1, 1, 2) },
          },
        ),
    ],
  ])('%s', (_, words, file) => {
    const model = read(file())
    const given = Object.fromEntries(
      model.inputs.map(({ name, shape }) => [name, name === 'x' ? zeros(1, 2, 8) : zeros(...(shape as number[]))]),
    )
    expectError(() => model.run(given), /RNN/.test(words) ? 'ERR_RNN_MODEL_FILE' : 'ERR_RNN_SHAPE', words)
  })
})
