/** Memory of whole models: steps make none, and what models, programs and streams take is freed with them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'
import { printed } from '../support/child.ts'
import { modelFile, recurrent, weight } from '../support/model-files.ts'

/** Weights of 4 MB, and 1 MB of values at 64 rows. */
const large = modelFile({
  nodes: [
    { opType: 'MatMul', inputs: ['x', 'W'], outputs: ['h'] },
    { opType: 'Tanh', inputs: ['h'], outputs: ['t'] },
    { opType: 'Add', inputs: ['t', 'state'], outputs: ['y'] },
  ],
  inputs: { x: { shape: ['rows', 256] }, state: { shape: ['rows', 4096] } },
  outputs: { y: { shape: ['rows', 4096] } },
  weights: { W: weight(1, 256, 4096) },
})

const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
const path = join(folder, 'large.onnx')
writeFileSync(path, large)
afterAll(() => rmSync(folder, { recursive: true }))

describe.each(engines.filter((name) => name !== 'typescript'))('memory of models on %s', (backend) => {
  const env = { NATIVE_RNN_BACKEND: backend }
  const start = `
    import { readFileSync } from 'node:fs'
    import { Model } from 'native-rnn'
    const file = readFileSync(${JSON.stringify(path)})
    const megabytes = () => Math.round(process.memoryUsage().rss / 1e6)
    const turn = () => new Promise(setImmediate)
    const x = (rows) => ({ data: new Float32Array(rows * 256), shape: [rows, 256] })
    const state = (rows) => ({ data: new Float32Array(rows * 4096), shape: [rows, 4096] })
    const options = { states: { state: 'y' }, shapes: { x: [1, 256] } }
    Model.read(file).dispose()
    const before = megabytes()
    let most = 0
    const look = () => { most = Math.max(most, megabytes() - before) }
    const end = () => console.log(JSON.stringify(most))
  `

  it('is not taken by steps', async () => {
    const text = `
      import { Model } from 'native-rnn'
      const file = Buffer.from('${Buffer.from(recurrent()).toString('base64')}', 'base64')
      const stream = Model.read(file).stream({ states: { state: 'stateN' }, shapes: { frames: [1, 1, 3] } })
      const steps = (count) => { for (let i = 0; i < count; i++) stream.step() }
      steps(20_000)
      gc()
      const { heapUsed, external, arrayBuffers } = process.memoryUsage()
      steps(200_000)
      const middle = process.memoryUsage()
      gc()
      const after = process.memoryUsage()
      console.log(JSON.stringify([
        middle.heapUsed - heapUsed, after.heapUsed - heapUsed, after.external + after.arrayBuffers - external - arrayBuffers
      ]))`
    const [during, kept, outside] = (await printed(text, env, ['--expose-gc'])) as number[]
    // One small object a step would be 6 MB.
    expect(during).toBeLessThan(2 ** 22)
    expect(kept).toBeLessThan(2 ** 18)
    expect(outside).toBeLessThan(2 ** 16)
  })

  it('is freed at once by dispose(), with no turn of the event loop', async () => {
    const text = `${start}
      for (let i = 0; i < 60; i++) {
        const model = Model.read(file)
        model.run({ x: x(2), state: state(2) })
        const stream = model.stream(options)
        stream.step()
        model.dispose()
        stream.dispose()
        look()
      }
      end()`
    expect(await printed(text, env)).toBeLessThan(300)
  })

  it('is freed for models, streams and batchers that are dropped', async () => {
    const text = `${start}
      for (let i = 0; i < 60; i++) {
        const model = Model.read(file)
        model.run({ x: x(2), state: state(2) })
        model.stream(options).step()
        await model.batcher(options).open().step(new Float32Array(256))
        look()
        if (i % 5 === 0) await turn()
      }
      end()`
    expect(await printed(text, env)).toBeLessThan(500)
  })

  it('is bounded over any number of shapes', async () => {
    const text = `${start}
      const model = Model.read(file)
      for (let rows = 1; rows <= 100; rows++) { model.run({ x: x(rows), state: state(rows) }); look() }
      end()`
    expect(await printed(text, env)).toBeLessThan(400)
  })
})

it.each(engines.filter((name) => name !== 'typescript' && name !== 'wasm'))(
  'memory that large runs work on is met once, and freed with the model, on %s',
  async (backend) => {
    const sums = modelFile({
      nodes: [
        { opType: 'MatMul', inputs: ['x', 'W'], outputs: ['h'] },
        { opType: 'ReduceMax', inputs: ['h'], outputs: ['y'], attributes: { axes: [1], keepdims: 0 } },
      ],
      inputs: { x: { shape: ['rows', 1] } },
      outputs: { y: { shape: ['rows'] } },
      weights: { W: weight(1, 1, 4096) },
    })
    const text = `
      import { setTimeout } from 'node:timers/promises'
      import { Model } from 'native-rnn'
      const model = Model.read(Buffer.from('${Buffer.from(sums).toString('base64')}', 'base64'))
      const rows = 3000 // of 16 KB each
      const inputs = { x: { data: new Float32Array(rows), shape: [rows, 1] } }
      const faults = []
      for (const run of ['run', 'runAsync']) {
        for (let i = 0; i < 3; i++) await model[run](inputs)
        const before = process.resourceUsage().minorPageFault
        for (let i = 0; i < 4; i++) await model[run](inputs)
        faults.push((process.resourceUsage().minorPageFault - before) / 4)
      }
      const kept = process.memoryUsage().rss
      model.dispose()
      await setTimeout(10)
      console.log(JSON.stringify([...faults, (kept - process.memoryUsage().rss) / 1e6]))`
    const [run, runAsync, freed] = (await printed(text, { NATIVE_RNN_BACKEND: backend })) as number[]
    // Of 12,000 pages.
    expect(run).toBeLessThan(2000)
    expect(runAsync).toBeLessThan(2000)
    expect(freed).toBeGreaterThan(40)
  },
)
