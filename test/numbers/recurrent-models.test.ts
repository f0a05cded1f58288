/** Recurrent nodes as whole models: ONNX's suite, all inputs and options, quantized weights; a model computes what a layer of the same node does. */

import { readFileSync } from 'node:fs'
import { Model, type ModelTensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { cases, layerOf, outputsOf, type SuiteCase, worstDifference } from '../support/conformance.mjs'
import { outcomeOf, quantizedCases } from '../support/conformance-operators.mjs'
import { modelBackends } from '../support/model-files.ts'
import { activationNode, kinds, rows } from '../support/onnx-activations.mjs'

const fileOf = (model: string) => new Uint8Array(Buffer.from(model, 'base64'))
const nodes = JSON.parse(readFileSync(new URL('../fixtures/onnx/nodes.json', import.meta.url), 'utf8'))
const activations = rows.flatMap((row) => kinds.flatMap((kind) => activationNode(row, kind) ?? []))
// Without outputs: the layer's are expected.
const others: SuiteCase[] = [...nodes, ...activations]

const weights = ['W', 'R', 'B', 'P']
const tensorOf = (name: string, { data, dims }: { data: readonly number[]; dims: readonly number[] }): ModelTensor => ({
  data: name === 'sequence_lens' ? Int32Array.from(data) : Float32Array.from(data),
  shape: dims,
})

/** A case's inputs by whether their names are among these. */
function inputsOf({ inputs }: SuiteCase, test: (name: string) => boolean): Record<string, ModelTensor> {
  const list = Object.entries(inputs).filter(([name]) => test(name))
  return Object.fromEntries(list.map(([name, one]) => [name, tensorOf(name, one)]))
}

describe.each(modelBackends)('on %s', (backend) => {
  const dataOf = (results: Record<string, ModelTensor>) =>
    Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]))

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, testCase) => {
    const inFile = Model.read(fileOf(testCase.modelWithWeights), { backend })
    const given = Model.read(fileOf(testCase.model), {
      backend,
      constants: inputsOf(testCase, (name) => weights.includes(name)),
    })
    const inputs = inputsOf(testCase, (name) => !weights.includes(name))
    const results = dataOf(inFile.run(inputs))
    expect(worstDifference(testCase, results)).toBeLessThan(1e-6)
    expect(dataOf(given.run(inputs))).toEqual(results)
  })

  it.each(others.map((one) => [one.name, one] as const))('%s', (_, testCase) => {
    const layer = layerOf(testCase, backend)
    const expected = outputsOf(testCase, layer)
    const isConstant = [(name: string) => weights.includes(name), (name: string) => name !== 'X']
    for (const test of isConstant) {
      const constants = inputsOf(testCase, test)
      const model = Model.read(fileOf(testCase.model), { backend, constants })
      const results = dataOf(model.run(inputsOf(testCase, (name) => !test(name))))
      for (const [name, data] of Object.entries(results)) expect(data, name).toEqual(expected[name])
      model.dispose()
    }
    layer.dispose()
  })

  it.each(quantizedCases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(outcomeOf(one, backend)).toBe('passed')
  })

  it('refuses weights that are only known when it runs, by name', () => {
    for (const testCase of [cases[0], cases[4], cases[8]]) {
      const run = () => Model.read(fileOf(testCase.model), { backend }).run(inputsOf(testCase, () => true))
      expect(run).toThrow(
        expect.objectContaining({ code: 'ERR_RNN_MODEL_FILE', message: expect.stringMatching(/node 0.*W/) }),
      )
    }
  })
})
