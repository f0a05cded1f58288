/** Reads the recurrent layers of a network that PyTorch exported whole to ONNX, and holds its 1,000 answers against PyTorch's own. */

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { availableBackends, backendInfo, Linear, loadSafetensors, readOnnx, Tensor } from 'native-rnn'

const ROWS = 28
const CLASSES = 10
const at = (file) => new URL(file, import.meta.url)

/** The test set of examples/digits, time first, as PyTorch's exporter has the layers: (28 rows, N digits, 28 pixels). */
function readDigits() {
  const bytes = gunzipSync(readFileSync(at('../digits/digits.bin.gz')))
  const count = bytes.length / (ROWS * ROWS + 1)
  const frames = new Float32Array(ROWS * count * ROWS)
  for (let n = 0; n < count; n++) {
    for (let row = 0; row < ROWS; row++) {
      for (let i = 0; i < ROWS; i++) {
        frames[(row * count + n) * ROWS + i] = bytes[n * (ROWS * ROWS + 1) + row * ROWS + i] / 255
      }
    }
  }
  return { count, frames: new Tensor(frames, [ROWS, count, ROWS]) }
}

/** Each node of the file is a layer of its own; the head is no recurrent node, so it comes from the weights beside it. */
function load(file, weights, backend) {
  const found = readOnnx(file, { backend })
  const head = Linear.fromStateDict(weights, { prefix: 'head.', backend })
  const read = (frames) => {
    let output = frames
    let last
    for (const { layer } of found) {
      const result = layer.forward(output)
      output = result.output
      last = result.hn
    }
    const [, batch, hidden] = last.shape
    return head.forward(new Tensor(last.data, [batch, hidden]))
  }
  return { found, read }
}

const classOf = (logits, n) => {
  const row = logits.data.subarray(n * CLASSES, (n + 1) * CLASSES)
  return row.indexOf(Math.max(...row))
}
const format = (count) => count.toLocaleString('en-US')

const file = readFileSync(at('digits.onnx'))
const weights = await loadSafetensors(at('../digits/model.safetensors'))
const { logits: pytorch } = await loadSafetensors(at('../digits/pytorch.safetensors'))
const { count, frames } = readDigits()
const { name } = backendInfo()

let failed = false
for (const backend of new Set([name, availableBackends().at(-1)])) {
  const { found, read } = load(file, weights, backend)
  const logits = read(frames)
  let equal = 0
  for (let n = 0; n < count; n++) if (classOf(logits, n) === classOf(pytorch, n)) equal++
  const worst = logits.data.reduce((most, value, i) => Math.max(most, Math.abs(value - pytorch.data[i])), 0)
  failed ||= found.length !== 2 || equal !== count || !(worst < 1e-3)
  console.log(backend)
  for (const { name, layer } of found) {
    console.log(`  ${name}: ${layer.constructor.name}(${layer.inputSize}, ${layer.hiddenSize})`)
  }
  console.log(`  ${format(equal)} of ${format(count)} predictions equal PyTorch's`)
  console.log(`  largest difference of the logits ${worst.toExponential(1)}`)
}
if (failed) {
  console.error("\nThe answers are not PyTorch's.")
  process.exitCode = 1
}
