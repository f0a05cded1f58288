// Code of another realm, as in vm contexts: its arrays are no instances of this realm's classes, and as good.
const vm = require('node:vm')
const native = require('native-rnn')

async function inside(native, results) {
  const { LSTM, RNN, RNNError, Tensor, readSafetensors, writeSafetensors } = native
  const rnn = new RNN(3, 4, { seed: 1 })
  const wanted = String(rnn.forward([[1, 2, 3]]).output.data)
  const data = Float32Array.of(1, 2, 3)
  const found = [
    rnn.forward(new Tensor(data, [1, 3])).output.data,
    rnn.forward({ data, shape: [1, 3] }).output.data,
    rnn.forward([data]).output.data,
    (await rnn.forwardAsync([data])).output.data,
    rnn.stream().step(data),
    await rnn.batcher({ maxBatch: 4 }).open().step(data),
    RNN.fromStateDict(readSafetensors(new Uint8Array(writeSafetensors(rnn.stateDict())))).forward([data]).output.data,
    RNN.fromShared(rnn.share()).forward([data]).output.data,
  ]
  found.forEach((values, i) => {
    if (String(values) !== wanted) throw new Error(`way ${i} gives ${values}, not ${wanted}`)
  })
  const wrong = await rnn.forwardAsync([[1]]).catch((error) => error)
  if (!(wrong instanceof RNNError) || wrong.code !== 'ERR_RNN_SHAPE') throw new Error(`no RNNError: ${wrong}`)
  return results({ ...native, LSTM, RNN })
}

import('./results.mjs').then(async ({ results }) => {
  const there = vm.runInNewContext(`(${inside})`)
  if (vm.runInNewContext('Float32Array') === Float32Array) throw new Error('one realm')
  console.log(JSON.stringify(await there(native, results)))
})
