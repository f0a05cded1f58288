/** Handles of shared models with anything changed in them: an error of the package or a result, and never the end of the process. */
import fc from 'fast-check'
import { Model, type ModelInput, RNNError, type SharedModel } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { modelBackends, modelFile, recurrent, weight } from '../support/model-files.ts'
import { ramp } from '../support/tensors.ts'

/** A convolution, a lookup, a reshape by numbers, a reduction and a product: attributes and constants of many kinds. */
const mixed = modelFile({
  nodes: [
    { opType: 'Conv', inputs: ['x', 'K'], outputs: ['c'], attributes: { kernel_shape: [3], pads: [1, 1], group: 1 } },
    { opType: 'Transpose', inputs: ['c'], outputs: ['t'], attributes: { perm: [0, 2, 1] } },
    { opType: 'Gather', inputs: ['table', 'ids'], outputs: ['e'] },
    { opType: 'Add', inputs: ['t', 'e'], outputs: ['s'] },
    { opType: 'MatMul', inputs: ['s', 'V'], outputs: ['m'] },
    { opType: 'Softmax', inputs: ['m'], outputs: ['p'], attributes: { axis: -1 } },
    { opType: 'ReduceMean', inputs: ['p'], outputs: ['y'], attributes: { axes: [1], keepdims: 0 } },
  ],
  inputs: { x: { shape: ['batch', 3, 6] }, ids: { type: 'int64', shape: ['batch', 6] } },
  outputs: { y: { shape: ['batch', 5] } },
  weights: { K: weight(1, 4, 3, 3), table: weight(2, 7, 4), V: weight(3, 4, 5) },
})

const cases: { file: Uint8Array; inputs: Record<string, ModelInput> }[] = [
  { file: recurrent(), inputs: { frames: ramp(4, 2, 3), state: ramp(1, 2, 5) } },
  { file: mixed, inputs: { x: ramp(2, 3, 6), ids: new Array(2).fill([0, 1, 2, 3, 4, 6]) } },
]

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(2 ** 31, 2 ** 53, -1, 0.5, Number.NaN, undefined, null, '', 'Conv', 'float64', 2n, true),
  fc.array(fc.integer({ min: -3, max: 9 }), { maxLength: 4 }),
)

/** Every place of a structure that can be replaced. */
function places(value: unknown, found: [object, PropertyKey][] = []): [object, PropertyKey][] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return found
  const keys = value instanceof Map ? [...value.keys()] : Object.keys(value)
  for (const key of keys) {
    found.push([value, key])
    places(value instanceof Map ? value.get(key) : (value as Record<string, unknown>)[key], found)
  }
  return found
}

function put([owner, key]: [object, PropertyKey], to: unknown): void {
  if (owner instanceof Map) owner.set(key, to)
  else Reflect.set(owner, key, to)
}

describe.each(modelBackends)('a handle of a model on %s', (backend) => {
  it.each([0, 1])('with anything replaced gives an error or a result: model %i', (which) => {
    const { file, inputs } = cases[which]
    const model = Model.read(file, { backend })
    const want = model.run(inputs)
    const good = model.share()
    let results = 0
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 3 }), (changes) => {
        const handle = structuredClone(good)
        for (const [at, to] of changes) {
          const all = places(handle)
          put(all[at % all.length], to)
        }
        try {
          const other = Model.fromShared(handle)
          other.run(inputs)
          results++
        } catch (error) {
          if (!(error instanceof RNNError)) throw error
        }
      }),
      { numRuns: 300 },
    )
    expect(results).toBeGreaterThan(0)
    expect(Model.fromShared(good as SharedModel).run(inputs)).toEqual(want)
  })

  it('with packed weights that are too short, or of something else, ends no process', () => {
    const { file, inputs } = cases[1]
    const model = Model.read(file, { backend })
    model.run(inputs)
    const good = model.share()
    for (const { memory } of good.packed as { memory: Float32Array }[]) {
      for (const length of [0, 1, 16, memory.length - 1, memory.length]) {
        const handle = structuredClone(good) as { packed: { memory: Float32Array }[] }
        const own = new Float32Array(new SharedArrayBuffer(4 * length)).fill(Number.NaN)
        for (const one of handle.packed) one.memory = own
        try {
          Model.fromShared(handle as never).run(inputs)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }
    }
  })
})
