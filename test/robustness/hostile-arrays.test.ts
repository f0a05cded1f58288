/** Arrays that lie about their length, and getters that pull away what was checked: the values count, and nobody else is touched. */
import { Embedding, GRU, LSTM, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'

function values(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + 0.3))
}

const lies = [0, -5, 8, 1e9, Number.NaN]

class Liar extends Float32Array {
  override get length(): number {
    return lies[3]
  }
  override slice(): Float32Array<ArrayBuffer> {
    return new Float32Array(1)
  }
}

/** The same values in arrays that say something else about themselves. */
function liars(data: Float32Array): Float32Array[] {
  const shadowed = lies.map((length) => Object.defineProperty(new Float32Array(data), 'length', { value: length }))
  return [...shadowed, new Liar([...data])]
}

describe.each(backends)('arrays that lie about their length on %s', (backend) => {
  const lstm = new LSTM(3, 4, { seed: 1, backend })
  const x = values(30)
  const h = values(8)
  const expected = lstm.forward({ data: x, shape: [5, 2, 3] }, { h0: { data: h, shape: [1, 2, 4] } })

  it('are read by their true values in a forward pass, also beside the thread', async () => {
    for (const [i, data] of liars(x).entries()) {
      const options = { h0: { data: liars(h)[i], shape: [1, 2, 4] } }
      const input = { data, shape: [5, 2, 3] }
      expect(lstm.forward(input, options)).toEqual(expected)
      expect(await lstm.forwardAsync(input, options)).toEqual(expected)
    }
  })

  it('reach no other stream of a batcher', async () => {
    const frames = [values(3), values(3)]
    const lone = lstm.stream().step(frames[1]).slice()
    for (const count of [0, 2, 4, 300]) {
      const batcher = lstm.batcher()
      const [bad, good] = [batcher.open(), batcher.open()]
      const long = Object.defineProperty(values(count), 'length', { value: 3 })
      const steps = [good.step(frames[1]), bad.step(long)]
      await expect(steps[1]).rejects.toMatchObject({ code: 'ERR_RNN_SHAPE' })
      expect(await steps[0]).toEqual(lone)
      await batcher.close()
    }
  })

  it('are copied by a reset that waits, and by a restore', async () => {
    const stream = lstm.batcher().open()
    const start = h.slice(0, 4)
    for (const data of liars(start)) {
      const step = stream.step(values(3))
      stream.reset({ h0: { data, shape: [1, 4] } })
      await step
      expect(stream.state().hn.data).toEqual(start)
      const bytes = Object.defineProperty(stream.save(), 'length', { value: 7 })
      expect(lstm.restoreStream(bytes).state().hn.data).toEqual(start)
    }
  })
})

describe.each(backends)('getters on %s', (backend) => {
  const gru = new GRU(3, 4, { seed: 1, backend })

  it('of step options cannot take the frame away or close the stream behind the check', async () => {
    const batcher = gru.batcher()
    const stream = batcher.open()
    const frame = values(3)
    const detach = {
      get signal() {
        structuredClone(frame.buffer, { transfer: [frame.buffer as ArrayBuffer] })
        return undefined
      },
    }
    await expect(stream.step(frame, detach)).rejects.toMatchObject({ code: 'ERR_RNN_SHAPE' })
    const close = {
      get signal() {
        stream.close()
        return undefined
      },
    }
    await expect(stream.step(values(3), close)).rejects.toMatchObject({ code: 'ERR_RNN_DISPOSED' })
    expect(batcher.stats()).toMatchObject({ streams: 0, queued: 0, steps: 0 })
  })

  it('of a first state cannot close the batcher behind the check', () => {
    const batcher = gru.batcher()
    const state = {
      get h0() {
        batcher.close()
        return undefined
      },
    }
    expect(() => batcher.open(state)).toThrow(expect.objectContaining({ code: 'ERR_RNN_DISPOSED' }))
    expect(batcher.stats().streams).toBe(0)
  })
})

it('looks up the true ids of an array that lies about its length', () => {
  const embedding = new Embedding(5, 2, { seed: 1 })
  for (const data of liars(new Float32Array([1, 4]))) {
    expect(embedding.forward(new Tensor(data, [2]))).toEqual(embedding.forward([1, 4]))
  }
})
