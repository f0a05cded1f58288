/** Silero VAD on onnxruntime-node with the methods of a `ModelBatcher`: one session for all calls, one run a frame, or batches put together by hand. */

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const ort = createRequire(import.meta.url)('onnxruntime-node')
const file = fileURLToPath(new URL('../../build/models/silero_vad_16k_op15.onnx', import.meta.url))
const INPUT = 576
/** Of a state (2, 1, 128) a half. */
const HALF = 128

/** @param maxBatch 1: each frame is a run of its own; else as many of those that wait as that, one batch at a time */
export async function onnxruntimeBatcher({ maxBatch = 1, threads = 1 } = {}) {
  const session = await ort.InferenceSession.create(file, {
    ...{ intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' },
    ...{ graphOptimizationLevel: 'all', executionProviders: ['cpu'], logSeverityLevel: 3 },
  })
  const sr = new ort.Tensor('int64', BigInt64Array.of(16000n), [])
  const run = async (frames, states, rows) => {
    const input = new ort.Tensor('float32', frames, [rows, INPUT])
    const state = new ort.Tensor('float32', states, [2, rows, HALF])
    const { output, stateN } = await session.run({ input, state, sr })
    return { outputs: output.data, states: stateN.data }
  }
  const counts = { batches: 0, steps: 0 }

  async function alone(stream, frame) {
    const { outputs, states } = await run(frame.slice(), stream.state, 1)
    stream.state = states
    counts.batches++
    counts.steps++
    return { output: outputs }
  }

  const waiting = []
  let isRunning = false
  function batched(stream, frame) {
    return new Promise((resolve, reject) => {
      waiting.push({ stream, frame: frame.slice(), resolve, reject })
      if (!isRunning) runAll()
    })
  }

  async function runAll() {
    isRunning = true
    // Those who come in the same turn go along.
    await null
    while (waiting.length > 0) {
      const batch = waiting.splice(0, maxBatch)
      const rows = batch.length
      const frames = new Float32Array(rows * INPUT)
      const states = new Float32Array(2 * rows * HALF)
      batch.forEach(({ stream, frame }, row) => {
        frames.set(frame, row * INPUT)
        states.set(stream.state.subarray(0, HALF), row * HALF)
        states.set(stream.state.subarray(HALF), (rows + row) * HALF)
      })
      const result = await run(frames, states, rows).catch((error) => error)
      if (result instanceof Error) for (const { reject } of batch) reject(result)
      else
        batch.forEach(({ stream, resolve }, row) => {
          stream.state.set(result.states.subarray(row * HALF, (row + 1) * HALF))
          stream.state.set(result.states.subarray((rows + row) * HALF, (rows + row + 1) * HALF), HALF)
          resolve({ output: result.outputs.slice(row, row + 1) })
        })
      counts.batches++
      counts.steps += rows
    }
    isRunning = false
  }

  const step = maxBatch > 1 ? batched : alone
  const open = (state = new Float32Array(2 * HALF)) => {
    const stream = { state }
    return {
      step: (frame) => step(stream, frame),
      save: () => new Uint8Array(stream.state.slice().buffer),
      close() {},
    }
  }
  return {
    open,
    restore: (bytes) => open(new Float32Array(Uint8Array.from(bytes).buffer)),
    stats: () => ({ ...counts, meanBatch: counts.steps / counts.batches }),
    async close() {
      await session.release()
    },
  }
}
