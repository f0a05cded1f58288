/** State dicts that hold something in place of a weight: the error names what stands there and what to call in PyTorch first. */
import { GRU, Linear, LSTM, type StateDict } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

/** A layer's dict in which some weights stand under other keys, as a tool of PyTorch leaves them. */
function dictOf(prefix: string, weights: readonly string[], ends: readonly string[], before = ''): StateDict {
  const dict: StateDict = {}
  for (const [key, tensor] of Object.entries(
    new LSTM(2, 3, { numLayers: 2, bidirectional: true, seed: 1 }).stateDict(),
  )) {
    if (!weights.includes(key)) dict[`${prefix}${key}`] = tensor
    else for (const end of ends) dict[`${prefix}${before}${key}${end}`] = tensor
  }
  return dict
}

const tools = [
  [
    'weight norm',
    ['_g', '_v'],
    '',
    (name: string) => `call torch.nn.utils.remove_weight_norm(rnn, '${name}') in PyTorch and save again`,
  ],
  [
    'a parametrization',
    ['.original0', '.original1'],
    'parametrizations.',
    (name: string) =>
      `call torch.nn.utils.parametrize.remove_parametrizations(rnn, '${name}') in PyTorch and save again`,
  ],
  [
    'a parametrization',
    ['.original'],
    'parametrizations.',
    (name: string) => `remove_parametrizations(rnn, '${name}')`,
  ],
  ['pruning', ['_orig', '_mask'], '', (name: string) => `call torch.nn.utils.prune.remove(rnn, '${name}')`],
  [
    'spectral norm',
    ['_orig', '_u', '_v'],
    '',
    (name: string) => `call torch.nn.utils.remove_spectral_norm(rnn, '${name}')`,
  ],
  [
    'weight drop',
    ['_raw'],
    '',
    (name: string) => `what is saved as ${name}_raw is the weight: give it the key ${name}`,
  ],
] as const

const weights = ['weight_hh_l0', 'weight_ih_l0', 'weight_hh_l1', 'weight_hh_l0_reverse']

describe.each(tools)('%s on a weight', (what, ends, before, remedy) => {
  it.each(weights.flatMap((weight) => ['', 'rnn.', 'module.rnn.'].map((prefix) => [weight, prefix] as const)))(
    '%s under the prefix "%s"',
    (weight, prefix) => {
      const dict = dictOf(prefix, [weight], ends, before)
      const words = `these are keys of ${what}`
      const known = new LSTM(2, 3, { numLayers: 2, bidirectional: true })
      for (const read of [() => LSTM.fromStateDict(dict, { prefix }), () => known.loadStateDict(dict, { prefix })]) {
        const { message } = expectError(read, 'ERR_RNN_STATE_DICT', words)
        expect(message).toContain(remedy(weight))
        expect(message).toMatch(/missing .*weight_/)
      }
    },
  )

  it('names the others too', () => {
    const { message } = expectError(
      () => LSTM.fromStateDict(dictOf('', ['weight_hh_l0', 'weight_hh_l1'], ends, before)),
      'ERR_RNN_STATE_DICT',
      ', and so for each of weight_hh_l0, weight_hh_l1)',
    )
    expect(message).toContain(remedy('weight_hh_l0'))
  })
})

describe('other files', () => {
  it('a Linear under weight norm', () => {
    const dict = { 'head.weight_g': [[1]], 'head.weight_v': [[1]], 'head.bias': [1] }
    expectError(
      () => Linear.fromStateDict(dict, { prefix: 'head.' }),
      'ERR_RNN_STATE_DICT',
      "remove_weight_norm(rnn, 'weight')",
    )
  })

  it('of a quantized model, and of Keras', () => {
    const packed = { 'rnn._all_weight_values.0.param.version': [1] }
    expectError(() => GRU.fromStateDict(packed, { prefix: 'rnn.' }), 'ERR_RNN_STATE_DICT', 'before quantize_dynamic')
    expectError(() => GRU.fromStateDict({ kernel: [[1]], recurrent_kernel: [[1]] }), 'ERR_RNN_STATE_DICT', 'fromKeras')
  })

  it.each(['module.', '_orig_mod.', 'model.encoder.'])('whose keys stand under %s', (prefix) => {
    const dict = dictOf(`${prefix}rnn.`, [], [])
    expectError(
      () => LSTM.fromStateDict(dict, { prefix: 'rnn.' }),
      'ERR_RNN_STATE_DICT',
      `(did you mean prefix: '${prefix}rnn.'?)`,
    )
  })

  it('that are ordinary have no such hint', () => {
    const { message } = expectError(
      () => GRU.fromStateDict({ weight_v: [[1]], weight_ih_l0_g: [[1]], graw: [1] }),
      'ERR_RNN_STATE_DICT',
      'missing weight_ih_l0',
    )
    expect(message).not.toContain('these are keys')
  })
})
