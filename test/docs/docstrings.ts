/** Gathers the `@example` blocks of the docstrings in lib/ into one file that the compiler reads; knows what they take for granted. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './pages.ts'

const given = `import { readFile, writeFile } from 'node:fs/promises'
import { parentPort, type Worker } from 'node:worker_threads'
import * as library from 'native-rnn'
import type { NestedNumbers, StateDict } from 'native-rnn'
const { availableBackends, backendInfo, Embedding, fromKeras, fromOnnxNode, GRU, Linear } = library
const { loadSafetensors, LSTM, Model, readOnnx, readSafetensors, RNN, RNNError, Tensor, writeSafetensors } = library
declare const lstm: library.LSTM, gru: library.GRU, rnn: library.RNN
declare const frame: Float32Array, frames: library.Tensor & Float32Array[], input: NestedNumbers, x: library.Tensor
declare const dict: StateDict, W: library.Tensor, R: library.Tensor, B: library.Tensor, worker: Worker
declare const model: library.Model, vad: library.Model, state: library.ModelTensor, features: library.Tensor
`

/** A TypeScript file with every example in a function of its own; names that an example leaves unused are no error. */
export function docstringExamples(): string {
  const lib = join(root, 'lib')
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const examples = files.flatMap((file) => {
    const text = readFileSync(join(lib, file), 'utf8')
    return [...text.matchAll(/^ *\* @example\n((?: *\* .+\n)+)/gm)].map(([, lines]) => {
      return `async () => { // lib/${file}\n${lines.replace(/^ *\* /gm, '  ')}}\n`
    })
  })
  return `${given}\n${examples.join('\n')}`
}
