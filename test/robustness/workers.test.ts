/** Threads and processes: shared weights, termination at any moment, the addon coming and going; each in a process of its own. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { engines, nativeBackends } from '../support/backends.ts'
import { runModule } from '../support/child.ts'

// Workers on a text inherit the parent's --input-type=module, and so import as it does.
const parent = `
  import { Worker } from 'node:worker_threads'
  import * as rnn from 'native-rnn'
  const imports = 'import * as rnn from "native-rnn"; import { parentPort, workerData } from "node:worker_threads";'
  const start = (text, workerData) => new Worker(imports + text, { eval: true, workerData })
  const exited = (worker) => new Promise((resolve) => worker.on('exit', resolve))
`

async function expectPrints(text: string, printed: string, backend?: string, flags: string[] = []) {
  const { ended, stdout, stderr } = await runModule(
    parent + text,
    backend ? { NATIVE_RNN_BACKEND: backend } : {},
    flags,
  )
  expect({ ended, stdout, stderr }).toEqual({ ended: 0, stdout: printed, stderr: '' })
}

describe.each(engines)('workers on %s', (backend) => {
  it('compute the same bits on shared weights', async () => {
    const text = `
      const layer = new rnn.LSTM(6, 20, { seed: 1 })
      const input = new rnn.Tensor(Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)), [10, 1, 6])
      const want = layer.forward(input).output.data.join()
      const workers = Array.from({ length: 4 }, () => start(\`
        const { handle, data, shape } = workerData
        const layer = rnn.LSTM.fromShared(handle)
        const first = layer.forward({ data, shape }).output.data.join()
        const second = (await layer.forwardAsync({ data, shape })).output.data.join()
        parentPort.postMessage(first === second ? first : 'differs')
      \`, { handle: layer.share(), data: input.data, shape: input.shape }))
      const answer = (worker) => new Promise((resolve) => worker.on('message', resolve))
      const [answers] = await Promise.all([workers.map(answer), workers.map(exited)].map((all) => Promise.all(all)))
      console.log(answers.every((answer) => answer === want))`
    await expectPrints(text, 'true\n', backend)
  })

  it('may be terminated at any moment', async () => {
    const text = `
      for (let round = 0; round < 12; round++) {
        const worker = start(\`
          const layer = new rnn.GRU(32, 32, { seed: 1, numLayers: 2 })
          const x = new rnn.Tensor(new Float32Array(32 * 3000), [3000, 1, 32])
          const batcher = layer.batcher({ maxBatch: 4 })
          const streams = Array.from({ length: 16 }, () => batcher.open())
          const frame = new Float32Array(32)
          for (const stream of streams) (async () => { for (;;) await stream.step(frame) })()
          for (let i = 0; i < 6; i++) (async () => { for (;;) await layer.forwardAsync(x) })()
          setInterval(() => { layer.forward(x); layer.stream().step() }, 1)
          parentPort.postMessage('runs')
        \`)
        await new Promise((resolve) => worker.once('message', resolve))
        for (let turn = 0; turn < round * 3; turn++) await new Promise(setImmediate)
        await worker.terminate()
      }
      console.log('survived')`
    await expectPrints(text, 'survived\n', backend)
  })

  it('may come and go while the main thread works', async () => {
    const text = `
      const layer = new rnn.GRU(16, 16, { seed: 1 })
      const x = new rnn.Tensor(new Float32Array(16 * 500).fill(0.1), [500, 1, 16])
      const want = layer.forward(x).output.data.join()
      let same = 0
      for (let round = 0; round < 8; round++) {
        const worker = start(\`
          const layer = rnn.GRU.fromShared(workerData)
          const x = new rnn.Tensor(new Float32Array(16 * 500).fill(0.1), [500, 1, 16])
          await Promise.all([layer.forwardAsync(x), layer.forwardAsync(x)])
        \`, layer.share())
        const results = await Promise.all([layer.forwardAsync(x), layer.forwardAsync(x), exited(worker)])
        same += results.slice(0, 2).filter(({ output }) => output.data.join() === want).length
      }
      console.log(same)`
    await expectPrints(text, '16\n', backend)
  })
})

describe.runIf(nativeBackends.length > 0)('the addon', () => {
  it('survives being unloaded with the last worker and loaded again', async () => {
    const text = `
      for (let round = 0; round < 5; round++) {
        const worker = start(\`
          const layer = new rnn.GRU(8, 8, { seed: 1 })
          await Promise.all(Array.from({ length: 20 }, () => layer.forwardAsync([[[1, 2, 3, 4, 5, 6, 7, 8]]])))
        \`)
        const code = await exited(worker)
        if (code !== 0) console.log('exit', code)
      }
      const layer = new rnn.GRU(8, 8, { seed: 1 })
      await layer.forwardAsync([[[1, 2, 3, 4, 5, 6, 7, 8]]])
      console.log('fine')`
    await expectPrints(text, 'fine\n')
  })

  it('keeps shared weights while any thread has them', async () => {
    const text = `
      const worker = start(\`
        let stream
        parentPort.on('message', (message) => {
          if (message === 'end') return parentPort.close()
          if (message.type) stream = rnn.LSTM.fromShared(message).stream()
          else parentPort.postMessage(stream.step(message).join())
        })
        parentPort.postMessage('ready')
      \`)
      const next = () => new Promise((resolve) => worker.once('message', resolve))
      await next()
      const frame = new Float32Array(64).fill(0.3)
      let layer = new rnn.LSTM(64, 64, { seed: 1 })
      const want = layer.stream().step(frame).join()
      worker.postMessage(layer.share())
      layer.dispose()
      layer = undefined
      for (let i = 0; i < 5; i++) {
        gc()
        await new Promise(setImmediate)
      }
      worker.postMessage(frame)
      console.log(await next() === want)
      worker.postMessage('end')`
    await expectPrints(text, 'true\n', undefined, ['--expose-gc'])
  })

  it('works in a cluster', async () => {
    const program = join(import.meta.dirname, 'clustered.mjs')
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program])
    expect({ stdout, stderr }).toEqual({ stdout: '0,0\n', stderr: '' })
  })
})
