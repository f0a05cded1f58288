/** Conv of one channel by filters that are symmetric, as those of a short-time Fourier transform are: native code takes half the products. */
import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { modelBackends, modelFile, symmetricFilters, weight } from '../support/model-files.ts'
import type { TestTensor } from '../support/onnx-writer.ts'
import { ramp } from '../support/tensors.ts'

const strides = 5
const modelOf = (w: TestTensor, backend: (typeof modelBackends)[number]) => {
  const nodes = [{ opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes: { strides: [strides] } }]
  const file = modelFile({
    nodes,
    inputs: { x: { shape: ['rows', 1, 'samples'] } },
    outputs: { y: {} },
    weights: { w },
  })
  return Model.read(file, { backend })
}
/** What an output is by the definition, in double precision. */
const plain = ({ data, shape: [, , taps] }: TestTensor, x: Float32Array, n: number, t: number) => {
  let sum = 0
  for (let k = 0; k < taps; k++) sum += data[n * taps + k] * x[t * strides + k]
  return sum
}

const filters: Record<string, TestTensor> = {
  'cosines and sines of a periodic window': symmetricFilters(1, 34, 32, 17, true),
  'an odd number of taps': symmetricFilters(2, 9, 33, 4, false),
  'the same taps in both directions': symmetricFilters(3, 5, 20, 5, false),
  'the other sign alone': symmetricFilters(4, 6, 17, 0, true),
  'one tap that is not': {
    shape: [4, 1, 16],
    data: symmetricFilters(5, 4, 16, 2, false).data.map((value, i) => (i === 40 ? 2 * value : value)),
  },
  'none at all': weight(6, 7, 1, 16),
}

describe.each(modelBackends)('on %s', (backend) => {
  it.each(Object.entries(filters))('%s', (_, w) => {
    const model = modelOf(w, backend)
    const [N, , taps] = w.shape
    const x = ramp(9, 1, taps + 3 * strides)
    const { data, shape } = model.run({ x }).y
    expect(shape).toEqual([9, N, 4])
    for (let b = 0; b < 9; b++) {
      const row = x.data.subarray(b * (taps + 3 * strides), (b + 1) * (taps + 3 * strides))
      for (let n = 0; n < N; n++) {
        for (let t = 0; t < 4; t++) expect(data[(b * N + n) * 4 + t]).toBeCloseTo(plain(w, row, n, t), 5)
      }
      const alone = model.run({ x: { data: row, shape: [1, 1, row.length] } }).y
      expect(alone.data).toEqual(data.slice(b * N * 4, (b + 1) * N * 4))
    }
  })

  it('a stream over frames has the bits of a run with padding in front', () => {
    const w = filters['cosines and sines of a periodic window']
    const attributes = { pads: [31, 0], strides: [1] }
    const nodes = [{ opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes }]
    const declared = { x: { shape: [1, 1, 'time'] } }
    const file = modelFile({ nodes, inputs: declared, outputs: { y: { shape: [1, 34, 'time'] } }, weights: { w } })
    const model = Model.read(file, { backend })
    const x = ramp(1, 1, 50)
    const { data } = model.run({ x }).y
    const stream = model.stream({ along: 'time' })
    for (let t = 0; t < 50; t++) {
      const { y } = stream.step(x.data.slice(t, t + 1))
      expect(Array.from(y as Float32Array)).toEqual(Array.from({ length: 34 }, (_, n) => Number(data[n * 50 + t])))
    }
  })

  it.skipIf(backend === 'typescript')('half of the weights are packed', () => {
    const w = symmetricFilters(7, 128, 256, 64, true)
    const packed = (filters: TestTensor) => {
      const model = modelOf(filters, backend)
      model.run({ x: ramp(1, 1, 256) })
      return model.memory().weights - 4 * filters.data.length
    }
    const whole = packed({ ...w, data: Float32Array.from(w.data).with(7, 1) })
    expect(packed(w)).toBeGreaterThan(0.4 * whole)
    expect(packed(w)).toBeLessThan(0.6 * whole)
  })

  it('values that are no numbers go where they do by the definition', () => {
    const w = filters['cosines and sines of a periodic window']
    const model = modelOf(w, backend)
    for (const value of [Number.NaN, Infinity]) {
      for (let place = 0; place < 32; place++) {
        const x = ramp(1, 1, 32)
        x.data[place] = value
        if (place === 5) x.data[32 - place] = value
        const { data } = model.run({ x }).y
        for (let n = 0; n < 34; n++) expect(data[n], `${value} at ${place}`).toBe(plain(w, x.data, n, 0))
      }
    }
  })
})
