/** Streams that cannot be opened, and states and frames that do not fit. */
import { runInNewContext } from 'node:vm'
import { GRU, LSTM, Stream, Tensor } from 'native-rnn'
import { describe, it } from 'vitest'
import { expectError } from '../support/errors.ts'

describe('what is refused', () => {
  const layer = new LSTM(2, 3, { seed: 1 })

  it('streams of bidirectional layers, with the reason', () => {
    const both = new LSTM(2, 3, { bidirectional: true })
    const why =
      'its backward direction begins at the end of the sequence, which a live stream has not seen; use forward'
    expectError(
      () => both.stream(),
      'ERR_RNN_OPTION',
      `stream needs a unidirectional layer, and this LSTM is bidirectional: ${why}`,
    )
    expectError(
      () => both.restoreStream(new Uint8Array(9)),
      'ERR_RNN_OPTION',
      'restoreStream needs a unidirectional layer',
    )
  })

  it('wrong options', () => {
    for (const wrong of [0, -1, 1.5, '2', null, 2 ** 20 + 1]) {
      const options = { batchSize: wrong as number }
      expectError(
        () => layer.stream(options),
        'ERR_RNN_OPTION',
        /^batchSize must be an integer from 1 to 1048576, got /,
      )
    }
    expectError(() => layer.stream({ batch: 2 } as object), 'ERR_RNN_OPTION', "unknown option 'batch' of LSTM.stream")
    expectError(() => layer.stream({ batch_size: 2 } as object), 'ERR_RNN_OPTION', "did you mean 'batchSize'?")
    expectError(
      () => new GRU(2, 3).stream({ c0: [[1, 2, 3]] } as object),
      'ERR_RNN_OPTION',
      'only an LSTM has a cell state',
    )
    expectError(
      () => new GRU(2 ** 13, 1).stream({ batchSize: 2 ** 20 }),
      'ERR_RNN_OPTION',
      'batchSize 1048576 is too large',
    )
  })

  it('states that do not fit', () => {
    const zeros = (...shape: number[]) => new Tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape)
    expectError(
      () => layer.stream({ h0: zeros(1, 2, 3) }),
      'ERR_RNN_SHAPE',
      'Expected hidden[0] size (1, 1, 3), got [1, 2, 3] (h0)',
    )
    expectError(
      () => layer.stream({ c0: zeros(1, 4) }),
      'ERR_RNN_SHAPE',
      'Expected hidden[1] size (1, 3), got [1, 4] (c0)',
    )
    expectError(
      () => layer.stream({ batchSize: 2, h0: zeros(1, 3) }),
      'ERR_RNN_SHAPE',
      'For batched 3-D input, hx should also be 3-D but got 2-D tensor (h0)',
    )
    expectError(
      () => layer.stream().reset({ h0: zeros(2, 3) }),
      'ERR_RNN_SHAPE',
      'Expected hidden[0] size (1, 3), got [2, 3] (h0)',
    )
    expectError(
      () => layer.stream().reset({ hn: zeros(1, 3) } as object),
      'ERR_RNN_OPTION',
      "what a call gives back as hn goes in as 'h0'",
    )
    expectError(
      () => layer.stream().reset(null as unknown as object),
      'ERR_RNN_OPTION',
      'the options of Stream.reset must be an object, got null',
    )
  })

  it('frames that do not fit', () => {
    const stream = layer.stream({ batchSize: 2 })
    const step = stream.step as (frame: unknown) => void
    expectError(() => step(new Float32Array(3)), 'ERR_RNN_SHAPE', 'frame must have length B·I = 4, got 3')
    expectError(
      () => step([1, 2, 3, 4]),
      'ERR_RNN_SHAPE',
      'frame must be a Float32Array of B·I = 4 values, got an array of length 4',
    )
    expectError(() => step(new Float64Array(4)), 'ERR_RNN_SHAPE', 'got a Float64Array of length 4')
    expectError(() => step(undefined), 'ERR_RNN_SHAPE', 'frame must be a Float32Array of B·I = 4 values, got undefined')
    expectError(() => step(null), 'ERR_RNN_SHAPE', 'got null')
    const detached = new Float32Array(4)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    expectError(() => step(detached), 'ERR_RNN_SHAPE', 'frame must have length B·I = 4, got 0')
    step(runInNewContext('new Float32Array(4)'))
    expectError(
      () => stream.run([[1, 2]]),
      'ERR_RNN_SHAPE',
      'Expected frames to be 3-D (T, B, I), as the stream has batch size 2, but received 2-D tensor',
    )
    expectError(() => stream.run([[[1, 2]]]), 'ERR_RNN_SHAPE', 'Expected frames of shape (1, 2, 2), got [1, 1, 2]')
    expectError(
      () =>
        stream.run([
          [
            [1, 2, 3],
            [1, 2, 3],
          ],
        ]),
      'ERR_RNN_SHAPE',
      'frames.size(-1) must be equal to input_size. Expected 2, got 3',
    )
    expectError(
      () => layer.stream().run([1, 2]),
      'ERR_RNN_SHAPE',
      'Expected frames to be 2-D (T, I) or 3-D (T, B, I) but received 1-D tensor',
    )
    expectError(
      () => layer.stream().run(new Float32Array(2) as unknown as Tensor),
      'ERR_RNN_SHAPE',
      'a typed array has no shape',
    )
  })

  it('a Stream made by hand', () => {
    const Made = Stream as unknown as new (...values: unknown[]) => Stream
    expectError(() => new Made(), 'ERR_RNN_OPTION', 'streams are opened by layer.stream()')
    expectError(() => new Made({}, 1), 'ERR_RNN_OPTION', 'streams are opened by layer.stream()')
  })
})
