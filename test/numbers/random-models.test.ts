/**
 * Random graphs of every operator through `Model`: native code against TypeScript, and to the bit each native backend against the others, a run
 * beside the thread, other threads, and a row of a batch against the row alone. Beside onnxruntime: `npm run conformance -- --graphs 10000`.
 */

import fc from 'fast-check'
import { Model, type ModelTensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { bitGroups, sharesBits } from '../support/backends.ts'
import { modelBackends } from '../support/model-files.ts'
import { choicesOf, type RandomGraph, randomGraph } from '../support/random/index.mjs'
import { disagreement, inputsOf, modelResults } from '../support/random/run.mjs'

const native = modelBackends.filter((name) => name !== 'typescript')
/** How runs go beside the thread: on the pool, and in turns. */
const asynchronous = [
  ...modelBackends.filter(sharesBits).slice(0, 1),
  ...modelBackends.filter((name) => name === 'wasm'),
]
const graphs = choicesOf(fc).map((choices) => randomGraph(choices))
const [runs, rows] = [150, 3]

const expectSame = ({ outputs }: RandomGraph, a: readonly ModelTensor[], b: readonly ModelTensor[], tolerance = 0) =>
  expect(disagreement(outputs, a, b, tolerance)).toBeUndefined()

describe('random graphs', () => {
  it.each(native)(`on %s are those of TypeScript (${runs} graphs)`, (backend) => {
    const property = fc.property(graphs, (graph) => {
      expectSame(graph, modelResults(graph, 'typescript'), modelResults(graph, backend), 1e-4)
    })
    fc.assert(property, { numRuns: runs })
  })

  it.each(bitGroups.map((group) => ({ group, names: group.join(', ') })))(
    'have the same bits on $names',
    ({ group }) => {
      const property = fc.property(graphs, (graph) => {
        const [first, ...others] = group.map((backend) => modelResults(graph, backend))
        for (const results of others) expectSame(graph, first, results)
      })
      fc.assert(property, { numRuns: runs })
    },
  )

  it.each(asynchronous)('have the same bits beside the thread, and with threads, on %s', async (backend) => {
    const property = fc.asyncProperty(graphs, async (graph) => {
      const first = modelResults(graph, backend)
      const model = Model.read(graph.file, { backend, threads: 2 })
      const results = await Promise.all([model.runAsync(inputsOf(graph)), model.runAsync(inputsOf(graph))])
      for (const one of results)
        expectSame(
          graph,
          first,
          graph.outputs.map(({ name }) => one[name]),
        )
      model.dispose()
    })
    await fc.assert(property, { numRuns: runs })
  })

  it.each(modelBackends)(`give each row of a batch the bits that it has alone, on %s (${runs} graphs)`, (backend) => {
    const batches = choicesOf(fc).map((choices) => randomGraph(choices, { rows }))
    const property = fc.property(batches, (graph) => {
      const batch = modelResults(graph, backend)
      for (let row = 0; row < rows; row++) {
        const own = <T extends { data: ArrayLike<unknown> & { slice: (from: number, to: number) => unknown } }>(
          data: T['data'],
        ) => data.slice((data.length / rows) * row, (data.length / rows) * (row + 1))
        const model = Model.read(graph.file, { backend })
        const inputs = Object.entries(inputsOf(graph)).map(([name, { data, shape }]) => {
          return [name, { data: own(data), shape: [1, ...shape.slice(1)] }]
        })
        const alone = model.run(Object.fromEntries(inputs))
        model.dispose()
        const expected = batch.map(
          ({ data, shape }) => ({ data: own(data), shape: [1, ...shape.slice(1)] }) as ModelTensor,
        )
        expectSame(
          graph,
          expected,
          graph.outputs.map(({ name }) => alone[name]),
        )
      }
    })
    fc.assert(property, { numRuns: runs })
  })
})
