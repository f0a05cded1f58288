/** Runs in a worker: takes one global away, imports the package, and says what each part of it then does. */
import { parentPort, workerData } from 'node:worker_threads'

const { names, file, model } = workerData
const { structuredClone: clone = (value) => value } = globalThis
for (const name of names) delete globalThis[name]
const said = {}
const attempt = async (what, act) => {
  try {
    said[what] = (await act()) ?? 'done'
  } catch (error) {
    said[what] = `${error.code ?? error.name}: ${error.message}`
  }
}
const rnn = await import('native-rnn')
const x = [
  [1, 2],
  [3, 4],
]
for (const backend of rnn.availableBackends()) {
  await attempt(`${backend} layer`, async () => {
    const layer = new rnn.LSTM(2, 3, { seed: 1, backend })
    const { hn } = layer.forward(x)
    const same = (values) => values.join() === hn.data.join()
    await attempt(`${backend} forwardAsync`, async () => same((await layer.forwardAsync(x)).hn.data))
    await attempt(`${backend} stream`, () => {
      const stream = layer.stream()
      stream.run(x)
      return same(layer.restoreStream(stream.save()).state().hn.data)
    })
    await attempt(`${backend} batcher`, async () => {
      const batcher = layer.batcher({ maxDelayMs: 1, maxBatch: 2 })
      const stream = batcher.open()
      const steps = [stream.step(Float32Array.of(1, 2)), stream.step(Float32Array.of(3, 4))]
      const last = (await Promise.all(steps))[1]
      await batcher.close()
      return same(last)
    })
    await attempt(`${backend} share`, () => same(rnn.LSTM.fromShared(clone(layer.share())).forward(x).hn.data))
    await attempt(
      `${backend} linear`,
      () => rnn.Linear.fromStateDict({ weight: x }, { backend }).forward(x).data.length === 4,
    )
  })
}
await attempt('embedding', () => new rnn.Embedding(3, 2, { seed: 1 }).forward([1]).data.length === 2)
await attempt('readSafetensors', () => rnn.readSafetensors(rnn.writeSafetensors({ a: x })).a.data.join() === '1,2,3,4')
await attempt('loadSafetensors', async () => 'a' in (await rnn.loadSafetensors(file)))
await attempt('readOnnx', () => rnn.readOnnx(model).length === 1)
await attempt('an error', () => {
  try {
    new rnn.RNN(2, 3, { threads: 'x' })
  } catch (error) {
    return error.code === 'ERR_RNN_OPTION'
  }
})
await attempt('backend', () => rnn.backendInfo().name)
await attempt('reason', () => rnn.backendInfo().reason ?? 'none')
parentPort.postMessage(said)
