/** Conv over short inputs: taps that lie in the padding wherever the window stands are left out by native code. */
import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { modelBackends, modelFile, weight } from '../support/model-files.ts'
import { ramp } from '../support/tensors.ts'

const [O, C] = [5, 4]

describe.each(modelBackends)('on %s', (backend) => {
  for (const kernel of [1, 3, 6])
    for (const dilation of [1, 2])
      it(`${kernel} taps, ${dilation} apart`, () => {
        const w = weight(kernel, O, C, kernel)
        for (const before of [0, 1, 4])
          for (const after of [0, 2])
            for (const stride of [1, 3]) {
              const attributes = { pads: [before, after], strides: [stride], dilations: [dilation] }
              const nodes = [{ opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes }]
              const file = modelFile({ nodes, inputs: { x: {} }, outputs: { y: {} }, weights: { w } })
              const model = Model.read(file, { backend })
              for (const size of [1, 2, 3, 7]) {
                const windows = Math.floor((size + before + after - (kernel - 1) * dilation - 1) / stride) + 1
                if (windows < 1) continue
                const x = ramp(2, C, size)
                const { data, shape } = model.run({ x }).y
                expect(shape).toEqual([2, O, windows])
                for (const [i, value] of data.entries()) {
                  const [b, o, t] = [Math.floor(i / windows / O), Math.floor(i / windows) % O, i % windows]
                  let sum = 0
                  for (let c = 0; c < C; c++)
                    for (let k = 0; k < kernel; k++) {
                      const at = t * stride + k * dilation - before
                      if (at >= 0 && at < size)
                        sum += w.data[(o * C + c) * kernel + k] * x.data[(b * C + c) * size + at]
                    }
                  expect(value, `${size}: ${JSON.stringify(attributes)}`).toBeCloseTo(sum, 5)
                }
              }
              model.dispose()
            }
      })

  it.skipIf(backend === 'typescript')('are not packed', () => {
    const packed = (size: number) => {
      const nodes = [{ opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes: { pads: [1, 1] } }]
      const weights = { w: weight(1, 64, 64, 3) }
      const model = Model.read(modelFile({ nodes, inputs: { x: {} }, outputs: { y: {} }, weights }), { backend })
      model.run({ x: ramp(1, 64, size) })
      return model.memory().weights - 4 * 64 * 64 * 3
    }
    expect(packed(1)).toBeLessThan(0.4 * packed(3))
    expect(packed(2)).toBe(packed(3))
  })
})
