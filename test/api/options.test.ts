/** Every option of every class: what it does, its range, and the words where it is wrong. */
import { type BackendName, Embedding, GRU, Linear, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError } from '../support/errors.ts'

type AnyClass = new (inputSize: unknown, hiddenSize: unknown, options?: unknown) => RNN | GRU | LSTM
const classes = { RNN, GRU, LSTM } as unknown as Record<string, AnyClass>

describe.each(Object.entries(classes))('%s', (name, Layer) => {
  it('has defaults', () => {
    expect(new Layer(3, 4)).toMatchObject({
      inputSize: 3,
      hiddenSize: 4,
      numLayers: 1,
      bidirectional: false,
      batchFirst: false,
      bias: true,
      backend: process.env.NATIVE_RNN_BACKEND || backends[0],
    })
  })

  it('shows its options', () => {
    const options = { numLayers: 2, bias: false, batchFirst: true, bidirectional: true, backend: 'typescript' }
    expect(new Layer(3, 4, options)).toMatchObject(options)
  })

  it.each([
    [0, 'inputSize must be an integer from 1 to 1048576, got 0'],
    [-1, 'got -1'],
    [1.5, 'got 1.5'],
    [Number.NaN, 'got NaN'],
    [Number.POSITIVE_INFINITY, 'got Infinity'],
    [2 ** 20 + 1, 'got 1048577'],
    ['3', 'got "3"'],
    [undefined, 'got undefined'],
    [null, 'got null'],
    [3n, 'got 3n'],
    [{ inputSize: 3 }, 'got an object'],
  ])('refuses the size %s', (size, words) => {
    expectError(() => new Layer(size, 4), 'ERR_RNN_OPTION', words)
    expectError(() => new Layer(4, size), 'ERR_RNN_OPTION', words.replace('inputSize', 'hiddenSize'))
  })

  it('takes the largest sizes where the weights stay possible, and says so where not', () => {
    expect(new Layer(2 ** 20, 1, { backend: 'typescript' }).inputSize).toBe(2 ** 20)
    expectError(
      () => new Layer(1, 2 ** 20),
      'ERR_RNN_OPTION',
      'the sizes are too large together: weight_hh_l0 of shape',
    )
  })

  it.each([
    ['numLayers', [1, 64], [0, 65, 1.5, '2', null, true]],
    ['bias', [true, false], [0, 'true', null]],
    ['batchFirst', [true, false], [1, 'no', null]],
    ['bidirectional', [true, false], [2, {}, null]],
    ['dropout', [0, 0.5, 1], [-0.1, 1.1, Number.NaN, '0', null, true]],
    ['seed', [0, 1, -5, 2 ** 53 - 1], [0.5, 2 ** 53, Number.NaN, '1', null, 1n]],
    ['threads', [1, 2, 64], [0, -1, 1.5, 1025, '4', null]],
    ['backend', ['typescript'], ['', 'AVX2', 'cuda', 0, null]],
  ])('%s: right and wrong values', (option, right, wrong) => {
    for (const value of right) expect(() => new Layer(2, 2, { [option]: value })).not.toThrow()
    for (const value of wrong) {
      expectError(
        () => new Layer(2, 2, { [option]: value }),
        'ERR_RNN_OPTION',
        new RegExp(`^${option} must be .*, got `),
      )
    }
    expect(() => new Layer(2, 2, { [option]: undefined })).not.toThrow()
  })

  it('refuses unknown names with the nearest known one', () => {
    const hints = {
      batch_first: 'batchFirst',
      bidirectionnal: 'bidirectional',
      num_layers: 'numLayers',
      Bias: 'bias',
      sed: 'seed',
    }
    for (const [wrong, known] of Object.entries(hints)) {
      const words = `unknown option '${wrong}' of ${name}; did you mean '${known}'?`
      expectError(() => new Layer(2, 2, { [wrong]: 1 }), 'ERR_RNN_OPTION', words)
    }
    expectError(
      () => new Layer(2, 2, { wholly: 1 }),
      'ERR_RNN_OPTION',
      `unknown option 'wholly' of ${name}; it takes numLayers, `,
    )
  })

  it.each([[null], [5], ['x'], [[]]])('refuses %j for options', (options) => {
    expectError(() => new Layer(2, 2, options), 'ERR_RNN_OPTION', `the options of ${name} must be an object, got `)
  })

  it('takes dropout for the sake of PyTorch, and never drops', () => {
    const input = [
      [1, 2],
      [3, 4],
    ]
    const plain = new Layer(2, 3, { numLayers: 2, seed: 1 }).forward(input)
    expect(new Layer(2, 3, { numLayers: 2, seed: 1, dropout: 0.9 }).forward(input)).toEqual(plain)
  })
})

