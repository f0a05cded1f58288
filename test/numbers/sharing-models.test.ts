/** Random graphs whose operators share what they read: memory that is reused, written in place or looked at by strides shows in no result. */
import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { bitGroups } from '../support/backends.ts'
import { modelBackends } from '../support/model-files.ts'
import { numbersFrom, type RandomGraph, randomGraph } from '../support/sharing-graphs.ts'

const seeds = Array.from({ length: 150 }, (_, i) => i + 1)
const native = modelBackends.filter((backend) => backend !== 'typescript')

function run(graph: RandomGraph, seed: number, backend: (typeof modelBackends)[number]): Float32Array[] {
  const next = numbersFrom(seed)
  const inputs = graph.inputs.map(({ name, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1)
    return [name, { data: Float32Array.from({ length }, () => 2 * next() - 1), shape }] as const
  })
  const model = Model.read(graph.file, { backend })
  const results = model.run(Object.fromEntries(inputs))
  model.dispose()
  return graph.outputs.map(({ name }) => results[name].data as Float32Array)
}

describe.skipIf(native.length === 0)('models whose values are shared', () => {
  it('give natively what the TypeScript backend gives, and the same bits on every instruction set', () => {
    for (const seed of seeds) {
      const graph = randomGraph(seed, 14)
      const text = `seed ${seed}: ${graph.nodes.map(({ opType }) => opType).join(' ')}`
      const wanted = run(graph, seed, 'typescript')
      const bits = new Map<readonly string[], Float32Array[]>()
      for (const backend of native) {
        const results = run(graph, seed, backend)
        for (const [i, values] of wanted.entries()) {
          const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
          const off = values.reduce((most, value, k) => Math.max(most, Math.abs(value - results[i][k])), 0)
          // A norm of values that are nearly alike makes a rounding error large.
          expect(off / scale, `${backend}, ${text}`).toBeLessThan(1e-3)
        }
        for (const group of bitGroups) {
          if (!group.includes(backend)) continue
          if (!bits.has(group)) bits.set(group, results)
          expect(results, `${backend}, ${text}`).toEqual(bits.get(group))
        }
      }
    }
  })
})
