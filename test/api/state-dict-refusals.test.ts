/** Everything that can be wrong with a state dict, and the words for each. */
import { GRU, Linear, LSTM, RNN, type StateDict, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

const prefixed = (dict: StateDict, prefix: string): StateDict =>
  Object.fromEntries(Object.entries(dict).map(([key, value]) => [prefix + key, value]))
const changed = (dict: StateDict, change: Record<string, unknown>): StateDict => {
  const copy: Record<string, unknown> = { ...dict, ...change }
  for (const [key, value] of Object.entries(copy)) if (value === undefined) delete copy[key]
  return copy as StateDict
}

describe('what is wrong is named', () => {
  const layer = new RNN(3, 4, { seed: 1, numLayers: 2 })
  const dict = layer.stateDict()
  const nan = Tensor.from([
    [1, 2, 3],
    [4, 5, 6],
    [7, Number.NaN, 9],
    [1, 2, 3],
  ])

  it.each<[string, Record<string, unknown>, string]>([
    ['missing', { bias_hh_l1: undefined }, 'missing bias_hh_l1 of shape (4,)'],
    ['left over', { bias_hh_l2: [1] }, 'left over bias_hh_l2'],
    ['left over, of another kind', { weight_hr_l0: [[1]] }, 'left over weight_hr_l0'],
    ['of the wrong shape', { weight_ih_l1: [[1, 2, 3, 4]] }, 'weight_ih_l1 must have shape (4, 4), got [1, 4]'],
    ['of the wrong rank', { bias_ih_l0: [[1, 2, 3, 4]] }, 'bias_ih_l0 must have shape (4,), got [1, 4]'],
    [
      'transposed',
      {
        weight_ih_l0: Tensor.from([
          [1, 2, 3, 4],
          [1, 2, 3, 4],
          [1, 2, 3, 4],
        ]),
      },
      'must have shape (4, 3), got [3, 4]',
    ],
    ['not finite', { weight_ih_l0: nan }, 'weight_ih_l0 must be finite, got NaN at [2, 1]'],
    ['infinite', { bias_ih_l0: [1, 2, 3, -Infinity] }, 'bias_ih_l0 must be finite, got -Infinity at [3]'],
    ['beyond float32', { bias_ih_l0: [1e39, 0, 0, 0] }, 'bias_ih_l0 must be finite, got Infinity at [0]'],
    [
      'no tensor',
      { bias_ih_l0: 'abc' },
      'bias_ih_l0 must be a Tensor, { data, shape }, { data, dims } or nested arrays',
    ],
    ['ragged', { weight_ih_l0: [[1, 2], [1]] }, 'weight_ih_l0[1] must be an array of length 2'],
    ['of float64', { bias_ih_l0: { data: new Float64Array(4), shape: [4] } }, 'bias_ih_l0.data must be a Float32Array'],
  ])('%s', (_, change, words) => {
    expectError(() => layer.loadStateDict(changed(dict, change)), 'ERR_RNN_STATE_DICT', words)
    expectError(() => RNN.fromStateDict(changed(dict, change)), 'ERR_RNN_STATE_DICT', /./)
    const under = prefixed(changed(dict, change), 'm.')
    const { message } = expectError(() => layer.loadStateDict(under, { prefix: 'm.' }), 'ERR_RNN_STATE_DICT', /m\./)
    expect(message).toContain('m.')
    expect(layer.stateDict()).toEqual(dict)
  })

  it('all at once', () => {
    const bad = changed(dict, {
      bias_hh_l1: undefined,
      weight_ih_l0: [[1]],
      bias_ih_l0: [Number.NaN, 0, 0, 0],
      extra: [1],
    })
    const { message } = expectError(
      () => layer.loadStateDict(bad),
      'ERR_RNN_STATE_DICT',
      /^the state dict does not fit: /,
    )
    expect(message.split('; ')).toHaveLength(4)
  })

  it('a prefix that is missing is guessed', () => {
    const under = prefixed(dict, 'encoder.rnn.')
    expectError(() => layer.loadStateDict(under), 'ERR_RNN_STATE_DICT', "did you mean prefix: 'encoder.rnn.'?")
    expectError(() => RNN.fromStateDict(under), 'ERR_RNN_STATE_DICT', "did you mean prefix: 'encoder.rnn.'?")
    expectError(
      () => RNN.fromStateDict(under, { prefix: 'rnn' }),
      'ERR_RNN_STATE_DICT',
      "missing rnn.weight_ih_l0 (did you mean prefix: 'encoder.rnn.'?)",
    )
    expectError(() => RNN.fromStateDict({}), 'ERR_RNN_STATE_DICT', 'the dict is empty')
  })

  it.each([[null], [undefined], [5], ['x'], [[]]])('%j is no state dict', (wrong) => {
    expectError(
      () => layer.loadStateDict(wrong as unknown as StateDict),
      'ERR_RNN_STATE_DICT',
      'a state dict must be an object of tensors by name',
    )
    expectError(
      () => GRU.fromStateDict(wrong as unknown as StateDict),
      'ERR_RNN_STATE_DICT',
      'a state dict must be an object',
    )
    expectError(
      () => Linear.fromStateDict(wrong as unknown as StateDict),
      'ERR_RNN_STATE_DICT',
      'a state dict must be an object',
    )
  })

  it('the weights of another class', () => {
    expectError(() => GRU.fromStateDict(dict), 'ERR_RNN_STATE_DICT', 'they look like the weights of an RNN')
    expectError(
      () => RNN.fromStateDict(new LSTM(3, 4).stateDict()),
      'ERR_RNN_STATE_DICT',
      'they look like the weights of an LSTM',
    )
    expectError(
      () => LSTM.fromStateDict(new GRU(3, 8).stateDict()),
      'ERR_RNN_STATE_DICT',
      'they look like the weights of a GRU',
    )
    expectError(
      () => GRU.fromStateDict({ weight_ih_l0: [[1]], weight_hh_l0: [[1, 2]] }),
      'ERR_RNN_STATE_DICT',
      'stacks 3 gates of H rows',
    )
  })

  it('what cannot be inferred', () => {
    const gap = changed(dict, {
      weight_ih_l1: undefined,
      weight_hh_l1: undefined,
      bias_ih_l1: undefined,
      bias_hh_l1: undefined,
      bias_ih_l2: [1, 2, 3, 4],
    })
    expectError(() => RNN.fromStateDict(gap), 'ERR_RNN_STATE_DICT', 'missing weight_ih_l1 of shape (4, 4)')
    expectError(
      () => RNN.fromStateDict({ ...dict, bias_ih_l64: [1] }),
      'ERR_RNN_STATE_DICT',
      'at most 64 layers are possible',
    )
    expectError(
      () => RNN.fromStateDict(changed(dict, { weight_ih_l0: [1, 2] })),
      'ERR_RNN_STATE_DICT',
      'weight_ih_l0 must have 2 axes, got shape [2]',
    )
    expectError(
      () =>
        RNN.fromStateDict({
          weight_ih_l0: [[], []],
          weight_hh_l0: [
            [1, 2],
            [1, 2],
          ],
        }),
      'ERR_RNN_STATE_DICT',
      'input_size must be from 1',
    )
    expectError(
      () => RNN.fromStateDict(changed(dict, { bias_ih_l0: undefined })),
      'ERR_RNN_STATE_DICT',
      'missing bias_ih_l0',
    )
    const projected = new LSTM(3, 4, { projSize: 2 }).stateDict()
    const wide = changed(projected, {
      weight_hh_l0: new Tensor(new Float32Array(64), [16, 4]),
      weight_hr_l0: new Tensor(new Float32Array(16), [4, 4]),
    })
    expectError(
      () => LSTM.fromStateDict(wide),
      'ERR_RNN_STATE_DICT',
      'projection size in weight_hh_l0 must be from 1 to below the hidden size 4',
    )
  })

  it('a getter that throws passes, and one that detaches what was read is noticed', () => {
    const thrown = new Error('mine')
    const hostile = changed(dict, {})
    Object.defineProperty(hostile, 'bias_hh_l1', {
      enumerable: true,
      get: () => {
        throw thrown
      },
    })
    expect(() => layer.loadStateDict(hostile)).toThrow(thrown)
    const early = new Float32Array(dict.weight_ih_l0.data)
    const sly = changed(dict, { weight_ih_l0: { data: early, shape: [4, 3] } })
    const late = dict.bias_hh_l1
    sly.bias_hh_l1 = {
      get data() {
        structuredClone(early.buffer, { transfer: [early.buffer] })
        return late.data
      },
      shape: [4],
    }
    try {
      RNN.fromStateDict(sly)
    } catch (error) {
      expect(error).toHaveProperty('code', 'ERR_RNN_STATE_DICT')
    }
  })
})
