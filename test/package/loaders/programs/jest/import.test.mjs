// Jest's ES modules: the package is evaluated in the test's own realm, the addon is loaded once for all test files.
import vm from 'node:vm'
import { backendInfo, RNN, RNNError } from 'native-rnn'

test('native code runs, and gives arrays of this realm', async () => {
  expect(backendInfo().reason).toBeUndefined()
  const rnn = new RNN(3, 4, { seed: 1 })
  const { data } = rnn.forward([[1, 2, 3]]).output
  expect(data).toBeInstanceOf(Float32Array)
  expect((await rnn.forwardAsync([[1, 2, 3]])).output.data).toStrictEqual(data)
  expect(
    await rnn
      .batcher()
      .open()
      .step(Float32Array.of(1, 2, 3)),
  ).toEqual(data)
  await expect(rnn.forwardAsync([[1]])).rejects.toThrow(RNNError)
})

test('the addon is loaded once', () => {
  const host = vm.runInThisContext('process').getBuiltinModule('node:module')
  const addons = Object.keys(host.createRequire(import.meta.url).cache).filter((file) =>
    /native-rnn[\\/]prebuilds[\\/]/.test(file),
  )
  expect(addons).toHaveLength(1)
})
