/** Batchers, streams and steps that are refused, and the words for each. */
import { BatchedStream, Batcher, GRU, LSTM } from 'native-rnn'
import { describe, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { expectError, expectRejected } from '../support/errors.ts'

describe.each(backends)('a batcher on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, backend })

  it('says what is wrong', async () => {
    const batcher = lstm.batcher()
    const stream = batcher.open()
    await expectRejected(stream.step([1] as never), 'ERR_RNN_SHAPE', 'frame must be a Float32Array of I = 6 values')
    await expectRejected(stream.step(new Float32Array(7)), 'ERR_RNN_SHAPE', 'frame must have length I = 6, got 7')
    await expectRejected(
      stream.step(frame(1), { signal: 1 } as never),
      'ERR_RNN_OPTION',
      'signal must be an AbortSignal',
    )
    await expectRejected(stream.step(frame(1), { sginal: 1 } as never), 'ERR_RNN_OPTION', "did you mean 'signal'")
    expectError(() => lstm.batcher({ maxBatch: 0 }), 'ERR_RNN_OPTION', 'maxBatch must be an integer from 1')
    expectError(() => lstm.batcher({ maxQueue: 1.5 }), 'ERR_RNN_OPTION', 'maxQueue must be an integer from 1')
    expectError(() => lstm.batcher({ maxDelayMs: -1 }), 'ERR_RNN_OPTION', 'maxDelayMs must be a number of milliseconds')
    expectError(() => lstm.batcher({ batch: 1 } as never), 'ERR_RNN_OPTION', "unknown option 'batch'")
    expectError(() => batcher.open({ h0: [[1, 2]] }), 'ERR_RNN_SHAPE', 'h0')
    expectError(() => stream.reset({ h0: [[1, 2]] }), 'ERR_RNN_SHAPE', 'h0')
    expectError(
      () => new GRU(I, 4, { bidirectional: true, backend }).batcher(),
      'ERR_RNN_OPTION',
      'batcher needs a unidirectional layer',
    )
    expectError(
      () => new GRU(I, 4, { backend }).batcher().open({ c0: [] } as never),
      'ERR_RNN_OPTION',
      'only an LSTM has a cell state',
    )
    expectError(
      () => new (Batcher as unknown as new (...values: unknown[]) => unknown)('GRU', {}),
      'ERR_RNN_OPTION',
      'layer.batcher()',
    )
    expectError(
      () => new (BatchedStream as unknown as new (...values: unknown[]) => unknown)({}, {}),
      'ERR_RNN_OPTION',
      'batcher.open()',
    )
    const disposed = new GRU(I, 4, { backend })
    disposed.dispose()
    expectError(() => disposed.batcher(), 'ERR_RNN_DISPOSED', 'was disposed')
  })
})
