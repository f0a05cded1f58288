/** Writes text character by character with a GRU trained in PyTorch: an embedding, a stream and a linear layer, temperature and seed. */

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { backendInfo, Embedding, GRU, Linear, loadSafetensors, Tensor } from 'native-rnn'

const { values: options } = parseArgs({
  options: {
    prompt: { type: 'string', default: 'And it came to pass' },
    length: { type: 'string', default: '800' },
    temperature: { type: 'string', default: '0.7' },
    seed: { type: 'string', default: '1' },
  },
})
const at = (file) => new URL(file, import.meta.url)
const json = (file) => JSON.parse(readFileSync(at(file), 'utf8'))
const alphabet = json('alphabet.json')

/** A reader that keeps its place: takes a character's number, gives the logits of the next one. */
function reader({ embedding, gru, head }) {
  const stream = gru.stream()
  return (id) => head.forward(new Tensor(stream.step(embedding.forward([id]).data), [gru.hiddenSize])).data
}

/** Uniform numbers in [0, 1), the same for the same seed. */
function uniform(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const likeliest = (logits) => logits.indexOf(Math.max(...logits))

/** Draws a character: at temperature 0 the likeliest, at 1 as often as the network says, above 1 more boldly. */
function draw(logits, temperature, random) {
  if (temperature === 0) return likeliest(logits)
  const highest = Math.max(...logits)
  const powers = Array.from(logits, (value) => Math.exp((value - highest) / temperature))
  let left = random() * powers.reduce((a, b) => a + b)
  for (let id = 0; id < powers.length; id++) {
    left -= powers[id]
    if (left < 0) return id
  }
  return likeliest(logits) // what rounding may leave over
}

function numbersOf(text) {
  return Array.from(text, (character) => {
    const id = alphabet.indexOf(character)
    if (id < 0)
      throw new Error(`The alphabet of this network has no ${JSON.stringify(character)}; it has ${alphabet.trim()}`)
    return id
  })
}

/** Feeds a text to a reader and gives the logits of what comes next. */
const feed = (next, text) => numbersOf(text).reduce((_, id) => next(id), undefined)

/** Holds this network against what PyTorch recorded: logits after an opening, and the likeliest continuation. */
function compareWithPyTorch(network, record) {
  const next = reader(network)
  let logits = feed(next, record.opening)
  const worst = record.logits.reduce((most, value, i) => Math.max(most, Math.abs(value - logits[i])), 0)
  let written = ''
  while (written.length < record.greedy.length) {
    const id = likeliest(logits)
    written += alphabet[id]
    logits = next(id)
  }
  return { worst, same: written === record.greedy }
}

const weights = await loadSafetensors(at('model.safetensors'))
const network = {
  embedding: Embedding.fromStateDict(weights, { prefix: 'embedding.' }),
  gru: GRU.fromStateDict(weights, { prefix: 'rnn.' }),
  head: Linear.fromStateDict(weights, { prefix: 'head.' }),
}
const record = json('pytorch.json')
const { worst, same } = compareWithPyTorch(network, record)

const next = reader(network)
const random = uniform(Number(options.seed))
const length = Number(options.length)
const temperature = Number(options.temperature)
process.stdout.write(`${options.prompt}`)
const began = performance.now()
let logits = feed(next, options.prompt)
for (let n = 0; n < length; n++) {
  const id = draw(logits, temperature, random)
  process.stdout.write(alphabet[id])
  logits = next(id)
}
const seconds = (performance.now() - began) / 1000
const rate = Math.round((options.prompt.length + length) / seconds)

console.log(`\n\nBackend ${backendInfo().name}, temperature ${temperature}, seed ${options.seed}`)
console.log(`${rate.toLocaleString('en-US')} characters a second`)
console.log(
  `The likeliest ${record.greedy.length} characters are ${same ? '' : 'NOT '}those of PyTorch; logits within ${worst.toExponential(1)}`,
)
if (!same || !(worst < 1e-3)) process.exitCode = 1
