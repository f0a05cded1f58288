/** A layer of the user's own out of a safetensors file, over recorded sequences. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { GRU, Linear, LSTM, loadSafetensors, RNN, Tensor } from 'native-rnn'
import { readNpy } from './npy.mjs'

const NOISE_STEPS = 200

/**
 * @param {{ weights: string, prefix: string, head?: string, input?: string, before: boolean }} options
 * @returns {Promise<import('./compare.mjs').Subject>}
 */
export async function ownLayer({ weights: file, prefix, head: headPrefix, input, before }) {
  const dict = await loadSafetensors(file)
  const open = (format) => {
    const Layer = classOf(dict, prefix)
    return Layer.fromStateDict(dict, { prefix, ...(Layer === GRU && { resetAfter: !before }), ...format })
  }
  const sequences = input === undefined ? [noise(open({}).inputSize)] : await readSequences(input)
  const what = input === undefined ? `${NOISE_STEPS} steps of noise` : basename(input)
  return {
    name: `${basename(file)} over ${what}`,
    decision: 'the largest output of the head at a step',
    unit: '',
    run(format) {
      const layer = open(format)
      const head = headPrefix === undefined ? undefined : Linear.fromStateDict(dict, { prefix: headPrefix, ...format })
      const numbers = []
      const decisions = []
      for (const sequence of sequences) {
        const { output } = layer.forward(sequence)
        const { data, shape } = head ? head.forward(output) : output
        const width = shape.at(-1)
        for (let at = 0; at < data.length; at += width) {
          const row = data.subarray(at, at + width)
          for (const value of row) numbers.push(value)
          if (head) decisions.push(row.indexOf(Math.max(...row)))
        }
      }
      return { decisions, numbers, bytes: layer.memory().weights + (head?.memory().weights ?? 0) }
    },
  }
}

/** The class by how many gates stand in a matrix. */
function classOf(dict, prefix) {
  const name = Object.keys(dict).find((key) => key.startsWith(prefix) && /weight_hh(_l0)?$/.test(key))
  if (name === undefined)
    throw new Error(
      `No weight_hh_l0 under the prefix '${prefix}'; the file has ${Object.keys(dict).slice(0, 20).join(', ')}`,
    )
  if (dict[name.replace('_hh', '_hr')]) return LSTM
  const [rows, columns] = dict[name].shape
  const Layer = { 1: RNN, 3: GRU, 4: LSTM }[rows / columns]
  if (Layer === undefined)
    throw new Error(`${name} has shape (${rows}, ${columns}), which is that of no RNN, GRU or LSTM`)
  return Layer
}

/** Sequences of a file: (T, I) or (T, B, I) each. */
async function readSequences(file) {
  if (file.endsWith('.npy')) return [readNpy(readFileSync(file))]
  return Object.values(await loadSafetensors(file))
}

function noise(I) {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 23 - 1
  }
  return new Tensor(Float32Array.from({ length: NOISE_STEPS * I }, random), [NOISE_STEPS, I])
}
