/** The digits of examples/digits as a job for many: a file of fixed records, and the scores of any range of them. */

import { open, readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { Linear, loadSafetensors, RNN, Tensor } from 'native-rnn'

const ROWS = 28
const PIXELS = ROWS * ROWS
const RECORD = PIXELS + 1 // and the label
const CLASSES = 10
/** Bytes of the scores of one digit. */
export const SCORE = CLASSES * Float32Array.BYTES_PER_ELEMENT

const digits = new URL('../digits/', import.meta.url)

/** Writes a file of `count` thousand digits: the thousand that there are, each time a little darker. */
export async function writeDigits(path, count) {
  const original = gunzipSync(await readFile(new URL('digits.bin.gz', digits)))
  const file = await open(path, 'w')
  for (let copy = 0; copy < count; copy++) {
    await file.write(original.map((value, i) => (i % RECORD === PIXELS ? value : value * (1 - copy / 512))))
  }
  await file.close()
}

export async function loadScorer() {
  const weights = await loadSafetensors(new URL('model.safetensors', digits))
  const rnn = RNN.fromStateDict(weights, { prefix: 'rnn.', batchFirst: true })
  const head = Linear.fromStateDict(weights, { prefix: 'head.' })

  /** The scores of the records from `first` on: 10 floats each, as bytes. Which range they are part of makes no difference to a bit. */
  return async function score(path, first, count) {
    const file = await open(path)
    const { buffer } = await file.read(Buffer.alloc(count * RECORD), 0, count * RECORD, first * RECORD)
    await file.close()
    const images = new Float32Array(count * PIXELS)
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < PIXELS; i++) images[n * PIXELS + i] = buffer[n * RECORD + i] / 255
    }
    // Beside the event loop, which goes on telling Redis that the job is in good hands.
    const { hn } = await rnn.forwardAsync(new Tensor(images, [count, ROWS, ROWS]), { returnOutput: false })
    const last = hn.data.subarray((rnn.numLayers - 1) * count * rnn.hiddenSize)
    const { data } = head.forward(new Tensor(last, [count, rnn.hiddenSize]))
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  }
}
