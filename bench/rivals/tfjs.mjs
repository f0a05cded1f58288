/** @tensorflow/tfjs on its plain JavaScript backend; knows its layers and their order of gates. */
import { nested, reorderGates, sum, transposed } from '../data.mjs'
import { gates } from '../shapes.mjs'

export const name = 'tfjs'
export const how = 'npm run bench:rivals'

/** Its GRU has no reset after the product, which is another function than PyTorch's. */
export const cells = ['rnn', 'lstm']
/** It is some 200 times slower than the rest; more would make the bench wait. */
export const maxFlops = 1e7

export async function open() {
  const tf = await import('@tensorflow/tfjs')
  // Its fast mode: no checks, no advice on the console.
  tf.enableProdMode()
  await tf.setBackend('cpu')
  return { version: `tfjs ${tf.version.tfjs}`, load: async (shape, data) => contestant(tf, shape, data), close() {} }
}

function contestant(tf, { cell, I, H, T, B, form }, data) {
  const G = gates[cell]
  const options = { units: H, returnSequences: true, stateful: form === 'stream', batchInputShape: [B, T, I] }
  // The weights are replaced at once; its orthogonal ones would take minutes to make.
  for (const which of ['kernel', 'recurrent', 'bias']) options[`${which}Initializer`] = 'zeros'
  const lstm = { ...options, recurrentActivation: 'sigmoid', unitForgetBias: false }
  const layer = cell === 'lstm' ? tf.layers.lstm(lstm) : tf.layers.simpleRNN(options)
  tf.tidy(() => layer.apply(tf.zeros([B, T, I])))
  const order = cell === 'lstm' ? [0, 1, 2, 3] : [0]
  const columns = (values, K) => tf.tensor2d(transposed(reorderGates(values, G, order), G * H, K), [K, G * H])
  layer.setWeights([columns(data.weightIh, I), columns(data.weightHh, H), tf.tensor1d(sum(data.biasIh, data.biasHh))])
  const batchMajor = (values) => {
    const rows = nested(values, T, B, I)
    return Array.from({ length: B }, (_, b) => rows.map((row) => row[b]))
  }
  const frames = data.frames.map((frame) => tf.tensor3d(batchMajor(frame)))
  const arrays = batchMajor(data.frames[0])
  const run = (x) => {
    const y = tf.tidy(() => layer.apply(x))
    const values = y.dataSync()
    y.dispose()
    return values
  }
  const nestedRun = () => {
    const x = tf.tensor3d(arrays)
    const values = run(x)
    x.dispose()
    return values
  }
  const once = form === 'nested' ? nestedRun : () => run(frames[0])
  return {
    async check() {
      if (form === 'stream') layer.resetStates()
      const outputs = frames.map((frame) => run(frame))
      const all = Float32Array.from(outputs.flatMap((values) => [...values]))
      return B === 1 ? all : timeMajor(all, T, B, H)
    },
    async time(calls) {
      const start = performance.now()
      for (let i = 0; i < calls; i++) once()
      return (performance.now() - start) * 1e6
    },
    close() {
      for (const frame of frames) frame.dispose()
    },
  }
}

function timeMajor(values, T, B, H) {
  const out = new Float32Array(values.length)
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) out.set(values.subarray((b * T + t) * H, (b * T + t + 1) * H), (t * B + b) * H)
  }
  return out
}
