/** onnxruntime-node: one recurrent node, one thread; knows its JavaScript API. */
import { nested } from '../data.mjs'
import { onnxModel, quantizedOnnxModel } from '../onnx-model.mjs'

export const name = 'onnxruntime'
export const how = 'npm run bench:rivals'

export async function open() {
  const ort = (await import('onnxruntime-node')).default
  const options = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    executionProviders: ['cpu'],
    logSeverityLevel: 3,
  }
  const loaded = async (file, shape, data) =>
    contestant(ort, await ort.InferenceSession.create(file, options), shape, data)
  return {
    version: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`,
    load: (shape, data) => loaded(onnxModel(shape, data), shape, data),
    /** An LSTM on integers of 8 bits. */
    loadQuantized: (shape, data) => loaded(quantizedOnnxModel(shape, data), shape, data),
    close() {},
  }
}

function contestant(ort, session, { cell, I, H, T, B, form }, data) {
  const tensor = (values, dims) => new ort.Tensor('float32', values, dims)
  const frames = data.frames.map((frame) => tensor(frame, [T, B, I]))
  const zeros = () => tensor(new Float32Array(B * H), [1, B, H])
  let state = { h0: zeros(), c0: zeros() }
  const step = async (X) => {
    const result = await session.run(cell === 'lstm' ? { X, h0: state.h0, c0: state.c0 } : { X, h0: state.h0 })
    state = { h0: result.Y_h, c0: result.Y_c }
    return result
  }
  const arrays = nested(data.frames[0], T, B, I)
  const runs = {
    stream: () => step(frames[0]),
    forward: () => session.run({ X: frames[0] }),
    nested: () => session.run({ X: tensor(Float32Array.from(arrays.flat(2)), [T, B, I]) }),
  }
  const once = runs[form]
  return {
    async check() {
      if (form !== 'stream') return (await once()).Y.data
      state = { h0: zeros(), c0: zeros() }
      const outputs = []
      for (const frame of frames) outputs.push(...(await step(frame)).Y.data)
      return Float32Array.from(outputs)
    },
    async time(calls) {
      const start = performance.now()
      for (let i = 0; i < calls; i++) await once()
      return (performance.now() - start) * 1e6
    },
    close: () => session.release(),
  }
}
