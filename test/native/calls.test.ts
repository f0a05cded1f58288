/** Calls of the addon: large and small ones agree, results are the caller’s own, and any memory can be read. */
import { GRU, Linear, LSTM, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { ramp } from '../support/tensors.ts'

describe.each(backends)('calls on %s', (backend) => {
  // 8192 floats go through the arena that both sides see, more are passed as they are.
  it('have the same bits on both sides of the arena’s size', () => {
    const gru = new GRU(4, 4, { seed: 1, backend })
    const whole = gru.forward(ramp(2100, 1, 4))
    for (const T of [1, 1020, 1021, 1022, 1023, 1024, 1025, 2099]) {
      const part = gru.forward(new Tensor(ramp(2100, 1, 4).data.slice(0, T * 4), [T, 1, 4]))
      expect(part.output.data).toEqual(whole.output.data.slice(0, T * 4))
    }
    const linear = new Linear(8, 4, { seed: 1, backend })
    const rows = linear.forward(ramp(800, 8))
    for (const n of [1, 682, 683, 799]) {
      expect(linear.forward(new Tensor(ramp(800, 8).data.slice(0, n * 8), [n, 8])).data).toEqual(
        rows.data.slice(0, n * 4),
      )
    }
  })

  it('give arrays of the caller’s own', () => {
    const rnn = new RNN(3, 4, { seed: 1, backend })
    const first = rnn.forward(ramp(2, 1, 3))
    const copy = structuredClone(first.output.data)
    rnn.forward(ramp(3, 1, 3))
    new Linear(3, 4, { seed: 1, backend }).forward(ramp(3, 3))
    expect(first.output.data).toEqual(copy)
    expect(first.output.data.buffer.byteLength).toBe(first.output.data.byteLength)
  })

  it('read views at odd places, shared memory and onnxruntime’s shape of a tensor', () => {
    const lstm = new LSTM(3, 5, { seed: 1, backend })
    const x = ramp(7, 2, 3)
    const want = lstm.forward(x)
    const buffer = new ArrayBuffer(4 * 50)
    const odd = new Float32Array(buffer, 12, 42)
    odd.set(x.data)
    expect(lstm.forward({ data: odd, dims: [7, 2, 3] })).toEqual(want)
    const shared = new Float32Array(new SharedArrayBuffer(4 * 42))
    shared.set(x.data)
    expect(lstm.forward({ data: shared, shape: [7, 2, 3] })).toEqual(want)
    const resizable = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(4 * 42, {
      maxByteLength: 4 * 90,
    })
    const view = new Float32Array(resizable)
    view.set(x.data)
    expect(lstm.forward({ data: view, shape: [7, 2, 3] })).toEqual(want)
  })
})
