// With Jest's ES modules, and a Node that requires those, both ways give the one package of the test file.
const { RNN } = require('native-rnn')

test('one package by require and by import', async () => {
  const imported = await import('native-rnn')
  expect(imported.RNN).toBe(RNN)
  expect(new imported.RNN(2, 2)).toBeInstanceOf(RNN)
})
