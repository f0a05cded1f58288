// `npm run conformance -- --graphs 10000 [backend]`: random graphs on every backend beside onnxruntime-node. What differs is made as small
// as it differs still, and printed with the numbers that make it again.

import fc from 'fast-check'
import { availableBackends } from 'native-rnn'
import { choicesOf, randomGraph } from './index.mjs'
import { disagreement, findOnnxruntime, modelResults, onnxruntimeResults } from './run.mjs'

/** How far floats may be from onnxruntime's, over the largest value of their tensor: chains of up to a dozen operators, each rounded. */
const tolerance = 1e-4

/** @param {number} count how many graphs @param {string} [only] the backend */
export async function compareGraphs(count, only) {
  const found = findOnnxruntime()
  if (!found) throw new Error('onnxruntime-node is not installed: npm run bench:rivals')
  const backends = only ? [only] : availableBackends()
  console.log(
    `${count} graphs against ${found.title} on ${backends.join(', ')}, within ${tolerance} of a tensor's largest value`,
  )
  let refused = 0
  const property = fc.asyncProperty(choicesOf(fc), async (choices) => {
    const graph = randomGraph(choices)
    let expected
    try {
      expected = await onnxruntimeResults(found.ort, graph)
    } catch {
      refused++
      return
    }
    for (const backend of backends) {
      const wrong = disagreement(graph.outputs, expected, modelResults(graph, backend), tolerance)
      if (wrong) throw new Error(`${backend}: ${wrong}`)
    }
  })
  await fc.assert(property, { numRuns: count, endOnFailure: false })
  console.log(`all agree; ${refused} were refused by onnxruntime`)
}
