/** Linear: products of any shape, the bits of a row, and what is refused. */
import { Linear, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

describe.each(backends)('Linear on %s', (backend) => {
  it('multiplies the last axis of any shape', () => {
    const linear = Linear.fromStateDict(
      {
        weight: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        bias: [0.5, 0, -1],
      },
      { backend },
    )
    expect(linear.forward([1, 1]).toNested()).toEqual([3.5, 7, 10])
    expect(
      linear
        .forward([
          [
            [1, 0],
            [0, 1],
          ],
        ])
        .toNested(),
    ).toEqual([
      [
        [1.5, 3, 4],
        [2.5, 4, 5],
      ],
    ])
    expect(linear.forward(new Tensor(new Float32Array(0), [4, 0, 2])).shape).toEqual([4, 0, 3])
    expect(linear.backend).toBe(backend)
  })

  it('gives each row the same bits, whatever stands beside it', () => {
    const linear = new Linear(37, 29, { backend, seed: 1 })
    const x = ramp(13, 37)
    const all = linear.forward(x)
    for (let i = 0; i < 13; i++) {
      expect(linear.forward(new Tensor(x.data.subarray(i * 37, (i + 1) * 37), [37])).data).toEqual(
        all.data.slice(i * 29, (i + 1) * 29),
      )
    }
  })

  it('says what does not fit, and refuses use after dispose', () => {
    const linear = new Linear(2, 3, { backend })
    expectError(
      () => linear.forward([[1, 2, 3]]),
      'ERR_RNN_SHAPE',
      'input.size(-1) must be equal to in_features. Expected 2, got 3',
    )
    expectError(() => linear.forward(new Tensor(new Float32Array(1), [])), 'ERR_RNN_SHAPE', 'Expected 2, got undefined')
    expectError(() => linear.forward('x' as unknown as Tensor), 'ERR_RNN_SHAPE', 'input must be a Tensor')
    linear.dispose()
    linear[Symbol.dispose]()
    expectError(() => linear.forward([1, 2]), 'ERR_RNN_DISPOSED', 'the Linear was disposed')
    expectError(() => linear.stateDict(), 'ERR_RNN_DISPOSED', 'the Linear was disposed')
    expectError(() => linear.loadStateDict({}), 'ERR_RNN_DISPOSED', 'the Linear was disposed')
  })
})
