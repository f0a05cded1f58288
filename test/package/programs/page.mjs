// The work of the package test in a page or its like: `work` gives what was found, with the words of warnings.
import { backendInfo, LSTM, RNN } from 'native-rnn'
import { results } from './results.mjs'

export async function work() {
  const warnings = []
  console.warn = (text) => warnings.push(text)
  return { ...(await results({ backendInfo, LSTM, RNN })), warnings }
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
