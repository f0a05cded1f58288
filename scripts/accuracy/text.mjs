/** The next character of a text: examples/text. */
import { readFileSync } from 'node:fs'
import { Embedding, GRU, Linear, readSafetensors, Tensor } from 'native-rnn'

const at = (file) => new URL(`../../examples/text/${file}`, import.meta.url)
const LENGTH = 4000
const OPENING = 'And it came to pass'

/** @returns {import('./compare.mjs').Subject} */
export function text() {
  const weights = readSafetensors(readFileSync(at('model.safetensors')))
  const alphabet = JSON.parse(readFileSync(at('alphabet.json'), 'utf8'))
  const open = (format) => {
    const embedding = Embedding.fromStateDict(weights, { prefix: 'embedding.', weights: format.weights })
    const gru = GRU.fromStateDict(weights, { prefix: 'rnn.', ...format })
    const head = Linear.fromStateDict(weights, { prefix: 'head.', ...format })
    const stream = gru.stream()
    const next = (id) => head.forward(new Tensor(stream.step(embedding.forward([id]).data), [gru.hiddenSize])).data
    return { next, bytes: [embedding, gru, head].reduce((sum, layer) => sum + layer.memory().weights, 0) }
  }
  const written = write(open({ weights: 'f32', activations: 'f32' }).next, alphabet)
  return {
    name: `Text: an Embedding, a GRU and a Linear, as a stream over ${LENGTH.toLocaleString('en-US')} characters`,
    decision: 'the likeliest next character',
    unit: '',
    run(format) {
      const { next, bytes } = open(format)
      const numbers = []
      const decisions = []
      let [surprise, count] = [0, 0]
      for (const [i, id] of written.entries()) {
        const logits = next(id)
        numbers.push(...logits)
        decisions.push(logits.indexOf(Math.max(...logits)))
        const actual = written[i + 1]
        if (actual === undefined) continue
        const highest = Math.max(...logits)
        const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0)
        surprise -= (logits[actual] - highest - Math.log(sum)) / Math.LN2
        count++
      }
      return { decisions, numbers, quality: `${(surprise / count).toFixed(4)} bits a character`, bytes }
    },
  }
}

/** What the network writes in float32 at temperature 1, drawn by the same random numbers each time. */
function write(next, alphabet) {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const written = Array.from(OPENING, (character) => alphabet.indexOf(character))
  let logits
  for (const id of written) logits = next(id)
  while (written.length < LENGTH) {
    const highest = Math.max(...logits)
    const powers = Array.from(logits, (logit) => Math.exp(logit - highest))
    let left = random() * powers.reduce((sum, power) => sum + power, 0)
    let id = 0
    while (id < powers.length - 1 && left >= powers[id]) left -= powers[id++]
    written.push(id)
    logits = next(id)
  }
  return written
}
