/** The engines that the voice server is measured with. */

import { batcherOf, loadSilero } from '../../examples/vad/silero.mjs'
import { onnxruntimeBatcher } from './onnxruntime.mjs'

const limits = { maxBatch: 64, maxQueue: 20_000 }

/** Each makes a `ModelBatcher`, or what has its methods. */
export const engines = {
  'native-rnn': async () =>
    batcherOf(await loadSilero(), { ...limits, maxDelayMs: Number(process.env.MAX_DELAY_MS ?? 4) }),
  'onnxruntime, a run a frame': () => onnxruntimeBatcher(),
  'onnxruntime, batched by hand': () => onnxruntimeBatcher({ maxBatch: 64 }),
}
