// Jest's default mode: the package lies outside of the test's realm, and takes and gives arrays all the same.
const { backendInfo, LSTM, RNN, RNNError, Tensor, readSafetensors, writeSafetensors } = require('native-rnn')

const rnn = new RNN(3, 4, { seed: 1 })
const frame = Float32Array.of(1, 2, 3)
const { data } = rnn.forward([[1, 2, 3]]).output

test('native code runs', () => {
  expect(backendInfo().reason).toBeUndefined()
  expect(backendInfo().name).not.toBe('typescript')
})

test('arrays of the test go in, and what comes out equals them', async () => {
  const copy = Float32Array.from(data)
  expect(rnn.forward(new Tensor(frame, [1, 3])).output.data).toEqual(copy)
  expect((await rnn.forwardAsync([frame])).output.data).toStrictEqual(copy)
  expect(rnn.stream().step(frame)).toEqual(copy)
  expect(await rnn.batcher().open().step(frame)).toEqual(copy)
  const read = readSafetensors(new Uint8Array(writeSafetensors({ a: { data: frame, shape: [3] } })))
  expect(read.a.data).toEqual(frame)
  expect(new LSTM(3, 4).forward([frame]).cn.shape).toEqual([1, 4])
})

test('errors are of the class that the test requires', async () => {
  expect(() => rnn.forward([[1]])).toThrow(RNNError)
  expect(() => rnn.forward([[1]])).toThrow(/3/)
  await expect(rnn.forwardAsync([[1]])).rejects.toThrow(RNNError)
})
