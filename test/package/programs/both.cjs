// One process that requires the package and imports it has one package: what one makes is of the other's classes.
const required = require('native-rnn')

import('native-rnn').then(async (imported) => {
  for (const name of Object.keys(imported)) {
    if (imported[name] !== required[name]) throw new Error(`${name} is another by import than by require`)
  }
  if (!(new imported.RNN(2, 2) instanceof required.RNN)) throw new Error('an imported RNN is none of the required')
  const { results } = await import('./results.mjs')
  console.log(JSON.stringify(await results(required)))
})
