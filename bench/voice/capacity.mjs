/** How many calls a core carries, by model and precision: 1,000 streams of a batcher without sockets. `node bench/voice/capacity.mjs [seconds]` */

import { availableParallelism, cpus } from 'node:os'
import { openLibrary } from '../library.mjs'
import { throughput } from './throughput.mjs'

const { backendInfo, Model } = await openLibrary()

const seconds = Number(process.argv[2] ?? 2)
const wide = { states: { state: 'stateN' }, shapes: { input: [1, 576], state: [2, 1, 128] } }
const models = [
  { file: 'silero_vad_16k_op15.onnx', options: wide },
  { file: 'silero_vad_v5.onnx', options: wide },
  {
    file: 'silero_vad_legacy.onnx',
    options: {
      states: { h: 'hn', c: 'cn' },
      shapes: { input: [1, 512], h: [2, 1, 64], c: [2, 1, 64] },
    },
    samples: 512,
  },
]
const precisions = [
  ['f32', {}],
  ['bf16', { weights: 'bf16' }],
  ['int8', { weights: 'int8' }],
  ['int8, activations too', { weights: 'int8', activations: 'int8' }],
]

console.log(`${cpus()[0].model}, ${availableParallelism()} processors, ${backendInfo().name}\n`)
console.log(
  '| model | weights | frames / s | cores | CPU µs a frame | calls a core |\n| --- | --- | ---: | ---: | ---: | ---: |',
)
for (const { file, options, samples } of models) {
  for (const [precision, weights] of precisions) {
    const path = new URL(`../../build/models/${file}`, import.meta.url)
    let model
    try {
      model = await Model.load(path, { constants: { sr: 16000 }, ...weights })
    } catch (error) {
      // A precision that this build does not have, or not for this model.
      console.error(`${file}, ${precision}: ${error.message}`)
      continue
    }
    const batcher = model.batcher({ ...options, maxQueue: 1000 })
    const { framesPerSecond, cores, cpuUs, callsPerCore } = await throughput(batcher, { calls: 1000, seconds, samples })
    const figures = [framesPerSecond, cores, cpuUs, callsPerCore].map((value) =>
      Number(value.toPrecision(3)).toLocaleString('en-US'),
    )
    console.log(`| ${[file.replace('.onnx', ''), precision, ...figures].join(' | ')} |`)
    await batcher.close()
    model.dispose()
  }
}
