/** State dicts: PyTorch's names and shapes, what is read off them, and what comes back. */
import { Embedding, GRU, Linear, LSTM, RNN, type StateDict, type Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError } from '../support/errors.ts'

const shapesOf = (dict: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(dict).map(([key, { shape }]) => [key, shape]))
const prefixed = (dict: StateDict, prefix: string): StateDict =>
  Object.fromEntries(Object.entries(dict).map(([key, value]) => [prefix + key, value]))

describe('the names and shapes are PyTorch’s', () => {
  it('RNN of two layers and two directions', () => {
    const dict = new RNN(3, 4, { numLayers: 2, bidirectional: true }).stateDict()
    expect(Object.entries(shapesOf(dict))).toEqual([
      ['weight_ih_l0', [4, 3]],
      ['weight_hh_l0', [4, 4]],
      ['bias_ih_l0', [4]],
      ['bias_hh_l0', [4]],
      ['weight_ih_l0_reverse', [4, 3]],
      ['weight_hh_l0_reverse', [4, 4]],
      ['bias_ih_l0_reverse', [4]],
      ['bias_hh_l0_reverse', [4]],
      ['weight_ih_l1', [4, 8]],
      ['weight_hh_l1', [4, 4]],
      ['bias_ih_l1', [4]],
      ['bias_hh_l1', [4]],
      ['weight_ih_l1_reverse', [4, 8]],
      ['weight_hh_l1_reverse', [4, 4]],
      ['bias_ih_l1_reverse', [4]],
      ['bias_hh_l1_reverse', [4]],
    ])
  })

  it('GRU without bias', () => {
    expect(shapesOf(new GRU(3, 4, { bias: false }).stateDict())).toEqual({
      weight_ih_l0: [12, 3],
      weight_hh_l0: [12, 4],
    })
  })

  it('LSTM with projection and peepholes', () => {
    const dict = new LSTM(3, 4, { numLayers: 2, projSize: 2, peepholes: true, bias: false }).stateDict()
    expect(shapesOf(dict)).toEqual({
      weight_ih_l0: [16, 3],
      weight_hh_l0: [16, 2],
      weight_hr_l0: [2, 4],
      weight_ci_l0: [4],
      weight_cf_l0: [4],
      weight_co_l0: [4],
      weight_ih_l1: [16, 2],
      weight_hh_l1: [16, 2],
      weight_hr_l1: [2, 4],
      weight_ci_l1: [4],
      weight_cf_l1: [4],
      weight_co_l1: [4],
    })
  })
})

const variants = [
  ['RNN', () => new RNN(3, 4, { seed: 1 }), RNN],
  ['RNN, deep', () => new RNN(3, 5, { seed: 1, numLayers: 3, bidirectional: true }), RNN],
  ['RNN, no bias', () => new RNN(1, 1, { seed: 1, bias: false }), RNN],
  ['GRU', () => new GRU(3, 17, { seed: 1, numLayers: 2 }), GRU],
  ['LSTM', () => new LSTM(7, 4, { seed: 1, bidirectional: true }), LSTM],
  ['LSTM, projected', () => new LSTM(3, 9, { seed: 1, projSize: 2, numLayers: 2, bidirectional: true }), LSTM],
  ['LSTM, peepholes', () => new LSTM(3, 9, { seed: 1, peepholes: true }), LSTM],
  ['LSTM, all', () => new LSTM(3, 9, { seed: 1, peepholes: true, projSize: 8, numLayers: 2, bias: false }), LSTM],
] as const

