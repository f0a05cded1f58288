/** Every backend gives PyTorch's numbers: the recorded cases of test/fixtures/pytorch.json. */

import { Embedding, Linear, type Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { filler, fixtures, layerClasses, material, recorded, worstDifference } from '../support/pytorch.ts'

describe.each(backends)('%s', (backend) => {
  // The chain of trust: PyTorch → typescript is the tight link; native code has the bound that API.md promises.
  const bound = backend === 'typescript' ? 1e-6 : 1e-5

  function expectRecorded(name: string, result: Tensor) {
    const expected = recorded[name]
    expect(result.shape, name).toEqual(expected.shape)
    expect(worstDifference(result, expected), name).toBeLessThanOrEqual(bound)
  }

  describe.each(['RNN', 'GRU', 'LSTM'] as const)('%s gives what PyTorch gives', (kind) => {
    const Layer = layerClasses[kind]

    it.each(fixtures.layers.filter((test) => test.layer === kind))('$name', (test) => {
      const { stateDict, input, call } = material(test)
      const { batchFirst, nonlinearity, ...inferred } = test.options
      const fromDict = Layer.fromStateDict(stateDict, {
        backend,
        ...(batchFirst !== undefined && { batchFirst: batchFirst as boolean }),
        ...(nonlinearity !== undefined && { nonlinearity: nonlinearity as 'tanh' | 'relu' }),
      })
      const { output, hn, cn } = fromDict.forward(input, call) as { output: Tensor; hn: Tensor; cn?: Tensor }
      expectRecorded(`${test.name}.output`, output)
      expectRecorded(`${test.name}.hn`, hn)
      if (kind === 'LSTM') expectRecorded(`${test.name}.cn`, cn!)

      expect(fromDict).toMatchObject({ inputSize: test.inputSize, hiddenSize: test.hiddenSize })
      if (test.cell) return
      const made = new Layer(test.inputSize, test.hiddenSize, { ...test.options, backend })
      made.loadStateDict(stateDict)
      expect(made).toMatchObject({ numLayers: inferred.numLayers ?? 1, bidirectional: inferred.bidirectional ?? false })
      expect(made.stateDict()).toEqual(fromDict.stateDict())
      expect(made.forward(input, call)).toEqual({ output, hn, ...(cn && { cn }) })
    })
  })

  it.each(fixtures.linear)('$name gives what PyTorch gives', (test) => {
    const fill = filler(test.seed)
    const scale = 1 / Math.sqrt(test.inFeatures)
    const dict = Object.fromEntries(
      Object.entries(test.parameters).map(([key, shape]) => [`head.${key}`, fill(shape, scale)]),
    )
    const linear = Linear.fromStateDict(dict, { prefix: 'head.', backend })
    expectRecorded(`${test.name}.output`, linear.forward(fill(test.inputShape, 1)))
  })
})

describe('Embedding gives what PyTorch gives', () => {
  it.each(fixtures.embedding)('$name', (test) => {
    const weight = filler(test.seed)(test.parameters.weight, 1)
    const embedding = Embedding.fromStateDict({ weight }, {})
    expect(embedding.forward(test.ids)).toEqual(recorded[`${test.name}.output`])
  })
})