describe('options of one class', () => {
  it('RNN has a nonlinearity', () => {
    expect(new RNN(2, 2).nonlinearity).toBe('tanh')
    expect(new RNN(2, 2, { nonlinearity: 'relu' }).nonlinearity).toBe('relu')
    const words = "nonlinearity must be one of 'tanh', 'sigmoid', 'relu', 'affine'"
    expectError(() => new RNN(2, 2, { nonlinearity: 'gelu' as 'relu' }), 'ERR_RNN_OPTION', words)
    expectError(
      () => new GRU(2, 2, { nonlinearity: 'relu' } as object),
      'ERR_RNN_OPTION',
      "unknown option 'nonlinearity' of GRU",
    )
  })

  it('GRU has resetAfter', () => {
    expect(new GRU(2, 2).resetAfter).toBe(true)
    expect(new GRU(2, 2, { resetAfter: false }).resetAfter).toBe(false)
    expectError(
      () => new GRU(2, 2, { resetAfter: 0 as unknown as boolean }),
      'ERR_RNN_OPTION',
      'resetAfter must be a boolean, got 0',
    )
  })

  it('LSTM has projSize and peepholes', () => {
    expect(new LSTM(2, 3)).toMatchObject({ projSize: 0, peepholes: false })
    expect(new LSTM(2, 3, { projSize: 2, peepholes: true })).toMatchObject({ projSize: 2, peepholes: true })
    expectError(
      () => new LSTM(2, 3, { projSize: 3 }),
      'ERR_RNN_OPTION',
      'projSize must be smaller than hiddenSize 3, got 3',
    )
    expectError(
      () => new LSTM(2, 3, { projSize: -1 }),
      'ERR_RNN_OPTION',
      'projSize must be an integer from 0 to 1048576, got -1',
    )
    expectError(
      () => new LSTM(2, 3, { peepholes: 'yes' as unknown as boolean }),
      'ERR_RNN_OPTION',
      'peepholes must be a boolean',
    )
    expectError(() => new RNN(2, 3, { projSize: 1 } as object), 'ERR_RNN_OPTION', "unknown option 'projSize' of RNN")
  })
})

describe('Linear and Embedding', () => {
  it('show their options', () => {
    expect(new Linear(2, 3, { bias: false, backend: 'typescript' })).toMatchObject({
      inFeatures: 2,
      outFeatures: 3,
      bias: false,
      backend: 'typescript',
    })
    expect(new Embedding(5, 2)).toMatchObject({ numEmbeddings: 5, embeddingDim: 2 })
  })

  it.each([
    [() => new Linear(0, 1), 'inFeatures must be an integer from 1 to 1048576, got 0'],
    [() => new Linear(1, 'x' as unknown as number), 'outFeatures must be an integer from 1 to 1048576, got "x"'],
    [() => new Linear(1, 1, { bias: 1 as unknown as boolean }), 'bias must be a boolean, got 1'],
    [() => new Linear(1, 1, { biass: true } as object), "unknown option 'biass' of Linear; did you mean 'bias'?"],
    [() => new Linear(1, 1, { backend: 'x' as BackendName }), 'backend must be one of'],
    [() => new Linear(2 ** 20, 2 ** 20), 'the sizes are too large together'],
    [() => new Embedding(0, 1), 'numEmbeddings must be an integer from 1 to 1048576, got 0'],
    [() => new Embedding(1, 0), 'embeddingDim must be an integer from 1 to 1048576, got 0'],
    [() => new Embedding(1, 1, { seed: 0.5 }), 'seed must be a safe integer, got 0.5'],
    [() => new Embedding(1, 1, { paddingIdx: 0 } as object), "unknown option 'paddingIdx' of Embedding"],
    [() => new Embedding(2 ** 20, 2 ** 20), 'the sizes are too large together'],
  ])('refuse wrong ones: %#', (make, words) => {
    expectError(make, 'ERR_RNN_OPTION', words)
  })
})
