/** Reads 1,000 handwritten digits row by row with a network trained in PyTorch, and checks every answer against PyTorch's own. */

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { availableBackends, backendInfo, Linear, loadSafetensors, RNN, Tensor } from 'native-rnn'

const ROWS = 28
const PIXELS = ROWS * ROWS
const CLASSES = 10
const at = (file) => new URL(file, import.meta.url)

/** The test set: one record a digit, 784 pixels and the label. */
function readDigits() {
  const bytes = gunzipSync(readFileSync(at('digits.bin.gz')))
  const count = bytes.length / (PIXELS + 1)
  const images = new Float32Array(count * PIXELS)
  const labels = new Uint8Array(count)
  for (let n = 0; n < count; n++) {
    const record = bytes.subarray(n * (PIXELS + 1), (n + 1) * (PIXELS + 1))
    for (let i = 0; i < PIXELS; i++) images[n * PIXELS + i] = record[i] / 255
    labels[n] = record[PIXELS]
  }
  return { count, images: new Tensor(images, [count, ROWS, ROWS]), labels }
}

/** The network on one backend: two recurrent layers read the rows, a linear head names the digit from the last state. */
function load(weights, backend) {
  const rnn = RNN.fromStateDict(weights, { prefix: 'rnn.', batchFirst: true, backend })
  const head = Linear.fromStateDict(weights, { prefix: 'head.', backend })
  const read = (images) => {
    const { hn } = rnn.forward(images, { returnOutput: false })
    const [layers, batch, hidden] = hn.shape
    const last = hn.data.subarray((layers - 1) * batch * hidden)
    return head.forward(new Tensor(last, [batch, hidden]))
  }
  return { rnn, head, read }
}

function timed(run) {
  let best = Infinity
  let result
  for (let i = 0; i < 3; i++) {
    const began = performance.now()
    result = run()
    best = Math.min(best, performance.now() - began)
  }
  return { result, milliseconds: best }
}

const classOf = (logits, n) => {
  const row = logits.data.subarray(n * CLASSES, (n + 1) * CLASSES)
  return row.indexOf(Math.max(...row))
}
const countWhere = (count, test) => Array.from({ length: count }, (_, n) => n).filter(test).length
const format = (count) => count.toLocaleString('en-US')

function softmax(logits) {
  const highest = Math.max(...logits)
  const powers = Array.from(logits, (value) => Math.exp(value - highest))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

/** Feeds one digit to a stream as a camera line by line would, and shows what the network thinks after every row. */
function drawWhileReading({ rnn, head }, image) {
  const stream = rnn.stream()
  for (let row = 0; row < ROWS; row++) {
    const line = image.subarray(row * ROWS, (row + 1) * ROWS)
    const logits = head.forward(new Tensor(stream.step(line), [rnn.hiddenSize]))
    const likely = softmax(logits.data)
      .map((probability, digit) => ({ probability, digit }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, 3)
    const picture = Array.from(line, (pixel) => ' ░▒▓█'[Math.round(pixel * 4)].repeat(2)).join('')
    const guesses = likely.map(({ digit, probability }) => `${digit} ${(probability * 100).toFixed(0).padStart(3)}%`)
    console.log(`|${picture}|  ${guesses.join('   ')}`)
  }
  stream.dispose()
}

const weights = await loadSafetensors(at('model.safetensors'))
const { logits: pytorch } = await loadSafetensors(at('pytorch.safetensors'))
const { count, images, labels } = readDigits()
const { name } = backendInfo()
const slow = availableBackends().at(-1)
const backends = name === slow ? [slow] : [name, slow]
if (name === slow) console.log('Native code is not in use here; examples/quickstart says why.\n')

let failed = false
for (const backend of backends) {
  const { read } = load(weights, backend)
  const { result: logits, milliseconds } = timed(() => read(images))
  const right = countWhere(count, (n) => classOf(logits, n) === labels[n])
  const equal = countWhere(count, (n) => classOf(logits, n) === classOf(pytorch, n))
  const worst = logits.data.reduce((most, value, i) => Math.max(most, Math.abs(value - pytorch.data[i])), 0)
  failed ||= equal !== count || !(worst < 1e-3)
  console.log(`${backend}`)
  console.log(
    `  accuracy ${((100 * right) / count).toFixed(1)} % on ${format(count)} digits that the training never saw`,
  )
  console.log(`  ${format(equal)} of ${format(count)} predictions equal PyTorch's`)
  console.log(`  largest difference of the logits ${worst.toExponential(1)}`)
  console.log(`  ${milliseconds.toFixed(1)} ms for all, ${((1000 * milliseconds) / count).toFixed(1)} µs a digit`)
}

const chosen = Number(process.argv[2] ?? 0) % count
console.log(
  `\nDigit ${chosen} of the test set, a ${labels[chosen]}, and what the network thinks as the rows come in:\n`,
)
drawWhileReading(load(weights, name), images.data.subarray(chosen * PIXELS, (chosen + 1) * PIXELS))
console.log(
  '\nMore on real input: node examples/forecast/index.mjs (weather), node examples/text/index.mjs (writes text)',
)
if (failed) {
  console.error('\nThe answers are not PyTorch’s.')
  process.exitCode = 1
}
