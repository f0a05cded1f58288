/** Runs a network that PyTorch exported whole to ONNX, and holds its 1,000 answers against PyTorch's own. */

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { availableBackends, backendInfo, loadSafetensors, Model, readOnnx, Tensor } from 'native-rnn'

const ROWS = 28
const PIXELS = ROWS * ROWS
const CLASSES = 10
const at = (file) => new URL(file, import.meta.url)

/** The test set of examples/digits: (N digits, 28 rows, 28 pixels). */
function readDigits() {
  const bytes = gunzipSync(readFileSync(at('../digits/digits.bin.gz')))
  const count = bytes.length / (PIXELS + 1)
  const images = new Float32Array(count * PIXELS)
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < PIXELS; i++) images[n * PIXELS + i] = bytes[n * (PIXELS + 1) + i] / 255
  }
  return { count, images: new Tensor(images, [count, ROWS, ROWS]) }
}

const classOf = (logits, n) => {
  const row = logits.data.subarray(n * CLASSES, (n + 1) * CLASSES)
  return row.indexOf(Math.max(...row))
}
const format = (count) => count.toLocaleString('en-US')
const shown = ({ name, type, shape }) => `${name} ${type} (${shape.join(', ')})`

const { logits: pytorch } = await loadSafetensors(at('../digits/pytorch.safetensors'))
const { count, images } = readDigits()
const { name } = backendInfo()

let failed = false
for (const backend of new Set([name, availableBackends().at(-1)])) {
  const model = await Model.load(at('digits.onnx'), { backend })
  const { logits } = model.run({ rows: images })
  let equal = 0
  for (let n = 0; n < count; n++) if (classOf(logits, n) === classOf(pytorch, n)) equal++
  const worst = logits.data.reduce((most, value, i) => Math.max(most, Math.abs(value - pytorch.data[i])), 0)
  failed ||= equal !== count || !(worst < 1e-3)
  console.log(`${backend}: ${model.inputs.map(shown)} → ${model.outputs.map(shown)}`)
  console.log(`  ${format(equal)} of ${format(count)} predictions equal PyTorch's`)
  console.log(`  largest difference of the logits ${worst.toExponential(1)}`)
  model.dispose()
}

console.log('\nIts recurrent layers alone, by readOnnx:')
for (const { name, layer } of readOnnx(readFileSync(at('digits.onnx')))) {
  console.log(`  ${name}: ${layer.constructor.name}(${layer.inputSize}, ${layer.hiddenSize})`)
}
if (failed) {
  console.error("\nThe answers are not PyTorch's.")
  process.exitCode = 1
}
