/** `fromKeras`: what is read off weights and config, and each way in which they do not fit, with the words for it. */
import { fromKeras, GRU, type KerasConfig, type KerasLayer, LSTM, RNN, type RNNErrorCode } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

const I = 3
const H = 8
const gates = { SimpleRNN: 1, GRU: 3, LSTM: 4, CuDNNGRU: 3, CuDNNLSTM: 4 } as const
type Type = keyof typeof gates

/** One direction's weights with a bias of this shape; none where it is null. */
function weightsOf(type: Type, bias?: number[] | null) {
  const rows = gates[type] * H
  const cudnn = type.startsWith('CuDNN')
  const shape = bias ?? (cudnn ? [2 * rows] : type === 'GRU' ? [2, rows] : [rows])
  return [ramp(I, rows), ramp(H, rows), ...(bias === null ? [] : [ramp(...shape)])]
}
const from = <T extends Type>(type: T, config?: KerasConfig, weights = weightsOf(type)) =>
  fromKeras({ type, weights, config })
const frames = ramp(4, I)
const outputOf = (layer: RNN | GRU | LSTM) => layer.forward(frames).output.toNested()

describe('fromKeras', () => {
  it('makes a layer of the right class and sizes', () => {
    const sizes = { inputSize: I, hiddenSize: H, numLayers: 1, bidirectional: false, bias: true, batchFirst: false }
    expect(from('SimpleRNN')).toBeInstanceOf(RNN)
    expect(from('GRU')).toBeInstanceOf(GRU)
    expect(from('CuDNNGRU')).toBeInstanceOf(GRU)
    expect(from('LSTM')).toBeInstanceOf(LSTM)
    expect(from('CuDNNLSTM')).toBeInstanceOf(LSTM)
    expect(from('CuDNNLSTM', { units: H })).toMatchObject(sizes)
    expect(from('LSTM', { use_bias: false }, weightsOf('LSTM', null))).toMatchObject({ ...sizes, bias: false })
    const twice = [...weightsOf('GRU'), ...weightsOf('GRU')]
    expect(from('GRU', undefined, twice)).toMatchObject({ ...sizes, bidirectional: true })
    const layer = fromKeras(
      { type: 'LSTM', weights: weightsOf('LSTM') },
      {
        batchFirst: true,
        backend: 'typescript',
        threads: 2,
        seed: 1,
        dropout: 0.5,
        numLayers: 1,
        bias: true,
        bidirectional: false,
      },
    )
    expect(layer).toMatchObject({ ...sizes, batchFirst: true, backend: 'typescript' })
    expect(Object.keys(layer.stateDict())).toEqual(['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'])
  })

  it('shares no memory with the weights, and streams as any other layer', () => {
    const weights = weightsOf('LSTM')
    const layer = fromKeras({ type: 'LSTM', weights })
    const before = outputOf(layer)
    for (const { data } of weights) data.fill(0)
    expect(outputOf(layer)).toEqual(before)
    expect(layer.stream().run(frames).toNested()).toEqual(before)
  })

  it('reads the place of the reset off the bias, else off the config, else off the version', () => {
    expect(from('GRU').resetAfter).toBe(true)
    expect(from('GRU', {}, weightsOf('GRU', [3 * H])).resetAfter).toBe(false)
    expect(from('CuDNNGRU').resetAfter).toBe(true)
    const none = weightsOf('GRU', null)
    const after = (config: KerasConfig) => from('GRU', config, none).resetAfter
    expect(after({})).toBe(true)
    expect(after({ reset_after: false })).toBe(false)
    for (const [keras_version, wanted] of [
      ['1.2.2', false],
      ['2.2.4', false],
      ['2.2.4-tf', false],
      ['tfjs-layers 4.22.0', false],
      ['2.3.0', true],
      ['2.15.0', true],
      ['2.20.1', true],
      ['3.15.1', true],
    ] as const) {
      expect(after({ keras_version })).toBe(wanted)
      expect(after({ kerasVersion: keras_version, resetAfter: !wanted })).toBe(!wanted)
    }
  })

  it('has the hard sigmoid and the defaults of the version', () => {
    const gate = (config: KerasConfig) => outputOf(from('LSTM', config))
    const slope = (alpha: number) => gate({ recurrent_activation: { name: 'hardSigmoid', alpha, beta: 0.5 } })
    expect(slope(0.2)).not.toEqual(slope(1 / 6))
    const recurrent_activation = 'hard_sigmoid'
    expect(gate({ recurrent_activation })).toEqual(slope(0.2))
    expect(gate({ recurrentActivation: 'hardSigmoid' })).toEqual(slope(0.2))
    expect(gate({ recurrent_activation, keras_version: '2.15.0' })).toEqual(slope(0.2))
    expect(gate({ recurrent_activation, keras_version: '3.0.0' })).toEqual(slope(1 / 6))
    expect(gate({ recurrent_activation, dtype: { module: 'keras', class_name: 'DTypePolicy' } })).toEqual(slope(1 / 6))
    expect(gate({ recurrent_activation, seed: null })).toEqual(slope(1 / 6))
    expect(gate({ recurrent_activation, seed: null, keras_version: '2.15.0' })).toEqual(slope(0.2))
    expect(gate({ keras_version: '1.2.2' })).toEqual(slope(0.2))
    expect(gate({ keras_version: 'tfjs-layers 4.22.0' })).toEqual(slope(0.2))
    expect(gate({ keras_version: '2.3.1' })).toEqual(gate({}))
    expect(gate({ activation: { class_name: 'function', config: 'relu' } })).toEqual(gate({ activation: 'relu' }))
    expect(gate({ activation: null })).toEqual(gate({ activation: 'linear' }))
    expect(outputOf(from('CuDNNLSTM', { keras_version: '2.2.4', recurrent_activation: 'sigmoid' }))).toEqual(
      outputOf(from('CuDNNLSTM')),
    )
  })

  it('takes clip, and the config of a Bidirectional', () => {
    const one = { type: 'GRU', weights: weightsOf('GRU') } as const
    const clipped = fromKeras(one, { clip: 0.01 })
    expect(outputOf(clipped)).not.toEqual(outputOf(fromKeras(one)))
    const layer = { class_name: 'GRU', config: { units: H, activation: 'relu', go_backwards: false } }
    const backward_layer = { class_name: 'GRU', config: { ...layer.config, go_backwards: true } }
    const weights = [...weightsOf('GRU'), ...weightsOf('GRU')]
    const plain = from('GRU', { activation: 'relu' }, weights)
    for (const config of [
      { layer, backward_layer, merge_mode: 'concat' },
      { layer, mergeMode: null },
      { class_name: 'Bidirectional', config: { layer, backward_layer: null, name: 'x' } },
    ]) {
      expect(outputOf(from('GRU', config, weights))).toEqual(outputOf(plain))
    }
    expect(outputOf(from('GRU', layer))).toEqual(outputOf(from('GRU', { activation: 'relu' })))
  })

  it('reads the true values of arrays that lie, and refuses those that a later getter takes away', () => {
    class Liar extends Float32Array {
      override subarray(): Float32Array<ArrayBuffer> {
        return new Float32Array(1)
      }
    }
    const honest = weightsOf('GRU')
    const weights = honest.map(({ data, shape }) => ({ data: new Liar([...data]), shape }))
    for (const { data } of weights) Object.defineProperty(data, 'length', { value: 5 })
    expect(outputOf(fromKeras({ type: 'GRU', weights }))).toEqual(outputOf(fromKeras({ type: 'GRU', weights: honest })))
    const arrays = [0, 1, 2].flatMap(() => [ramp(I, H), ramp(H, H), ramp(H)])
    const hostile = arrays.with(8, {
      get data() {
        structuredClone(arrays[0].data.buffer, { transfer: [arrays[0].data.buffer as ArrayBuffer] })
        return new Float32Array(H)
      },
      shape: [H],
    } as never)
    const words = 'weights[0].data must keep its length 24 during the call, but has 0 now'
    expectError(() => fromKeras({ type: 'GRU', weights: hostile }), 'ERR_RNN_SHAPE', words)
    expectError(() => fromKeras({ type: 'GRU', weights: new Array(1e9) }), 'ERR_RNN_STATE_DICT', 'at most 24 tensors')
  })

  const twice = [...weightsOf('LSTM'), ...weightsOf('LSTM')]
  const lstm = 'an LSTM of 8 units wants kernel (I, 32), recurrent_kernel (8, 32), bias (32)'
  it.each<[string, () => unknown, RNNErrorCode, string]>([
    [
      'four arrays',
      () => from('LSTM', { use_bias: true }, twice.slice(0, 4)),
      'ERR_RNN_STATE_DICT',
      'weights of an LSTM must be 3 (kernel, recurrent_kernel and bias), or 6 for a Bidirectional, got 4',
    ],
    [
      'one array',
      () => from('GRU', {}, weightsOf('GRU').slice(0, 1)),
      'ERR_RNN_STATE_DICT',
      'weights of a GRU without bias must be 2 (kernel and recurrent_kernel), or 4 for a Bidirectional, got 1',
    ],
    ['no arrays', () => from('SimpleRNN', {}, []), 'ERR_RNN_STATE_DICT', 'got 0'],
    [
      'a Bidirectional’s config and three',
      () => from('LSTM', { layer: {} }),
      'ERR_RNN_STATE_DICT',
      'weights of an LSTM must be 6 (kernel, recurrent_kernel and bias, forward then backward), got 3',
    ],
    [
      'CuDNN without bias',
      () => from('CuDNNLSTM', {}, weightsOf('LSTM', null)),
      'ERR_RNN_STATE_DICT',
      'weights of a CuDNNLSTM must be 3',
    ],
    [
      'no list',
      () => fromKeras({ type: 'LSTM', weights: {} as never }),
      'ERR_RNN_STATE_DICT',
      'weights must be an array of tensors',
    ],
    [
      'no weights',
      () => fromKeras({ type: 'LSTM' } as never),
      'ERR_RNN_STATE_DICT',
      'weights must be an array of tensors',
    ],
    [
      'no tensor',
      () => fromKeras({ type: 'LSTM', weights: [1, 2, 3] as never }),
      'ERR_RNN_SHAPE',
      'weights[0] must be a Tensor',
    ],
    [
      'a bias of another size',
      () => from('LSTM', {}, weightsOf('LSTM', [31])),
      'ERR_RNN_STATE_DICT',
      `${lstm}, got [3, 32], [8, 32], [31]`,
    ],
    [
      'a bias of CuDNN',
      () => from('LSTM', {}, weightsOf('LSTM', [64])),
      'ERR_RNN_STATE_DICT',
      `${lstm}, got [3, 32], [8, 32], [64]; a bias of 64 is that of a CuDNNLSTM`,
    ],
    [
      'a bias of no CuDNN',
      () => from('CuDNNLSTM', {}, weightsOf('LSTM')),
      'ERR_RNN_STATE_DICT',
      'bias (64), got [3, 32], [8, 32], [32]; a bias of 32 is that of an LSTM',
    ],
    [
      'other units',
      () => from('LSTM', { units: 7 }),
      'ERR_RNN_STATE_DICT',
      'an LSTM of 7 units wants kernel (I, 28), recurrent_kernel (7, 28), bias (28), got [3, 32]',
    ],
    [
      'the weights of a GRU',
      () => from('LSTM', {}, weightsOf('GRU')),
      'ERR_RNN_STATE_DICT',
      `${lstm}, got [3, 24], [8, 24], [2, 24]`,
    ],
    [
      'PyTorch’s matrices',
      () => from('LSTM', {}, [ramp(32, 3), ramp(32, 8), ramp(32)]),
      'ERR_RNN_STATE_DICT',
      'an LSTM of 32 units wants',
    ],
    [
      'a backward layer of another size',
      () => from('LSTM', {}, [...weightsOf('LSTM'), ...weightsOf('LSTM', [8])]),
      'ERR_RNN_STATE_DICT',
      'an LSTM of 8 units, backward, wants kernel (3, 32)',
    ],
    [
      'a bias of one axis with reset_after',
      () => from('GRU', { reset_after: true }, weightsOf('GRU', [24])),
      'ERR_RNN_STATE_DICT',
      'bias (2, 24), got [3, 24], [8, 24], [24]; a bias of one axis is that of reset_after: false',
    ],
    [
      'a bias of two without',
      () => from('GRU', { reset_after: false }),
      'ERR_RNN_STATE_DICT',
      'bias (24), got [3, 24], [8, 24], [2, 24]; a bias of two axes is that of reset_after: true',
    ],
    [
      'no axes',
      () => from('LSTM', {}, [ramp(), ramp(), ramp()]),
      'ERR_RNN_STATE_DICT',
      'an LSTM wants kernel (I, 4·H) and recurrent_kernel (H, 4·H)',
    ],
    [
      'gates of Keras 1 that differ',
      () =>
        from(
          'GRU',
          {},
          [0, 1, 2].flatMap((gate) => [ramp(I, H), ramp(H, H + gate), ramp(H)]),
        ),
      'ERR_RNN_STATE_DICT',
      'the U of all gates must have one shape of 2 axes, got [8, 8] and [8, 9]',
    ],
    [
      'NaN',
      () => {
        const weights = weightsOf('LSTM')
        weights[1].data[33] = Number.NaN
        return from('LSTM', {}, weights)
      },
      'ERR_RNN_STATE_DICT',
      'recurrent_kernel must be finite, got NaN at [1, 1]',
    ],
    [
      'a type of no recurrent layer',
      () => fromKeras({ type: 'Dense' as never, weights: [] }),
      'ERR_RNN_OPTION',
      "type must be one of 'SimpleRNN', 'GRU', 'LSTM', 'CuDNNGRU', 'CuDNNLSTM', got \"Dense\"",
    ],
    [
      'the type Bidirectional',
      () => fromKeras({ type: 'Bidirectional' as never, weights: [] }),
      'ERR_RNN_OPTION',
      'type must be that of the layer inside the Bidirectional',
    ],
    ['no type', () => fromKeras({ weights: [] } as unknown as KerasLayer), 'ERR_RNN_OPTION', 'type must be one of'],
    [
      'another field',
      () => fromKeras({ type: 'GRU', weights: [], name: 'x' } as never),
      'ERR_RNN_OPTION',
      "unknown option 'name' of a Keras layer",
    ],
    ['a config that is a text', () => from('GRU', 'x' as never), 'ERR_RNN_OPTION', 'config must be an object, got "x"'],
    [
      'a config of another class',
      () => from('GRU', { class_name: 'LSTM', config: {} }),
      'ERR_RNN_OPTION',
      'the config must be that of a layer of type \'GRU\', got class_name "LSTM"',
    ],
    [
      'an unknown name',
      () => from('GRU', { recurrent_activatoin: 'tanh' }),
      'ERR_RNN_OPTION',
      "config.recurrent_activatoin is not known; did you mean 'recurrent_activation'?",
    ],
    [
      'a name twice',
      () => from('GRU', { reset_after: true, resetAfter: true }),
      'ERR_RNN_OPTION',
      'config.resetAfter stands twice, in two spellings',
    ],
    [
      'an activation that is none here',
      () => from('GRU', { activation: 'selu' }),
      'ERR_RNN_OPTION',
      "config.activation must be one of 'tanh', 'sigmoid', 'relu', 'linear'",
    ],
    [
      'an activation that objects have',
      () => from('GRU', { activation: 'constructor' }),
      'ERR_RNN_OPTION',
      'got "constructor"',
    ],
    [
      'an activation that is a layer',
      () => from('GRU', { activation: { class_name: 'PReLU', config: {} } }),
      'ERR_RNN_OPTION',
      'got "PReLU"',
    ],
    [
      'an activation that is a number',
      () => from('GRU', { recurrent_activation: 5 as never }),
      'ERR_RNN_OPTION',
      'config.recurrent_activation must be one of',
    ],
    [
      'a factor that is none',
      () => from('GRU', { activation: { name: 'elu', alpha: 'x' } as never }),
      'ERR_RNN_OPTION',
      'config.activation.alpha must be a finite float32 number',
    ],
    [
      'CuDNN with another activation',
      () => from('CuDNNGRU', { activation: 'relu' }),
      'ERR_RNN_OPTION',
      'config.activation of a CuDNNGRU must be \'tanh\', got "relu"',
    ],
    [
      'CuDNN with the reset before',
      () => from('CuDNNGRU', { reset_after: false }),
      'ERR_RNN_OPTION',
      'config.reset_after of a CuDNNGRU must be true',
    ],
    [
      'a merge that is a sum',
      () => from('LSTM', { layer: {}, merge_mode: 'sum' }, twice),
      'ERR_RNN_OPTION',
      'config.merge_mode must be \'concat\' or null, got "sum"',
    ],
    [
      'directions that differ',
      () =>
        from(
          'LSTM',
          {
            layer: { class_name: 'LSTM', config: {} },
            backward_layer: { class_name: 'LSTM', config: { activation: 'relu' } },
          },
          twice,
        ),
      'ERR_RNN_OPTION',
      'config.backward_layer must have the options of config.layer',
    ],
    [
      'a forward layer that goes backwards',
      () => from('LSTM', { go_backwards: true }, twice),
      'ERR_RNN_OPTION',
      "config.go_backwards of a Bidirectional's forward layer must be false",
    ],
    [
      'units that are no integer',
      () => from('LSTM', { units: 1.5 }),
      'ERR_RNN_OPTION',
      'config.units must be an integer from 1 to 1048576, got 1.5',
    ],
    [
      'an option that the layer has otherwise',
      () => fromKeras({ type: 'LSTM', weights: weightsOf('LSTM') }, { bidirectional: true }),
      'ERR_RNN_OPTION',
      'bidirectional must be left out, or be what the Keras layer has: false, got true',
    ],
    [
      'an unknown option',
      () => fromKeras({ type: 'LSTM', weights: weightsOf('LSTM') }, { layers: 2 } as never),
      'ERR_RNN_OPTION',
      "unknown option 'layers' of fromKeras",
    ],
  ])('refuses %s', (_, run, code, words) => {
    expectError(run, code, words)
  })
})