describe.each(backends)('on %s', (backend) => {
  it.each(variants)(
    '%s: fromStateDict reads everything off the dict, and the weights come back in every bit',
    (_, make, Layer) => {
      const layer = make()
      const dict = layer.stateDict()
      const twin = Layer.fromStateDict(dict, { backend })
      const names = ['inputSize', 'hiddenSize', 'numLayers', 'bias', 'bidirectional', 'projSize', 'peepholes'] as const
      for (const name of names) expect((twin as LSTM)[name], name).toBe((layer as LSTM)[name])
      expect(twin.backend).toBe(backend)
      expect(twin.stateDict()).toEqual(dict)
      twin.loadStateDict(prefixed(dict, 'encoder.rnn.'), { prefix: 'encoder.rnn.' })
      expect(twin.stateDict()).toEqual(dict)
    },
    20_000,
  )

  it('a state dict is a copy: changing it does not change the layer', () => {
    const layer = new GRU(2, 3, { backend, seed: 1 })
    const before = layer.forward([[1, 2]])
    for (const tensor of Object.values(layer.stateDict())) tensor.data.fill(9)
    expect(layer.forward([[1, 2]])).toEqual(before)
    const dict = new GRU(2, 3, { seed: 2 }).stateDict()
    layer.loadStateDict(dict)
    const after = layer.forward([[1, 2]])
    expect(after).not.toEqual(before)
    for (const tensor of Object.values(dict)) tensor.data.fill(9)
    expect(layer.forward([[1, 2]])).toEqual(after)
  })

  it('a failed loadStateDict leaves the layer as it was', () => {
    const layer = new LSTM(2, 3, { backend, seed: 1 })
    const dict = layer.stateDict()
    const before = layer.forward([[1, 2]])
    const bad = new LSTM(2, 3, { seed: 2 }).stateDict()
    bad.bias_hh_l0.data[11] = Number.NaN
    expectError(() => layer.loadStateDict(bad), 'ERR_RNN_STATE_DICT', 'bias_hh_l0 must be finite, got NaN at [11]')
    expect(layer.stateDict()).toEqual(dict)
    expect(layer.forward([[1, 2]])).toEqual(before)
  })

  it('keeps -0, subnormal and huge weights bit by bit', () => {
    const dict = new LSTM(3, 5, { seed: 1 }).stateDict()
    const special = [-0, 2 ** -149, -(2 ** -130), 3.4028234663852886e38]
    for (const tensor of Object.values(dict)) tensor.data.set(special)
    const back = LSTM.fromStateDict(dict, { backend }).stateDict()
    for (const [key, tensor] of Object.entries(dict)) {
      expect(new Uint32Array(back[key].data.buffer), key).toEqual(new Uint32Array(tensor.data.buffer))
    }
  })
})

describe('names', () => {
  const dict = new LSTM(3, 4, { seed: 1, peepholes: true, projSize: 2 }).stateDict()
  const ofCell = Object.fromEntries(Object.entries(dict).map(([key, value]) => [key.replace('_l0', ''), value]))

  it('of PyTorch’s single cells load as one layer', () => {
    expect(LSTM.fromStateDict(ofCell).stateDict()).toEqual(dict)
    expect(LSTM.fromStateDict(prefixed(ofCell, 'cell.'), { prefix: 'cell.' }).stateDict()).toEqual(dict)
    const layer = new LSTM(3, 4, { peepholes: true, projSize: 2 })
    layer.loadStateDict(ofCell)
    expect(layer.stateDict()).toEqual(dict)
  })

  it('of cells and of layers do not mix', () => {
    expectError(() => LSTM.fromStateDict({ ...dict, bias_ih: [1] }), 'ERR_RNN_STATE_DICT', 'left over bias_ih')
  })

  it('outside the prefix are ignored, whatever they hold', () => {
    const all = {
      ...prefixed(dict, 'rnn.'),
      'fc.weight': 'no tensor',
      step: 7,
      'rnn2.weight_ih_l0': [[1]],
    } as unknown as StateDict
    expect(LSTM.fromStateDict(all, { prefix: 'rnn.' }).stateDict()).toEqual(dict)
    expect(LSTM.fromStateDict(all, { prefix: 'rnn' }).stateDict()).toEqual(dict)
  })

  it('of other tensor-likes will do', () => {
    const nested = Object.fromEntries(Object.entries(dict).map(([key, tensor]) => [key, tensor.toNested()]))
    expect(LSTM.fromStateDict(nested).stateDict()).toEqual(dict)
    const onnx = Object.fromEntries(Object.entries(dict).map(([key, { data, shape }]) => [key, { data, dims: shape }]))
    expect(LSTM.fromStateDict(onnx).stateDict()).toEqual(dict)
    expect(LSTM.fromStateDict(Object.assign(Object.create(null), dict)).stateDict()).toEqual(dict)
  })

  it('prefix must be a string, and what is inferred is no option', () => {
    expectError(
      () => RNN.fromStateDict({}, { prefix: 5 as unknown as string }),
      'ERR_RNN_OPTION',
      'prefix must be a string, got 5',
    )
    expectError(
      () => new RNN(1, 1).loadStateDict({}, { prefx: '' } as object),
      'ERR_RNN_OPTION',
      "did you mean 'prefix'?",
    )
    for (const name of ['numLayers', 'bias', 'bidirectional', 'projSize', 'peepholes']) {
      const words = `unknown option '${name}' of LSTM.fromStateDict: it is read off the keys and shapes of the state dict`
      expectError(() => LSTM.fromStateDict(dict, { [name]: 1 }), 'ERR_RNN_OPTION', words)
    }
  })

  it('leave the other options open', () => {
    const layer = RNN.fromStateDict(new RNN(2, 2).stateDict(), {
      nonlinearity: 'relu',
      batchFirst: true,
      threads: 1,
      dropout: 0.1,
    })
    expect(layer).toMatchObject({ nonlinearity: 'relu', batchFirst: true })
    expect(GRU.fromStateDict(new GRU(2, 2).stateDict(), { resetAfter: false }).resetAfter).toBe(false)
  })
})

