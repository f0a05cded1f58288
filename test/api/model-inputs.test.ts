/** What can stand for an input of a model: every form, read as the input's type asks, and everything that is refused. */
import { Model, type ModelInput, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { type Declared, modelBackends, modelFile } from '../support/model-files.ts'

/** A model that gives its input back, in more values than it takes, so that a backend has to compute. */
function twice(type: Declared['type'], shape: Declared['shape']): Uint8Array {
  return modelFile({
    nodes: [{ opType: 'Concat', inputs: ['x', 'x'], outputs: ['y'], attributes: { axis: 0 } }],
    inputs: { x: { type, shape } },
    outputs: { y: { type } },
  })
}

describe.each(modelBackends)('an input of a model on %s', (backend) => {
  const first = (type: Declared['type'], shape: Declared['shape'], x: unknown) => {
    const { data, shape: made } = Model.read(twice(type, shape), { backend }).run({ x: x as ModelInput }).y
    expect(data.slice(0, data.length / 2)).toEqual(data.slice(data.length / 2))
    return { data: data.slice(0, data.length / 2), shape: [made[0] / 2, ...made.slice(1)] }
  }

  it('is a tensor in any form', () => {
    const data = new Float32Array([1, 2, 3, 4, 5, 6])
    const want = { data, shape: [2, 3] }
    const forms = [
      new Tensor(data, [2, 3]),
      { data, shape: [2, 3] },
      { data, dims: [2, 3] },
      { data: Float64Array.from(data), shape: [2, 3] },
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [data.slice(0, 3), data.slice(3)],
      [data.slice(0, 3), [4, 5, 6]],
    ]
    for (const form of forms) expect(first('float32', ['n', 3], form)).toEqual(want)
    expect(first('float32', [2, 3], data)).toEqual(want)
    expect(first('float32', ['n'], data)).toEqual({ data, shape: [6] })
  })

  it('is a single value where the model asks for one', () => {
    expect(first('float32', [1], 0.5)).toEqual({ data: new Float32Array([0.5]), shape: [1] })
    expect(first('float32', ['n', 1], 0.5)).toEqual({ data: new Float32Array([0.5]), shape: [1, 1] })
    expect(first('int64', [1], 16000n)).toEqual({ data: new BigInt64Array([16000n]), shape: [1] })
    expect(first('int64', [1], 16000)).toEqual({ data: new BigInt64Array([16000n]), shape: [1] })
    expect(first('bool', [1], true)).toEqual({ data: new Uint8Array([1]), shape: [1] })
  })

  it('has the array of its type', () => {
    const integers = [1, -2, 3]
    const cases: [Declared['type'], unknown, ArrayBufferView][] = [
      ['int64', integers, new BigInt64Array([1n, -2n, 3n])],
      ['int64', [1n, -2, 3n], new BigInt64Array([1n, -2n, 3n])],
      ['int64', new Int32Array(integers), new BigInt64Array([1n, -2n, 3n])],
      ['int32', integers, new Int32Array(integers)],
      ['int32', new BigInt64Array([1n, -2n, 3n]), new Int32Array(integers)],
      ['int32', { data: new Int8Array(integers), dims: [3] }, new Int32Array(integers)],
      ['bool', [true, false, 1], new Uint8Array([1, 0, 1])],
      ['bool', new Uint8Array([1, 0, 1]), new Uint8Array([1, 0, 1])],
      ['float16', [0.5, 1, -2], new Float32Array([0.5, 1, -2])],
      ['uint8', [0, 255, 7], new Uint8Array([0, 255, 7])],
      ['int8', [-128, 127, 0], new Int8Array([-128, 127, 0])],
    ]
    for (const [type, given, data] of cases) expect(first(type, ['n'], given)).toEqual({ data, shape: [3] })
  })

  it('is refused where it is nothing of the kind', () => {
    const run = (type: Declared['type'], shape: Declared['shape'], x: unknown) => () => {
      Model.read(twice(type, shape), { backend }).run({ x: x as ModelInput })
    }
    expectError(
      run('float32', ['n'], 'x'),
      'ERR_RNN_SHAPE',
      'inputs.x must be { data, shape }, { data, dims }, nested arrays or a single value, of type float32, got "x"',
    )
    expectError(run('float32', ['n'], Promise.resolve(1)), 'ERR_RNN_SHAPE', 'await it first')
    expectError(run('float32', ['n'], null), 'ERR_RNN_SHAPE', 'got null')
    expectError(run('float32', ['n'], {}), 'ERR_RNN_SHAPE', 'got an object')
    expectError(
      run('float32', ['n'], { data: [1], shape: [1] }),
      'ERR_RNN_SHAPE',
      'inputs.x.data must be a Float32Array, got an array of length 1',
    )
    expectError(
      run('float32', ['n'], { data: new Int16Array(1), shape: [1] }),
      'ERR_RNN_SHAPE',
      "inputs.x.data must be a Float32Array, as the model's type is float32, got an Int16Array",
    )
    expectError(
      run('int64', ['n'], { data: new Float32Array(1), shape: [1] }),
      'ERR_RNN_SHAPE',
      "inputs.x.data must be a BigInt64Array, as the model's type is int64",
    )
    expectError(
      run('float32', ['n'], { data: new Float32Array(3), shape: [2] }),
      'ERR_RNN_SHAPE',
      'inputs.x.data must have length 2 for shape [2], got length 3',
    )
    expectError(
      run('float32', ['n'], { data: new Float32Array(3), shape: [-3] }),
      'ERR_RNN_SHAPE',
      'inputs.x.shape[0] must be an integer of at least 0',
    )
    expectError(
      run(
        'float32',
        ['n', 3],
        [
          [1, 2, 3],
          [4, 5],
        ],
      ),
      'ERR_RNN_SHAPE',
      'inputs.x[1] must be an array of length 3 as inputs.x[0] is',
    )
    expectError(run('float32', ['n'], [1, '2']), 'ERR_RNN_SHAPE', 'inputs.x[1] must be a number, got "2"')
    expectError(run('float32', ['n'], [1, 2n]), 'ERR_RNN_SHAPE', 'inputs.x[1] must be a number, got 2n')
    expectError(
      run('float32', ['n', 1], [[1], [[2]]]),
      'ERR_RNN_SHAPE',
      'inputs.x[1][0] must be a single value as its neighbours are',
    )
    expectError(
      run('int64', ['n'], [1.5]),
      'ERR_RNN_OPTION',
      'inputs.x[0] must be an integer of the range of int64, got 1.5',
    )
    expectError(
      run('int64', ['n'], [2n ** 63n]),
      'ERR_RNN_OPTION',
      'inputs.x[0] must be an integer of the range of int64',
    )
    expectError(
      run('int64', ['n'], [2 ** 60]),
      'ERR_RNN_OPTION',
      'inputs.x[0] must be an integer of the range of int64',
    )
    expectError(
      run('int32', ['n'], [2 ** 31]),
      'ERR_RNN_OPTION',
      'inputs.x[0] must be an integer of the range of int32',
    )
    expectError(run('uint8', ['n'], [-1]), 'ERR_RNN_OPTION', 'inputs.x[0] must be an integer of the range of uint8')
    expectError(
      run('uint8', ['n'], new Int8Array([3, -1])),
      'ERR_RNN_OPTION',
      'inputs.x[1] must be an integer of the range of uint8, got -1',
    )
    expectError(run('bool', ['n'], [2]), 'ERR_RNN_OPTION', 'inputs.x[0] must be a boolean, 0 or 1, got 2')
    expectError(
      run('bool', ['n'], new Uint8Array([1, 2])),
      'ERR_RNN_OPTION',
      'inputs.x[1] must be a boolean, 0 or 1, got 2',
    )
    expectError(
      run('float32', ['n', 3], new Float32Array(6)),
      'ERR_RNN_SHAPE',
      'inputs.x must have a shape: wrap the Float32Array, { data, shape }',
    )
    expectError(
      run('float32', [2, 3], new Float32Array(5)),
      'ERR_RNN_SHAPE',
      'inputs.x must have 6 values, of shape [2, 3], got 5',
    )
  })

  it('must have the sizes that the file declares', () => {
    const model = Model.read(
      modelFile({
        nodes: [{ opType: 'Add', inputs: ['x', 'state'], outputs: ['y'] }],
        inputs: { x: { shape: ['batch', undefined, 3] }, state: { shape: ['batch', 1, 3] } },
        outputs: { y: {} },
      }),
      { backend },
    )
    const zeros = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape })
    const run = (x: object, state: object) => () => model.run({ x: x as ModelInput, state: state as ModelInput })
    expect(run(zeros(2, 5, 3), zeros(2, 1, 3))().y.shape).toEqual([2, 5, 3])
    expectError(
      run(zeros(2, 5, 4), zeros(2, 1, 3)),
      'ERR_RNN_SHAPE',
      'Expected the input "x" of size (batch, ?, 3), got [2, 5, 4]',
    )
    expectError(run(zeros(2, 3), zeros(2, 1, 3)), 'ERR_RNN_SHAPE', 'of size (batch, ?, 3), got [2, 3]')
    expectError(run(zeros(2, 5, 3), zeros(3, 1, 3)), 'ERR_RNN_SHAPE', 'batch is 2 in "x"')
  })

  it('must be there, by its name', () => {
    const model = Model.read(twice('float32', ['n', 3]), { backend })
    const run = (inputs: unknown) => () => model.run(inputs as Record<string, ModelInput>)
    expectError(run({}), 'ERR_RNN_OPTION', 'inputs.x is missing: the model needs it, of type float32 and size (n, 3)')
    expectError(run({ x: undefined }), 'ERR_RNN_OPTION', 'inputs.x is missing')
    expectError(run({ X: [[1, 2, 3]] }), 'ERR_RNN_OPTION', "unknown input 'X' in inputs; the model has 'x'")
    expectError(
      run({ x: [[1, 2, 3]], other: 1 }),
      'ERR_RNN_OPTION',
      "unknown input 'other' in inputs; the model has 'x'",
    )
    for (const inputs of [undefined, null, 1, [1], new Float32Array(3)]) {
      expectError(run(inputs), 'ERR_RNN_OPTION', 'inputs must be an object of values by their names')
    }
    expectError(
      () => model.run({ x: [[1, 2, 3]] }, { output: ['y'] } as never),
      'ERR_RNN_OPTION',
      "unknown option 'output' of Model.run; did you mean 'outputs'?",
    )
    expectError(
      () => model.run({ x: [[1, 2, 3]] }, ['y'] as never),
      'ERR_RNN_OPTION',
      'the options of Model.run must be an object, got an array of length 1; names of outputs go in as { outputs }',
    )
  })

  it('may have any name, also that of a property of all objects', () => {
    const file = modelFile({
      nodes: [{ opType: 'Add', inputs: ['__proto__', 'a:0'], outputs: ['constructor'] }],
      inputs: { ['__proto__']: { shape: [1] }, 'a:0': { shape: [1] } },
      outputs: { constructor: { shape: [1] } },
    })
    const model = Model.read(file, { backend })
    const inputs = Object.assign(Object.create(null), { 'a:0': [2] })
    Object.defineProperty(inputs, '__proto__', { value: [1], enumerable: true })
    expect(model.run(inputs).constructor).toEqual({ data: new Float32Array([3]), shape: [1] })
    expectError(() => model.run({ 'a:0': 1 }), 'ERR_RNN_OPTION', 'inputs.__proto__ is missing')
    Object.defineProperty(inputs, 'a:0', { value: 'x' })
    expectError(() => model.run(inputs), 'ERR_RNN_SHAPE', 'inputs["a:0"] must be')
  })

  it('may change while others are read: each property is read once, and lengths are looked at again', () => {
    const file = modelFile({
      nodes: [{ opType: 'Add', inputs: ['a', 'b'], outputs: ['y'] }],
      inputs: { a: { shape: [2] }, b: { shape: [2] } },
      outputs: { y: { shape: [2] } },
    })
    const model = Model.read(file, { backend })
    const a = new Float32Array([1, 2])
    let reads = 0
    const inputs = {
      get a() {
        reads++
        return { data: a, shape: [2] }
      },
      get b() {
        reads++
        structuredClone(a.buffer, { transfer: [a.buffer as ArrayBuffer] })
        return [1, 2]
      },
    }
    expectError(
      () => model.run(inputs),
      'ERR_RNN_SHAPE',
      'inputs.a.data must keep its length 2 during the call, but has 0 now',
    )
    expect(reads).toBe(2)
  })
})
