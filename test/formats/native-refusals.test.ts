/** What native programs refuse and TypeScript computes: windows beyond their numbers, and more memory on the way than values pay for. By name, and at once. */
import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { modelBackends, modelFile, weight } from '../support/model-files.ts'
import type { TestAttribute } from '../support/onnx-writer.ts'

const [most, more] = [2 ** 24, 2 ** 25]
const beyond = `a window whose size, step or padding is ${more}; at most 2^24 is possible`

interface Case {
  readonly attributes: Readonly<Record<string, TestAttribute>>
  /** Instead of the constant w: the input v. */
  readonly isOfRun?: true
  readonly outputs?: string[]
  readonly opType?: string
  readonly shape?: readonly number[]
}

function read(
  { attributes, isOfRun, outputs = ['y'], opType = 'Conv' }: Case,
  backend: (typeof modelBackends)[number],
) {
  const takes = opType === 'Conv' ? ['x', isOfRun ? 'v' : 'w'] : ['x']
  const file = modelFile({
    nodes: [{ opType, name: 'it', inputs: takes, outputs, attributes }],
    inputs: isOfRun ? { x: {}, v: {} } : { x: {} },
    outputs: { y: {}, ...(outputs.length > 1 && { places: { type: 'int64' as const } }) },
    weights: { w: weight(1, 1, 1, 2) },
  })
  return Model.read(file, { backend })
}

function run(given: Case, backend: (typeof modelBackends)[number]) {
  const shape = given.shape ?? [1, 1, 3]
  const x = { data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i + 1), shape }
  const model = read(given, backend)
  try {
    const v = { data: new Float32Array([0.5]), shape: shape.map(() => 1) }
    return model.run(given.isOfRun ? { x, v } : { x })
  } finally {
    model.dispose()
  }
}

const refused: Record<string, readonly [Case, string]> = {
  'a dilation': [{ attributes: { dilations: [more], strides: [more], pads: [more, more] } }, beyond],
  padding: [{ attributes: { pads: [more, 0], strides: [more - 1] } }, beyond],
  'a step': [{ attributes: { kernel_shape: [2], strides: [more], pads: [0, more] } }, beyond],
  'padding of a convolution whose weights come in the run': [
    { isOfRun: true, attributes: { pads: [more, more], strides: [more] } },
    beyond,
  ],
  'a padded copy': [
    { isOfRun: true, shape: [1, 1, 1, 1], attributes: { pads: [most, most, most, most], strides: [most, most] } },
    'on its way are 2^31 values or more, of shape [1, 33554433, 33554433, 1]',
  ],
  'a copy that its values do not pay for': [
    { isOfRun: true, shape: [1, 1, 1, 1], attributes: { pads: [20000, 20000, 20000, 20000], strides: [20000, 20000] } },
    'bytes between its operators, far more than its values have',
  ],
  'places of the greatest values': [
    {
      opType: 'MaxPool',
      outputs: ['y', 'places'],
      shape: [1, 1, 2, 2],
      attributes: { kernel_shape: [4096, 4096], pads: [4095, 4095, 4095, 4095], strides: [2048, 2048] },
    },
    'the places in 9 windows of 16777216 values; at most 2^22 are possible',
  ],
}

describe.each(modelBackends.filter((name) => name !== 'typescript'))('programs of %s refuse', (backend) => {
  it.each(Object.entries(refused))('%s', (_, [given, words]) => {
    const begun = performance.now()
    expectError(() => run(given, backend), 'ERR_RNN_MODEL_FILE', words)
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  it('inputs in double precision, when the model is read, but for those that are constants', () => {
    const file = modelFile({
      nodes: [
        { opType: 'Cast', name: 'narrow', inputs: ['scale'], outputs: ['factor'], attributes: { to: 1 } },
        { opType: 'Mul', name: 'it', inputs: ['x', 'factor'], outputs: ['y'] },
      ],
      inputs: { x: { shape: [2] }, scale: { type: 'float64', shape: [] } },
      outputs: { y: { shape: [2] } },
    })
    const words = `The ONNX file cannot run on ${backend}: its input "scale" of type float64 is not supported`
    expectError(() => Model.read(file, { backend }), 'ERR_RNN_MODEL_FILE', words)
    const x = new Float32Array([1, 2])
    const expected = { y: { data: new Float32Array([3, 6]), shape: [2] } }
    const computed = Model.read(file, { backend: 'typescript' })
    expect(computed.run({ x: { data: x, shape: [2] }, scale: 3 })).toEqual(expected)
    expect(Model.read(file, { backend, constants: { scale: 3 } }).run({ x: { data: x, shape: [2] } })).toEqual(expected)
  })

  it('nothing that a program has numbers for', () => {
    const given = { attributes: { dilations: [most], strides: [most], pads: [most, most] } }
    expect(run(given, backend).y).toEqual(run(given, 'typescript').y)
  })
})
