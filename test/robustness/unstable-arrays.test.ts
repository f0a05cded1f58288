/** Arrays that do not keep still: shared, resized and detached buffers, and getters that change what was read. */
import { RNN, Tensor, type TensorLike } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError } from '../support/errors.ts'

describe.each(backends)('arrays that do not keep still, on %s', (backend) => {
  const rnn = new RNN(3, 4, { backend, seed: 1 })
  const expected = rnn.forward(Tensor.from([[1, 2, 3]])).output.toNested()
  const detached = () => {
    const data = new Float32Array([1, 2, 3])
    structuredClone(data.buffer, { transfer: [data.buffer] })
    return data
  }

  it('reads views at any offset of a larger buffer', () => {
    for (let offset = 0; offset < 20; offset++) {
      const data = new Float32Array(40).subarray(offset, offset + 3)
      data.set([1, 2, 3])
      expect(rnn.forward({ data, shape: [1, 3] }).output.toNested()).toEqual(expected)
    }
  })

  it('reads shared memory', () => {
    const data = new Float32Array(new SharedArrayBuffer(64), 8, 3)
    data.set([1, 2, 3])
    expect(rnn.forward({ data, shape: [1, 3] }).output.toNested()).toEqual(expected)
  })

  it('reads an array over a resizable buffer at its length now, and refuses it once it is too short', () => {
    const Resizable = ArrayBuffer as unknown as new (
      length: number,
      options: object,
    ) => ArrayBuffer & { resize(n: number): void }
    const buffer = new Resizable(12, { maxByteLength: 24 })
    const data = new Float32Array(buffer)
    data.set([1, 2, 3])
    expect(rnn.forward({ data, shape: [1, 3] }).output.toNested()).toEqual(expected)
    buffer.resize(8)
    expectError(
      () => rnn.forward({ data, shape: [1, 3] }),
      'ERR_RNN_SHAPE',
      'input.data must have length 3 for shape [1, 3], got length 2',
    )
  })

  it('refuses a detached array, also inside a Tensor that was whole when it was made', () => {
    expectError(
      () => rnn.forward({ data: detached(), shape: [1, 3] }),
      'ERR_RNN_SHAPE',
      'got length 0 (its buffer is detached)',
    )
    const tensor = Tensor.from([[1, 2, 3]])
    structuredClone(tensor.data.buffer, { transfer: [tensor.data.buffer as ArrayBuffer] })
    expectError(() => rnn.forward(tensor), 'ERR_RNN_SHAPE', 'its buffer is detached')
  })

  it('lets errors of getters pass, and works on', () => {
    const thrown = new Error('mine')
    const hostile = {
      get data(): Float32Array {
        throw thrown
      },
      shape: [1, 3],
    }
    expect(() => rnn.forward(hostile)).toThrow(thrown)
    expect(() =>
      rnn.forward([[1, 2, 3]], {
        get h0(): TensorLike {
          throw thrown
        },
      }),
    ).toThrow(thrown)
    expect(rnn.forward([[1, 2, 3]]).output.toNested()).toEqual(expected)
  })

  it('notices that a getter read later detached what was read before', () => {
    const input = { data: new Float32Array([1, 2, 3]), shape: [1, 3] }
    const h0 = { data: new Float32Array(4), shape: [1, 4] }
    const lengths = {
      get 0() {
        structuredClone(input.data.buffer, { transfer: [input.data.buffer] })
        return 1
      },
      length: 1,
    }
    Object.setPrototypeOf(lengths, Array.prototype)
    const asArray = new Proxy([1], { get: (_, key) => Reflect.get(lengths, key) })
    expectError(
      () => rnn.forward(input, { h0, lengths: asArray }),
      'ERR_RNN_SHAPE',
      'input.data must keep its length 3 during the call',
    )
  })

  it('refuses a layer that a getter disposed', () => {
    const layer = new RNN(3, 4, { backend })
    const options = {
      get returnOutput() {
        layer.dispose()
        return true
      },
    }
    expectError(() => layer.forward([[1, 2, 3]], options), 'ERR_RNN_DISPOSED', 'the RNN was disposed')
  })
})
