/** Silero VAD: what it hears at a time, where its file is, and how it becomes a stream. */

import { existsSync } from 'node:fs'
import { Model } from 'native-rnn'
import { CONTEXT, FRAME, RATE, streamOptions } from './audio.mjs'

export { CONTEXT, FRAME, streamOptions }

const file = new URL('../../build/models/silero_vad_16k_op15.onnx', import.meta.url)

/** @throws an error that says how to fetch the file, where it is not there */
export function loadSilero(options) {
  if (!existsSync(file)) throw new Error('The model is not here yet: node scripts/fetch-models.mjs')
  return Model.load(file, { constants: { sr: RATE }, ...options })
}

/** For each whole frame of a sound how probably somebody speaks in it. */
export function listen(model, samples) {
  const stream = model.stream(streamOptions)
  const { input } = stream.inputs
  const probabilities = []
  for (let start = 0; start + FRAME <= samples.length; start += FRAME) {
    input.copyWithin(0, FRAME)
    input.set(samples.subarray(start, start + FRAME), CONTEXT)
    probabilities.push(stream.step().output[0])
  }
  stream.dispose()
  return probabilities
}

/** A batcher of the model. */
export const batcherOf = (model, options) => model.batcher({ ...streamOptions, ...options })
