// A worker that listens before the package is there: what is posted meanwhile is not lost.
import { results } from './results.mjs'

const native = import('native-rnn')
addEventListener('message', async () => {
  const warnings = []
  console.warn = (text) => warnings.push(text)
  postMessage({ ...(await results(await native)), warnings })
})
