/** What is the WebAssembly backend's own: one memory that only grows, no exceptions, no threads. */
import { availableBackends, GRU, LSTM, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { printed } from '../support/child.ts'
import { ramp } from '../support/tensors.ts'

const backend = 'wasm'
const outOfMemory = expect.objectContaining({ name: 'RangeError', message: 'native-rnn: out of memory' })
const thrownBy = (call: () => unknown): unknown => {
  try {
    return call()
  } catch (error) {
    return error
  }
}

describe.runIf(availableBackends().includes(backend))('on wasm', () => {
  it('what no memory of a module holds is a RangeError, and everything else goes on', async () => {
    const lstm = new LSTM(8, 64, { numLayers: 2, bidirectional: true, seed: 1, backend })
    const x = ramp(5, 3, 8)
    const before = lstm.forward(x)
    const stream = new GRU(8, 64, { seed: 1, backend }).stream()
    const first = stream.step(ramp(8).data).slice()
    // States of 2^20 rows.
    const many = new Tensor(new Float32Array(2 ** 20 * 8), [1, 2 ** 20, 8])
    const large = new LSTM(8, 1024, { seed: 1, backend })
    expect(thrownBy(() => large.forward(many))).toEqual(outOfMemory)
    await expect(large.forwardAsync(many)).rejects.toEqual(outOfMemory)
    expect(thrownBy(() => large.stream({ batchSize: 2 ** 20 }))).toEqual(outOfMemory)
    expect(lstm.forward(x)).toEqual(before)
    stream.reset()
    expect(stream.step(ramp(8).data)).toEqual(first)
  })

  it('where the memory is full, a call is a RangeError, and calls that are cancelled make room', async () => {
    const gru = new GRU(1, 900, { seed: 1, backend })
    const x = new Tensor(new Float32Array(2 ** 19), [2 ** 19, 1])
    const ending = new AbortController()
    // 1.9 GB each, which nobody writes to before the results are there.
    const calls = Array.from({ length: 3 }, () => gru.forwardAsync(x, { signal: ending.signal }))
    await expect(calls[2]).rejects.toEqual(outOfMemory)
    ending.abort('enough')
    await expect(calls[0]).rejects.toBe('enough')
    await expect(calls[1]).rejects.toBe('enough')
    const short = ramp(30, 1)
    expect(await gru.forwardAsync(short)).toEqual(gru.forward(short))
    // Together more than the most that a module can have.
    for (let i = 0; i < 4; i++) {
      const again = new AbortController()
      const call = gru.forwardAsync(x, { signal: again.signal })
      again.abort('enough')
      await expect(call).rejects.toBe('enough')
    }
  })

  it('thousands of streams grow the memory a few times, not each of them: the host takes milliseconds for it', async () => {
    const [growths, bytes] = (await printed(`
        const { Instance } = WebAssembly
        let memory
        const construct = (...given) => {
          const made = Reflect.construct(...given)
          memory = made.exports.memory
          return made
        }
        WebAssembly.Instance = new Proxy(Instance, { construct })
        const { LSTM } = await import('native-rnn')
        const lstm = new LSTM(8, 64, { backend: 'wasm' })
        const streams = []
        let [growths, bytes] = [0, 0]
        for (let i = 0; i < 1000; i++) {
          streams.push(lstm.stream())
          if (memory.buffer.byteLength > bytes) growths++
          bytes = memory.buffer.byteLength
        }
        console.log(JSON.stringify([growths, bytes]))`)) as number[]
    expect(bytes).toBeGreaterThan(2 ** 24)
    expect(growths).toBeLessThan(50)
  })

  it('a call beside the thread comes in turns, each of a few milliseconds', async () => {
    const layer = new LSTM(128, 256, { numLayers: 2, bidirectional: true, seed: 1, backend })
    const x = ramp(20, 20, 128)
    const want = layer.forward(x)
    const whole = performance.now()
    layer.forward(x)
    const took = performance.now() - whole
    let turns = 0
    let ended = false
    const got = layer.forwardAsync(x).finally(() => {
      ended = true
    })
    while (!ended) {
      await new Promise(setImmediate)
      turns++
    }
    expect(await got).toEqual(want)
    // At least as many as turns of 20 ms would be, on a machine that others use too.
    expect(turns).toBeGreaterThan(took / 20)
  })
})
