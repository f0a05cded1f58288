/**
 * Damaged, hostile and ill-fitting files as whole models: whatever the bytes, `Model.read` and a run with small inputs give results or an
 * RNNError that says why, on every backend, and native code and TypeScript agree on which. `npm run fuzz:models` is the long form of this
 * file: it sets MODEL_RUNS, the inputs of one test.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type BackendName, Model, type ModelTensor, type ModelValue, RNNError } from 'native-rnn'
import { afterAll, describe, expect, it } from 'vitest'
import { damaged, damages } from '../support/damage.ts'
import { affine, modelBackends, recurrent } from '../support/model-files.ts'
import { HostileBuilder } from '../support/random/hostile.mjs'
import { choicesOf, randomGraph } from '../support/random/index.mjs'

const short = 200
const runs = Number(process.env.MODEL_RUNS ?? short)
const isLong = runs > short
const timeout = 120_000 + runs * 20
/** Where the long form keeps the file at hand, should it end the process. */
const lastFile = join(tmpdir(), `native-rnn-fuzz-models-${process.pid}.onnx`)

const exported = (name: string) => readFileSync(new URL(`../fixtures/models/${name}.onnx`, import.meta.url))
const files = [affine(), recurrent(), exported('gate'), exported('predictor')]

const arrays = {
  float32: Float32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int4: Int8Array,
  uint4: Uint8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
}

/** Inputs of declared sizes, with 2 for open ones; undefined where that is more than a few values. */
function inputsFor(values: readonly ModelValue[]): Record<string, ModelTensor> | undefined {
  const inputs: Record<string, ModelTensor> = {}
  let total = 0
  for (const { name, type, shape } of values) {
    const sizes = shape.map((size) => (typeof size === 'number' ? size : 2))
    const count = sizes.reduce((product, size) => product * size, 1)
    total += count
    if (!(total <= 20_000)) return undefined
    const data = new arrays[type](count)
    for (let i = 0; i < count; i++) data[i] = type === 'int64' || type === 'uint64' ? BigInt(i % 3) : i % 3
    inputs[name] = { data, shape: sizes }
  }
  return inputs
}

type Outcome = { what: 'results' | 'refused' | 'large'; shapes?: string[]; message?: string }

const codes = ['ERR_RNN_MODEL_FILE', 'ERR_RNN_SHAPE', 'ERR_RNN_OPTION']
let slowest = 0

/** What becomes of a file; no error passes that API.md does not name, or that is no line of words. */
function outcomeOf(file: Uint8Array, backend: BackendName): Outcome {
  const start = performance.now()
  try {
    const model = Model.read(file, { backend })
    const inputs = inputsFor(model.inputs)
    const results = inputs && model.run(inputs)
    model.dispose()
    if (results === undefined) return { what: 'large' }
    return { what: 'results', shapes: Object.entries(results).map(([name, { shape }]) => `${name}: ${shape}`) }
  } catch (error) {
    if (!(error instanceof RNNError) || !codes.includes(error.code)) throw error
    expect(error.message).toMatch(/^[^\n]{1,999}$/)
    return { what: 'refused', message: error.message }
  } finally {
    slowest = Math.max(slowest, performance.now() - start)
  }
}

/** What native code may refuse and TypeScript not: types and windows that its programs do not have, and memory that only they would take. */
const onlyNative = /float64|bfloat16|u?int16|uint32|uint64|at most 2\^2[24]|on its way|far more than its values have/

/** One file on every backend. */
function expectSound(file: Uint8Array): Outcome {
  if (isLong) writeFileSync(lastFile, file)
  const outcomes = modelBackends.map((backend) => outcomeOf(file, backend))
  const expected = outcomes[outcomes.length - 1]
  for (const { what, shapes, message } of outcomes) {
    if (what === 'refused' && onlyNative.test(message!)) continue
    // Words may differ: native programs know an index that the file holds before they run.
    if (what === expected.what && String(shapes) === String(expected.shapes)) continue
    // Not before: to compare the bytes of a file takes longer than all else.
    expect({ what, shapes, file }).toEqual({ what: expected.what, shapes: expected.shapes, file })
  }
  return expected
}

afterAll(() => {
  if (!isLong) return
  const memory = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(`most memory in use: ${memory} MiB; the slowest file took ${Math.round(slowest)} ms on one backend`)
})

describe('whole models', () => {
  const graphs = choicesOf(fc)
  const fileOf = (choices: readonly number[], options = {}) => randomGraph(choices, options).file
  const small = fc.oneof(
    graphs.map((choices) => fileOf(choices)),
    fc.constantFrom(...files),
  )
  const inputs = {
    'well-formed graphs of things that do not fit': graphs.map((choices) =>
      fileOf(choices, { Builder: HostileBuilder }),
    ),
    'damaged models': fc.tuple(small, damages).map(([file, list]) => damaged(file, list)),
    'models cut off anywhere': fc.tuple(small, fc.nat(0xffff)).map(([file, at]) => file.subarray(0, at % file.length)),
    'random bytes': fc.uint8Array({ maxLength: 200 }),
  }

  it('runs every file as it is', () => {
    for (const file of files) expect(expectSound(file).what).toBe('results')
  })

  it.each(Object.entries(inputs))(`runs or refuses %s (${runs} inputs)`, { timeout }, (what, arbitrary) => {
    const counts = { results: 0, refused: 0, large: 0 }
    const property = fc.property(arbitrary, (file) => {
      counts[expectSound(file).what]++
    })
    fc.assert(property, { numRuns: runs })
    if (isLong) {
      console.log(
        `${what}: ${counts.refused} refused, ${counts.results} run, ${counts.large} read, their inputs too large to run`,
      )
    }
    expect(counts.refused).toBeGreaterThan(0)
  })
})
