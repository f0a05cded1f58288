/** How many calls a core carries, by model and precision: 1,000 streams of a batcher without sockets. `node bench/voice/capacity.mjs [seconds] [json]` */

import { openLibrary } from '../library.mjs'
import { table } from '../markdown.mjs'
import { throughput } from './throughput.mjs'

const { backendInfo, Model } = await openLibrary()

const seconds = Number(process.argv[2] ?? 2)
/** Rows of the model by itself: the size of a batch. */
const ROWS = 64
const sizes = (rows) => ({ states: { state: 'stateN' }, shapes: { input: [rows, 576], state: [2, rows, 128] } })
const models = [
  { file: 'silero_vad_16k_op15.onnx', options: sizes },
  { file: 'silero_vad_v5.onnx', options: sizes },
  {
    file: 'silero_vad_legacy.onnx',
    options: (rows) => ({
      states: { h: 'hn', c: 'cn' },
      shapes: { input: [rows, 512], h: [2, rows, 64], c: [2, rows, 64] },
    }),
    samples: 512,
  },
]
const precisions = [
  ['f32', {}],
  ['f16', { weights: 'f16' }],
  ['bf16', { weights: 'bf16' }],
  ['int8', { weights: 'int8' }],
  ['int8, activations too', { weights: 'int8', activations: 'int8' }],
]

/** Microseconds of processor a row, on this thread and without a batcher. */
function alone(model, options) {
  const stream = model.stream(options)
  const until = (end) => {
    let steps = 0
    for (; performance.now() < end; steps++) stream.step()
    return steps
  }
  until(performance.now() + 300)
  const cpu = process.cpuUsage()
  const steps = until(performance.now() + 500 * seconds)
  const { user, system } = process.cpuUsage(cpu)
  stream.dispose()
  return (user + system) / steps / ROWS
}

const rows = []
for (const { file, options, samples } of models) {
  for (const [precision, weights] of precisions) {
    const path = new URL(`../../build/models/${file}`, import.meta.url)
    const model = await Model.load(path, { constants: { sr: 16000 }, ...weights })
    const aloneUs = alone(model, options(ROWS))
    const batcher = model.batcher({ ...options(1), maxQueue: 1000 })
    const { framesPerSecond, cores, cpuUs, callsPerCore } = await throughput(batcher, { calls: 1000, seconds, samples })
    const figures = [framesPerSecond, cores, aloneUs, cpuUs, callsPerCore].map((value) =>
      Number(value.toPrecision(3)).toLocaleString('en-US'),
    )
    rows.push([file.replace('.onnx', ''), precision, ...figures])
    await batcher.close()
    model.dispose()
  }
}
const head = [
  'model',
  'weights',
  'frames / s',
  'cores',
  'the model alone, CPU µs a row',
  'CPU µs a frame',
  'calls a core',
]
const text = table(head, rows)
console.log(process.argv[3] === 'json' ? JSON.stringify(text) : `${backendInfo().name}\n\n${text}`)
