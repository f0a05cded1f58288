/** The package's first use in a process, from the import on; what failed is done once more, and must then work. Prints what came out. */
import { bits } from './bits.mjs'

const failures = []
async function attempt(what, act) {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error
    failures.push(`${what}: ${error.message}`)
    return await act()
  }
}

const { availableBackends, backendInfo, LSTM, Tensor } = await import('native-rnn')
const frame = new Float32Array([1, 2, 3, 4, 5])
const x = new Tensor(new Float32Array(70).fill(0.3), [7, 2, 5])
let outcome = `no addon: ${backendInfo().reason}`
if (availableBackends().some((name) => name !== 'wasm' && name !== 'typescript')) {
  const layer = await attempt('construct', () => new LSTM(5, 9, { numLayers: 2, seed: 1, threads: 2 }))
  const stream = await attempt('stream', () => layer.stream())
  const batcher = await attempt('batcher', () => layer.batcher())
  const live = await attempt('open', () => batcher.open())
  outcome = bits([
    await attempt('forward', () => layer.forward(x)),
    await attempt('step', () => stream.step(frame)),
    await attempt('forwardAsync', () => layer.forwardAsync(x)),
    await attempt('batched step', () => live.step(frame)),
  ])
  live.close()
  await attempt('close', () => batcher.close())
  stream.dispose()
  layer.dispose()
}
console.log(JSON.stringify({ outcome, failures }))
