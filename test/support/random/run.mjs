// What random graphs are run by: `Model` on a backend, and onnxruntime-node out of the bench's own install; and whether two sets of results
// agree.

import { createRequire } from 'node:module'
import { Model } from 'native-rnn'
import { arrayOf } from '../run-model.mjs'

/**
 * What a graph is given.
 *
 * @param {import('./index.mjs').RandomGraph} graph
 * @returns {Record<string, import('native-rnn').ModelTensor>}
 */
export function inputsOf({ inputs }) {
  return Object.fromEntries([...inputs].map(([name, one]) => [name, { data: arrayOf(one), shape: one.dims }]))
}

/**
 * Runs a random graph through `Model`.
 *
 * @param {import('./index.mjs').RandomGraph} graph
 * @param {import('native-rnn').BackendName} backend
 * @param {object} [options] of `Model.read`
 * @returns {import('native-rnn').ModelTensor[]} in the order of `graph.outputs`
 */
export function modelResults(graph, backend, options = {}) {
  const model = Model.read(graph.file, { backend, ...options })
  const results = model.run(inputsOf(graph))
  model.dispose()
  return graph.outputs.map(({ name }) => results[name])
}

/** onnxruntime-node, where the bench has it. */
export function findOnnxruntime() {
  try {
    const require = createRequire(new URL('../../../bench/package.json', import.meta.url))
    const ort = require('onnxruntime-node')
    ort.env.logLevel = 'fatal'
    return { ort, title: `onnxruntime-node ${require('onnxruntime-node/package.json').version}` }
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    return undefined
  }
}

/** The same by onnxruntime, without its own rewriting of graphs. */
export async function onnxruntimeResults(ort, { file, inputs, outputs }) {
  const session = await ort.InferenceSession.create(file, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
  })
  const feeds = [...inputs].map(([name, one]) => [name, new ort.Tensor(one.type, arrayOf(one), one.dims)])
  const results = await session.run(Object.fromEntries(feeds))
  await session.release()
  return outputs.map(({ name }) => ({ data: results[name].data, shape: results[name].dims }))
}

/**
 * Where results differ, in words; undefined where they agree: integers and truth values exactly, floats within `tolerance` of the largest
 * value of their tensor, at least 1.
 *
 * @param {import('./builder.mjs').Value[]} outputs
 * @param {readonly { data: ArrayLike<number | bigint>, shape: readonly number[] }[]} expected
 * @param {readonly { data: ArrayLike<number | bigint>, shape: readonly number[] }[]} got
 * @param {number} tolerance 0 for the same bits
 */
export function disagreement(outputs, expected, got, tolerance) {
  for (const [i, { name, type }] of outputs.entries()) {
    const [wanted, found] = [expected[i], got[i]]
    if (`${wanted.shape}` !== `${found.shape}`) return `${name}: shape (${found.shape}) for (${wanted.shape})`
    if (wanted.data.length !== found.data.length)
      return `${name}: ${found.data.length} values for ${wanted.data.length}`
    const finite = Array.from(wanted.data, Number).filter(Number.isFinite)
    const largest = finite.reduce((most, one) => Math.max(most, Math.abs(one)), 1)
    const allowed = type === 'float32' ? tolerance * largest : 0
    for (let at = 0; at < wanted.data.length; at++) {
      const [a, b] = [wanted.data[at], found.data[at]]
      const isSame = tolerance === 0 ? Object.is(a, b) : a === b || (Number.isNaN(a) && Number.isNaN(b))
      if (!isSame && !(Math.abs(Number(a) - Number(b)) <= allowed)) return `${name} (${type}): ${b} for ${a} at ${at}`
    }
  }
  return undefined
}
