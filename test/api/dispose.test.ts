/** What a layer refuses once it is disposed. */
import { GRU, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

describe.each([
  ['RNN', () => new RNN(2, 2)],
  ['GRU', () => new GRU(2, 2)],
  ['LSTM', () => new LSTM(2, 2)],
] as const)('%s after dispose', (name, make) => {
  it('refuses every use, and disposes again in silence', () => {
    const layer = make()
    const dict = layer.stateDict()
    const saved = layer.stream().save()
    layer.dispose()
    layer.dispose()
    layer[Symbol.dispose]()
    const words = `the ${name} was disposed and cannot be used any more`
    expectError(() => layer.forward([[1, 2]]), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.stream(), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.restoreStream(saved), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.stateDict(), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.loadStateDict(dict), 'ERR_RNN_DISPOSED', words)
    expect(layer.inputSize).toBe(2)
  })
})
