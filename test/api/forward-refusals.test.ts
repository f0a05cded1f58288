/** Arguments of a forward pass that do not fit, and the words for each. */
import { GRU, LSTM, type Result, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

describe.each([
  ['RNN', new RNN(3, 4)],
  ['GRU', new GRU(3, 4)],
  ['LSTM', new LSTM(3, 4)],
] as const)('%s says what does not fit, in PyTorch’s words', (name, layer) => {
  const forward = layer.forward.bind(layer) as (input: unknown, options?: unknown) => Result
  const hidden = name === 'LSTM' ? 'hidden[0]' : 'hidden'
  const x3 = ramp(2, 2, 3)
  const x2 = ramp(2, 3)

  it.each<[unknown, string]>([
    [ramp(2, 2, 4), 'input.size(-1) must be equal to input_size. Expected 3, got 4'],
    [ramp(2, 4), 'input.size(-1) must be equal to input_size. Expected 3, got 4'],
    [ramp(3), `${name}: Expected input to be 2-D or 3-D but received 1-D tensor`],
    [ramp(1, 2, 2, 3), `${name}: Expected input to be 2-D or 3-D but received 4-D tensor`],
    [new Tensor(new Float32Array(1), []), `${name}: Expected input to be 2-D or 3-D but received 0-D tensor`],
    [undefined, 'input must be a Tensor'],
    [new Float32Array(6), 'a typed array has no shape'],
    [
      Promise.resolve(x2),
      'input must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got a Promise',
    ],
    [
      [
        [1, 2, 3],
        [1, 2],
      ],
      'input[1] must be an array of length 3',
    ],
  ])('input: %#', (input, words) => {
    expectError(() => forward(input), 'ERR_RNN_SHAPE', words)
  })

  it('input that is detached, also where it is to have no values', () => {
    const data = new Float32Array(6)
    structuredClone(data.buffer, { transfer: [data.buffer] })
    const words = 'input.data must have length 6 for shape [2, 3], got length 0 (its buffer is detached)'
    expectError(() => forward({ data, shape: [2, 3] }), 'ERR_RNN_SHAPE', words)
    const gone = 'input.data must not be detached: its buffer was transferred'
    expectError(() => forward({ data, shape: [0, 3] }), 'ERR_RNN_SHAPE', gone)
    expect(forward({ data: new Float32Array(), shape: [0, 3] }).output.shape).toEqual([0, 4])
  })

  it('h0', () => {
    const wrong = (input: Tensor, h0: unknown, words: string) => {
      expectError(() => forward(input, { h0 }), 'ERR_RNN_SHAPE', words)
    }
    wrong(x3, ramp(1, 1, 4), `Expected ${hidden} size (1, 2, 4), got [1, 1, 4] (h0)`)
    wrong(x3, ramp(2, 2, 4), `Expected ${hidden} size (1, 2, 4), got [2, 2, 4] (h0)`)
    wrong(x3, ramp(1, 4), 'For batched 3-D input, hx should also be 3-D but got 2-D tensor (h0)')
    wrong(x2, ramp(1, 1, 4), 'For unbatched 2-D input, hx should also be 2-D but got 3-D tensor (h0)')
    wrong(x2, ramp(1, 5), `Expected ${hidden} size (1, 4), got [1, 5] (h0)`)
    wrong(x2, 'zeros', 'h0 must be a Tensor')
    wrong(x2, [[1, 2, 3, 'x']], 'h0[0][3] must be a number, got "x"')
    wrong(x2, null, 'h0 must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got null')
  })

  it('c0', () => {
    if (name === 'LSTM') {
      const wrong = (input: Tensor, c0: unknown, words: string) =>
        expectError(() => forward(input, { c0 }), 'ERR_RNN_SHAPE', words)
      wrong(x3, ramp(1, 2, 5), 'Expected hidden[1] size (1, 2, 4), got [1, 2, 5] (c0)')
      wrong(x3, ramp(1, 4), 'For batched 3-D input, cx should also be 3-D but got 2-D tensor (c0)')
    } else {
      expectError(
        () => forward(x2, { c0: ramp(1, 4) }),
        'ERR_RNN_OPTION',
        `unknown option 'c0' of ${name}.forward; only an LSTM has a cell state`,
      )
    }
  })

  it('lengths', () => {
    const count = 'Expected `len(lengths)` to be equal to batch_size, but got'
    expectError(() => forward(x3, { lengths: [1] }), 'ERR_RNN_SHAPE', `${count} 1 (batch_size=2)`)
    expectError(() => forward(x3, { lengths: [1, 1, 1] }), 'ERR_RNN_SHAPE', `${count} 3 (batch_size=2)`)
    for (const wrong of [3, -1, 0.5, Number.NaN, '1', null, undefined, 2 ** 32]) {
      expectError(
        () => forward(x3, { lengths: [2, wrong] }),
        'ERR_RNN_OPTION',
        /^lengths\[1\] must be an integer from 0 to T = 2, got /,
      )
    }
    expectError(() => forward(x3, { lengths: 2 }), 'ERR_RNN_OPTION', 'lengths must be an array of integers, got 2')
    expectError(
      () => forward(x3, { lengths: null }),
      'ERR_RNN_OPTION',
      'lengths must be an array of integers, got null',
    )
    expectError(
      () => forward(x3, { lengths: {} }),
      'ERR_RNN_OPTION',
      'lengths must be an array of integers, got an object',
    )
    for (const [lengths, got] of [
      [BigInt64Array.of(2n, 3n), 3],
      [BigInt64Array.of(2n, -1n), -1],
      [BigUint64Array.of(2n, 2n ** 64n - 1n), '18446744073709552000'],
      [Float32Array.of(2, 1.5), 1.5],
      [Float64Array.of(2, Number.NaN), 'NaN'],
      [[2n, 3n], '3n'],
      [{ data: Uint8Array.of(2, 255), shape: [2] }, 255],
    ] as const) {
      expectError(
        () => forward(x3, { lengths }),
        'ERR_RNN_OPTION',
        `lengths[1] must be an integer from 0 to T = 2, got ${got}`,
      )
    }
    const liar = Object.defineProperty(Int32Array.of(1), 'length', { value: 2 })
    expectError(() => forward(x3, { lengths: liar }), 'ERR_RNN_SHAPE', `${count} 1 (batch_size=2)`)
    expectError(() => forward(x3, { lengths: ramp(2, 1) }), 'ERR_RNN_SHAPE', 'lengths must be 1-D, got a 2-D tensor')
    expectError(
      () => forward(x3, { lengths: { data: BigInt64Array.of(1n), dims: [2] } }),
      'ERR_RNN_SHAPE',
      'lengths.data must have length 2 for shape [2], got length 1',
    )
    expectError(
      () => forward(x3, { lengths: { data: [1, 2], dims: [2] } }),
      'ERR_RNN_SHAPE',
      'lengths.data must be a typed array, got an array of length 2',
    )
    expect(forward(x3, { lengths: new Int32Array([1, 2]) })).toEqual(forward(x3, { lengths: [1, 2] }))
    expect(forward(x2, { lengths: [1] }).output.data.subarray(4)).toEqual(new Float32Array(4))
  })

  it('other options', () => {
    expectError(() => forward(x2, { returnOutput: 0 }), 'ERR_RNN_OPTION', 'returnOutput must be a boolean, got 0')
    expectError(
      () => forward(x2, { h_0: 1 }),
      'ERR_RNN_OPTION',
      `unknown option 'h_0' of ${name}.forward; did you mean 'h0'?`,
    )
    expectError(() => forward(x2, { hn: ramp(1, 4) }), 'ERR_RNN_OPTION', "what a call gives back as hn goes in as 'h0'")
    expectError(() => forward(x2, ramp(1, 4)), 'ERR_RNN_OPTION', `unknown option 'data' of ${name}.forward`)
    expectError(() => forward(x2, null), 'ERR_RNN_OPTION', `the options of ${name}.forward must be an object, got null`)
    expect(forward(x2, { h0: undefined, lengths: undefined, returnOutput: undefined })).toEqual(forward(x2))
  })

  it('inputs too large to count', () => {
    const none = new Tensor(new Float32Array(0), [0, 2 ** 40, 3])
    expectError(() => forward(none), 'ERR_RNN_SHAPE', 'the states of this input would hold 4398046511104 values')
  })
})