describe('Linear and Embedding', () => {
  it('read their sizes off a dict', () => {
    const linear = Linear.fromStateDict(
      {
        'a.weight': [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        'a.bias': [1, 1, 1],
        b: [],
      },
      { prefix: 'a.' },
    )
    expect(linear).toMatchObject({ inFeatures: 2, outFeatures: 3, bias: true })
    expect(linear.forward([[1, 1]]).toNested()).toEqual([[4, 8, 12]])
    expect(Linear.fromStateDict({ weight: [[1, 2]] })).toMatchObject({ inFeatures: 2, outFeatures: 1, bias: false })
    const embedding = Embedding.fromStateDict(
      {
        'e.weight': [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      },
      { prefix: 'e' },
    )
    expect(embedding).toMatchObject({ numEmbeddings: 3, embeddingDim: 2 })
    expect(embedding.forward([2, 0]).toNested()).toEqual([
      [5, 6],
      [1, 2],
    ])
  })

  it('load and give back', () => {
    const linear = new Linear(2, 3)
    const dict = new Linear(2, 3).stateDict()
    linear.loadStateDict(prefixed(dict, 'x.'), { prefix: 'x.' })
    expect(linear.stateDict()).toEqual(dict)
    const embedding = new Embedding(2, 3)
    const table = new Embedding(2, 3).stateDict()
    embedding.loadStateDict(table)
    expect(embedding.stateDict()).toEqual(table)
  })

  it.each([
    [
      () => new Linear(2, 3).loadStateDict({ weight: [[1, 2]] }),
      'weight must have shape (3, 2), got [1, 2]; missing bias of shape (3,)',
    ],
    [() => new Linear(1, 1, { bias: false }).loadStateDict({ weight: [[1]], bias: [1] }), 'left over bias'],
    [() => Linear.fromStateDict({ weight: [[Number.NaN]] }), 'weight must be finite, got NaN at [0, 0]'],
    [() => Linear.fromStateDict({ weight: [1] }), 'weight must have 2 axes, got shape [1]'],
    [() => Linear.fromStateDict({ 'fc.weight': [[1]] }), "missing weight (did you mean prefix: 'fc.'?)"],
    [() => Linear.fromStateDict({ weight: [] }), 'weight must have 2 axes, got shape [0]'],
    [() => Linear.fromStateDict({ weight: [[]] }), 'in_features must be from 1 to 1048576, and the shapes say 0'],
    [() => Embedding.fromStateDict({ weight: [[1]], bias: [1] }), 'left over bias'],
    [() => Embedding.fromStateDict({}), 'missing weight'],
    [() => new Embedding(2, 2).loadStateDict({ weight: [[1, 2]] }), 'weight must have shape (2, 2), got [1, 2]'],
  ])('name what is wrong: %#', (run, words) => {
    expectError(run, 'ERR_RNN_STATE_DICT', words)
  })
})
