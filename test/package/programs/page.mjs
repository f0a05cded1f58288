// The work of the package test in a page or its like: `work` gives what was found, with the words of warnings.
import { backendInfo, LSTM, RNN } from 'native-rnn'
import { frames, results } from './results.mjs'

export async function work() {
  const warnings = []
  console.warn = (text) => warnings.push(text)
  const found = await results({ backendInfo, LSTM, RNN })
  // As postMessage takes it: a page that is not isolated posts no shared memory.
  const output = new LSTM(5, 9, { seed: 2 }).stream().step(Float32Array.from(frames[0]))
  if (structuredClone(output).join() !== output.join()) throw new Error('an output that is posted is another')
  return { ...found, warnings }
}

if (globalThis.document) {
  work().then(
    (found) => {
      document.title = JSON.stringify(found)
    },
    (error) => {
      document.title = JSON.stringify({ error: String(error.stack) })
    },
  )
}
