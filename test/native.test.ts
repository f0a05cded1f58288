/** The native edge: how the addon is found, that large and small calls agree, what memory does, and hostile arrays. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { availableBackends, GRU, Linear, LSTM, RNN, Tensor } from 'native-rnn'
import { afterAll, describe, expect, it } from 'vitest'
import { backends, nativeBackends } from './backends.ts'
import { runModule } from './child.ts'

const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const built = join(import.meta.dirname, '..', 'build', 'Release', 'native-rnn.node')

async function told(text: string, env: Record<string, string> = {}, flags: string[] = []): Promise<unknown> {
  const { ended, stdout, stderr } = await runModule(text, env, flags)
  if (ended !== 0) throw new Error(`the program ended with ${ended}: ${stderr}`)
  return JSON.parse(stdout)
}

describe('finding the addon', () => {
  const info = `
    import { availableBackends, backendInfo } from 'native-rnn'
    console.log(JSON.stringify({ ...backendInfo(), all: availableBackends() }))`

  it('says why a file of NATIVE_RNN_PATH cannot be used, and computes in TypeScript', async () => {
    const damaged = join(folder, 'damaged.node')
    writeFileSync(damaged, 'not a library')
    const missing = join(folder, 'missing.node')
    const env = { NATIVE_RNN_BACKEND: '' }
    expect(await told(info, { ...env, NATIVE_RNN_PATH: missing })).toMatchObject({
      name: 'typescript',
      reason: `${missing}: there is no such file`,
      all: ['typescript'],
    })
    expect(await told(info, { ...env, NATIVE_RNN_PATH: damaged })).toMatchObject({
      name: 'typescript',
      reason: expect.stringContaining(`${damaged}: `),
    })
  })

  it('does not load it into a runtime whose Node-API is too old', async () => {
    const text = `Object.defineProperty(process.versions, 'napi', { value: '8' })
      const { backendInfo } = await import('native-rnn')
      console.log(JSON.stringify(backendInfo()))`
    expect(await told(text, { NATIVE_RNN_BACKEND: '' })).toMatchObject({
      name: 'typescript',
      reason: 'it needs Node-API 9, this runtime has 8',
    })
  })

  it.runIf(nativeBackends.length > 0)('takes the file that NATIVE_RNN_PATH names', async () => {
    const copy = join(folder, 'copy.node')
    copyFileSync(process.env.NATIVE_RNN_PATH || built, copy)
    for (const path of [copy, relative(join(import.meta.dirname, '..'), copy)]) {
      expect(await told(info, { NATIVE_RNN_BACKEND: '', NATIVE_RNN_PATH: path })).toMatchObject({
        all: availableBackends(),
      })
    }
  })

  it('serves a module that is evaluated again, as test runners and reloading servers do', async () => {
    const text = `
      const url = import.meta.resolve('native-rnn')
      const copies = [await import(url), await import(url + '?again')]
      const found = []
      for (const { GRU } of [...copies, ...copies]) {
        const gru = new GRU(2, 3, { seed: 1 })
        const step = gru.batcher().open().step(Float32Array.of(1, 2))
        const { hn } = await gru.forwardAsync([[1, 2]])
        found.push(...[hn.data, gru.forward([[1, 2]]).hn.data, await step].map((values) => values.join()))
      }
      console.log(JSON.stringify({ differs: copies[0].GRU !== copies[1].GRU, results: new Set(found).size }))`
    expect(await told(text)).toEqual({ differs: true, results: 1 })
  })
})

function ramp(...shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1)
  return new Tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.1 + 0.2)),
    shape,
  )
}

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

describe.each(nativeBackends)('memory on %s', (backend) => {
  const env = { NATIVE_RNN_BACKEND: backend }
  const start = `
    import { GRU, LSTM, Tensor } from 'native-rnn'
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
    expect(await told(text, env)).toBeLessThan(400)
  })

  it('is freed at once by dispose(), with no turn of the event loop', async () => {
    const text = `${start}
      for (let i = 0; i < 300; i++) { GRU.fromStateDict(model).dispose(); look() }
      end()`
    expect(await told(text, env)).toBeLessThan(200)
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
    expect(await told(text, env)).toBeLessThan(150)
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
    expect(await told(text, env, ['--expose-gc'])).toBeLessThan(100_000)
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
    expect(await told(text, env, ['--expose-gc'])).toBe(true)
  })
})

// A sleeping thread is woken on another processor than the caller's, by what it may use while it sleeps (native/pool.cpp).
describe.runIf(process.platform === 'linux' && nativeBackends.length > 0)('threads of the pool', () => {
  // In a program: the folders of the pool's threads in /proc.
  const poolTasks = `readdirSync('/proc/self/task').map((task) => '/proc/self/task/' + task)
      .filter((task) => readFileSync(task + '/comm', 'utf8').trim() === 'native-rnn')`
  const processors = (limit: boolean) => `
    import { execFileSync } from 'node:child_process'
    import { readdirSync, readFileSync } from 'node:fs'
    import { LSTM, Tensor } from 'native-rnn'
    const allowed = (file) => /Cpus_allowed_list:\\s*(\\S+)/.exec(readFileSync(file, 'utf8'))[1]
    const first = /^\\d+/.exec(allowed('/proc/self/status'))[0]
    if (${limit}) execFileSync('taskset', ['-pc', first, String(process.pid)])
    const layer = new LSTM(64, 64, { threads: 2, seed: 1, backend: '${nativeBackends[0]}' })
    const input = new Tensor(new Float32Array(20 * 16 * 64), [20, 16, 64])
    for (let i = 0; i < 20; i++) {
      layer.forward(input)
      await layer.forwardAsync(input)
    }
    const pool = ${poolTasks}
    const own = allowed('/proc/self/status')
    console.log(JSON.stringify(pool.map((task) => allowed(task + '/status') === own)))`

  it('may use all processors of the process while they work', async () => {
    // The one that ran the last call got them back before it did.
    expect(await told(processors(false))).toContain(true)
  })

  it('are started by calls that gain by it alone', async () => {
    const text = `
      import { readdirSync, readFileSync } from 'node:fs'
      import { availableParallelism } from 'node:os'
      import { LSTM, Tensor } from 'native-rnn'
      const options = { threads: 2, seed: 1, backend: '${nativeBackends[0]}' }
      const run = (size, T, B) => {
        new LSTM(size, size, options).forward(new Tensor(new Float32Array(T * B * size), [T, B, size]))
        return ${poolTasks}.length > 0
      }
      console.log(JSON.stringify([run(8, 3, 2), run(32, 10, 4), run(128, 1, 1), run(128, 100, 32), availableParallelism() > 1]))`
    const [tiny, small, step, batch, several] = (await told(text, { NATIVE_RNN_SHARING: '' })) as boolean[]
    expect({ tiny, small, step, batch }).toEqual({ tiny: false, small: false, step: false, batch: several })
  })

  it('never use another than those that the process was given', async () => {
    const all = (await told(processors(true))) as boolean[]
    expect(all.length).toBeGreaterThan(0)
    expect(all).not.toContain(false)
  })
})
