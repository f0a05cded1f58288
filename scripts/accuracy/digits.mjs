/** Handwritten digits, read row by row: examples/digits. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Linear, RNN, readSafetensors, Tensor } from 'native-rnn'

const at = (file) => new URL(`../../examples/digits/${file}`, import.meta.url)
const [SIDE, CLASSES] = [28, 10]
const PIXELS = SIDE * SIDE

/** @returns {import('./compare.mjs').Subject} */
export function digits() {
  const weights = readSafetensors(readFileSync(at('model.safetensors')))
  const bytes = gunzipSync(readFileSync(at('digits.bin.gz')))
  const count = bytes.length / (PIXELS + 1)
  const images = new Tensor(
    Float32Array.from({ length: count * PIXELS }, (_, i) => {
      return bytes[Math.floor(i / PIXELS) * (PIXELS + 1) + (i % PIXELS)] / 255
    }),
    [count, SIDE, SIDE],
  )
  const labels = Array.from({ length: count }, (_, n) => bytes[n * (PIXELS + 1) + PIXELS])
  return {
    name: 'Digits: an RNN of 2 layers and a Linear',
    decision: 'the digit read in an image',
    unit: '',
    run(format) {
      const rnn = RNN.fromStateDict(weights, { prefix: 'rnn.', batchFirst: true, ...format })
      const head = Linear.fromStateDict(weights, { prefix: 'head.', ...format })
      const { hn } = rnn.forward(images, { returnOutput: false })
      const [layers, batch, hidden] = hn.shape
      const { data } = head.forward(new Tensor(hn.data.subarray((layers - 1) * batch * hidden), [batch, hidden]))
      const decisions = labels.map((_, n) => {
        const row = data.subarray(n * CLASSES, (n + 1) * CLASSES)
        return row.indexOf(Math.max(...row))
      })
      const right = decisions.filter((digit, n) => digit === labels[n]).length
      return {
        decisions,
        numbers: data,
        quality: `${((100 * right) / count).toFixed(1)} % right`,
        bytes: rnn.memory().weights + head.memory().weights,
      }
    },
  }
}
