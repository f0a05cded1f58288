/** Embedding: look-ups of ids of any kind, and what is refused. */
import { Embedding, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

describe('Embedding', () => {
  const embedding = Embedding.fromStateDict({
    weight: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  })

  it('looks up ids of any shape', () => {
    expect(embedding.forward([2, 0]).toNested()).toEqual([
      [5, 6],
      [1, 2],
    ])
    expect(embedding.forward([[1], [2]]).toNested()).toEqual([[[3, 4]], [[5, 6]]])
    for (const ids of [Int32Array.of(1, 2), Uint8Array.of(1, 2), Uint16Array.of(1, 2), Uint32Array.of(1, 2)]) {
      expect(embedding.forward(ids).toNested()).toEqual([
        [3, 4],
        [5, 6],
      ])
    }
    expect(embedding.forward({ data: Int32Array.of(1, 2), shape: [2, 1] }).toNested()).toEqual([[[3, 4]], [[5, 6]]])
    expect(embedding.forward({ data: Int32Array.of(1), dims: [1] }).toNested()).toEqual([[3, 4]])
    expect(embedding.forward(Tensor.from([1])).toNested()).toEqual([[3, 4]])
    expect(embedding.forward([]).shape).toEqual([0, 2])
    expect(embedding.forward(new Int32Array(0)).shape).toEqual([0, 2])
  })

  it('takes integers of every array type, bigints among them', () => {
    const wanted = [
      [3, 4],
      [5, 6],
    ]
    const arrays = [
      Int8Array.of(1, 2),
      Uint8ClampedArray.of(1, 2),
      Int16Array.of(1, 2),
      Float32Array.of(1, 2),
      Float64Array.of(1, 2),
      BigInt64Array.of(1n, 2n),
      BigUint64Array.of(1n, 2n),
    ]
    for (const ids of arrays) {
      expect(embedding.forward(ids).toNested()).toEqual(wanted)
      expect(embedding.forward({ data: ids, dims: [2] }).toNested()).toEqual(wanted)
      expect(embedding.forward({ data: ids, shape: [1, 2] }).toNested()).toEqual([wanted])
      expect(embedding.forward([ids, [0, 0n]]).shape).toEqual([2, 2, 2])
    }
    expect(embedding.forward([1n, 2]).toNested()).toEqual(wanted)
    expect(embedding.forward([[1n], new BigInt64Array([2n])]).toNested()).toEqual([[[3, 4]], [[5, 6]]])
  })

  it('reads ids of every kind exactly, and none past its end', () => {
    for (const id of [2 ** 53, 2.00000001, 1e300, 2n ** 64n, -(2n ** 63n)]) {
      const words = 'index out of range: ids[0] must be an integer from 0 to 2, got'
      expectError(() => embedding.forward([id]), 'ERR_RNN_OPTION', words)
    }
    expectError(() => embedding.forward(BigUint64Array.of(2n ** 64n - 1n)), 'ERR_RNN_OPTION', 'ids[0]')
    expectError(() => embedding.forward(BigInt64Array.of(0n, -1n)), 'ERR_RNN_OPTION', 'ids[1]')
    const liar = Object.defineProperty(Int32Array.of(1, 2), 'length', { value: 1e9 })
    expect(embedding.forward(liar).shape).toEqual([2, 2])
    expect(embedding.forward({ data: liar, dims: [2] }).shape).toEqual([2, 2])
    const detached = Int32Array.of(1, 2)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    const words = 'ids.data must have length 2 for shape [2], got length 0 (its buffer is detached)'
    expectError(() => embedding.forward({ data: detached, shape: [2] }), 'ERR_RNN_SHAPE', words)
    expectError(
      () => embedding.forward({ data: ['1'], shape: [1] } as never),
      'ERR_RNN_SHAPE',
      'ids.data must be a typed array, got an array of length 1',
    )
  })

  it('refuses ids out of range, and what are no ids', () => {
    for (const id of [3, -1, 0.5, Number.NaN, 2 ** 40]) {
      expectError(
        () => embedding.forward([0, id]),
        'ERR_RNN_OPTION',
        'index out of range: ids[1] must be an integer from 0 to 2, got',
      )
    }
    expectError(
      () => embedding.forward(Int32Array.of(-1)),
      'ERR_RNN_OPTION',
      'ids[0] must be an integer from 0 to 2, got -1',
    )
    expectError(() => embedding.forward(5 as unknown as number[]), 'ERR_RNN_SHAPE', 'ids must be')
    expectError(
      () => embedding.forward(['a'] as unknown as number[]),
      'ERR_RNN_SHAPE',
      'ids[0] must be a number, got "a"',
    )
    expectError(
      () => embedding.forward({ data: Int32Array.of(1), shape: [2] }),
      'ERR_RNN_SHAPE',
      'ids.data must have length 2',
    )
    expectError(() => embedding.forward(undefined as unknown as number[]), 'ERR_RNN_SHAPE', 'ids must be')
    expectError(() => embedding.forward({} as unknown as number[]), 'ERR_RNN_SHAPE', 'ids must be')
  })

  it('refuses use after dispose', () => {
    const other = new Embedding(2, 2)
    other.dispose()
    other[Symbol.dispose]()
    expectError(() => other.forward([1]), 'ERR_RNN_DISPOSED', 'the Embedding was disposed')
    expectError(() => other.stateDict(), 'ERR_RNN_DISPOSED', 'the Embedding was disposed')
    expectError(() => other.loadStateDict({}), 'ERR_RNN_DISPOSED', 'the Embedding was disposed')
  })
})
