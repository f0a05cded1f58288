/** Saved states of streams: where they come back, and what is refused. */
import { GRU, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

const layer = new LSTM(2, 3, { seed: 1 })

describe('saved states', () => {
  const stream = layer.stream({ batchSize: 2 })
  stream.step(Float32Array.of(1, 2, 3, 4))
  const bytes = stream.save()

  it('of other weights, sizes or cells', () => {
    const words = 'the saved state is of other weights'
    expectError(() => new LSTM(2, 3, { seed: 2 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
    expectError(() => new LSTM(2, 4, { seed: 1 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
    expectError(() => new LSTM(2, 3, { seed: 1, numLayers: 2 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
    expectError(() => new GRU(2, 3, { seed: 1 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
    const tanh = new RNN(2, 3, { seed: 1 })
    const relu = RNN.fromStateDict(tanh.stateDict(), { nonlinearity: 'relu' })
    expectError(() => relu.restoreStream(tanh.stream().save()), 'ERR_RNN_STATE', words)
    const nudged = layer.stateDict()
    nudged.bias_hh_l0.data[0] += 1e-3
    expectError(() => LSTM.fromStateDict(nudged).restoreStream(bytes), 'ERR_RNN_STATE', words)
    expect(LSTM.fromStateDict(layer.stateDict()).restoreStream(bytes).save()).toEqual(bytes)
  })

  it('with any byte changed, any length cut off or added', () => {
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice()
      damaged[i] ^= 1 << (i % 8)
      expectError(() => layer.restoreStream(damaged), 'ERR_RNN_STATE', /saved state|begin with its mark/)
      expectError(() => layer.restoreStream(bytes.slice(0, i)), 'ERR_RNN_STATE', /./)
    }
    const longer = new Uint8Array(bytes.length + 4)
    longer.set(bytes)
    expectError(
      () => layer.restoreStream(longer),
      'ERR_RNN_STATE',
      'the saved state is damaged: its checksum does not match its bytes',
    )
  })

  it('says what it is', () => {
    const version = bytes.slice()
    version[7] = 9
    expectError(() => layer.restoreStream(version), 'ERR_RNN_STATE', 'the saved state has format version 9')
    expectError(() => layer.restoreStream(new Uint8Array(100)), 'ERR_RNN_STATE', 'do not begin with its mark')
    expectError(
      () => layer.restoreStream(bytes.slice(0, 50)),
      'ERR_RNN_STATE',
      'the saved state is cut short: it has only 50 bytes',
    )
    for (const wrong of [undefined, null, 'bytes', [1, 2], new ArrayBuffer(9), new Float32Array(9)]) {
      const words = 'bytes must be the Uint8Array that save() gave, got'
      expectError(() => layer.restoreStream(wrong as unknown as Uint8Array), 'ERR_RNN_STATE', words)
    }
  })

  it('come back from a Buffer, a view, and shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3)
    shared.set(bytes)
    for (const copy of [Buffer.from(bytes), shared]) {
      expect(layer.restoreStream(copy).state()).toEqual(stream.state())
    }
  })

  it('keep NaN and infinity', () => {
    const odd = layer.stream({ h0: [[Number.NaN, Infinity, -0]] })
    expect(layer.restoreStream(odd.save()).state()).toEqual(odd.state())
  })
})
