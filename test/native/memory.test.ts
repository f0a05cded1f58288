/** Memory of the addon: freed with what it was for, and flat over work that comes and goes. */
import { describe, expect, it } from 'vitest'
import { nativeBackends } from '../support/backends.ts'
import { printed } from '../support/child.ts'

describe.each(nativeBackends.slice(0, 1))('memory on %s', (backend) => {
  const env = { NATIVE_RNN_BACKEND: backend }
  const start = `
    import { GRU, Linear, LSTM, Tensor } from 'native-rnn'
    const megabytes = () => Math.round(process.memoryUsage().rss / 1e6)
    const turn = () => new Promise(setImmediate)
    const model = new GRU(768, 512, { seed: 1 }).stateDict() // 8 MB
    const before = megabytes()
    let most = 0
    const look = () => { most = Math.max(most, megabytes() - before) }
    const end = () => console.log(JSON.stringify(most))
  `

  it('is freed for 150 models of 8 MB that are made and dropped', async () => {
    const text = `${start}
      for (let i = 0; i < 150; i++) { GRU.fromStateDict(model); look(); if (i % 10 === 0) await turn() }
      end()`
    expect(await printed(text, env)).toBeLessThan(400)
  })

  it('is freed for 150 models that are made and dropped with no turn of the event loop', async () => {
    const text = `${start}
      for (let i = 0; i < 150; i++) {
        const layer = GRU.fromStateDict(model)
        if (i % 3 === 0) layer.forward(new Tensor(new Float32Array(768), [1, 768]))
        if (i % 3 === 1) layer.stream().step(new Float32Array(768))
        new Linear(1024, 256, { seed: 1 }).forward(new Tensor(new Float32Array(1024), [1, 1024]))
        look()
      }
      end()`
    expect(await printed(text, env)).toBeLessThan(400)
  })

  it('is freed at once by dispose(), with no turn of the event loop', async () => {
    const text = `${start}
      for (let i = 0; i < 120; i++) { GRU.fromStateDict(model).dispose(); look() }
      end()`
    expect(await printed(text, env)).toBeLessThan(200)
  })

  it('of large asynchronous calls is used again, kept up to a bound, and freed with their layer', async () => {
    const text = `${start}
      const calls = async (layer, megabytes, count) => {
        const T = megabytes * 2 ** 18 / 64
        const x = new Tensor(new Float32Array(T * 64), [T / 64, 64, 64])
        await Promise.all(Array.from({ length: count }, () => layer.forwardAsync(x, { returnOutput: false })))
      }
      const make = () => new GRU(64, 1, { seed: 1 })
      const first = make()
      await calls(first, 16, 6)
      gc()
      await turn()
      const kept = megabytes() - before
      for (let i = 0; i < 3; i++) await calls(first, 16, 6)
      for (let size = 1; size < 60; size += 7) await calls(first, size, 3)
      gc()
      await turn()
      const later = megabytes() - before
      first.dispose()
      const freed = later - (megabytes() - before)
      const second = make()
      await calls(second, 40, 1)
      second.dispose()
      console.log(JSON.stringify({ kept, later, freed, last: megabytes() - before }))`
    const { kept, later, freed, last } = (await printed(text, env, ['--expose-gc'])) as Record<string, number>
    // Six times 16 MiB; what the collection took from the heap meanwhile lowers it.
    expect(kept).toBeGreaterThan(80)
    expect(kept).toBeLessThan(250)
    expect(later).toBeLessThan(300)
    expect(freed).toBeGreaterThan(50)
    expect(last).toBeLessThan(150)
  })

  it('stays flat over streams, batchers and calls that come and go', async () => {
    const text = `${start}
      const layer = new LSTM(64, 256, { seed: 1 })
      const x = new Tensor(new Float32Array(64 * 50), [50, 1, 64])
      const work = async (n) => {
        for (let i = 0; i < n; i++) {
          const stream = layer.stream({ batchSize: 16 })
          stream.step()
          if (i % 2) stream.dispose()
          const batcher = layer.batcher()
          const live = batcher.open()
          await Promise.all([live.step(new Float32Array(64)), layer.forwardAsync(x)])
          live.close()
          await batcher.close()
          look()
        }
      }
      await work(100)
      most = 0
      await work(400)
      end()`
    expect(await printed(text, env)).toBeLessThan(150)
  })

  it('of a step alone does not grow', async () => {
    const text = `
      import { GRU } from 'native-rnn'
      const stream = new GRU(8, 8, { seed: 1 }).stream()
      const heap = () => { gc(); return process.memoryUsage().heapUsed }
      for (let i = 0; i < 100_000; i++) stream.step()
      const before = heap()
      for (let i = 0; i < 1_000_000; i++) stream.step()
      console.log(heap() - before)`
    expect(await printed(text, env, ['--expose-gc'])).toBeLessThan(100_000)
  })

  it('of a stream outlives its layer and its own object', async () => {
    const text = `
      import { GRU } from 'native-rnn'
      const make = () => {
        const stream = new GRU(64, 64, { seed: 1 }).stream()
        stream.input.fill(0.5)
        return stream.step
      }
      const want = make()(new Float32Array(64).fill(0.5)).join()
      const step = make()
      for (let i = 0; i < 5; i++) { gc(); await new Promise(setImmediate) }
      console.log(JSON.stringify(step(new Float32Array(64).fill(0.5)).join() === want))`
    expect(await printed(text, env, ['--expose-gc'])).toBe(true)
  })
})
