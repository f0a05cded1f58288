/** Models without states of their own as streams along time: the bits of a run over the whole sequence. */
import { Model } from 'native-rnn'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { modelBackends, modelFile, weight } from '../support/model-files.ts'
import { ramp } from '../support/tensors.ts'

const [C, H] = [4, 5]

/** A causal convolution over time, (1, C, time), and a GRU on it: (time, 1, H). `before`: frames of padding in front; ONNX's pads have the end behind. */
function causal(before = 2): Uint8Array {
  return modelFile({
    nodes: [
      {
        opType: 'Conv',
        name: 'window',
        inputs: ['x', 'K'],
        outputs: ['c'],
        attributes: { kernel_shape: [3], pads: [before, 2 - before] },
      },
      { opType: 'Relu', inputs: ['c'], outputs: ['r'] },
      { opType: 'Transpose', inputs: ['r'], outputs: ['t'], attributes: { perm: [2, 0, 1] } },
      { opType: 'GRU', name: 'gru', inputs: ['t', 'W', 'R'], outputs: ['Y'], attributes: { hidden_size: H } },
      { opType: 'Squeeze', inputs: ['Y', 'one'], outputs: ['y'] },
    ],
    inputs: { x: { shape: ['batch', C, 'time'] } },
    outputs: { y: { shape: ['time', 'batch', H] } },
    weights: { K: weight(1, 6, C, 3), W: weight(2, 1, 3 * H, 6), R: weight(3, 1, 3 * H, H) },
    lists: { one: [1] },
  })
}

describe.each(modelBackends)('a stream along time on %s', (backend) => {
  const model = Model.read(causal(), { backend })
  const T = 12
  const x = ramp(1, C, T)
  let whole: Float32Array
  beforeAll(() => {
    whole = model.run({ x }).y.data as Float32Array
  })
  const frames = (from: number, count: number) =>
    Float32Array.from({ length: C * count }, (_, i) => x.data[Math.floor(i / count) * T + from + (i % count)])

  it.each([1, 2, 4])('has the bits of a run over the whole sequence, %i frames a step', (count) => {
    const stream = model.stream({ along: 'time', shapes: { x: [1, C, count] } })
    for (let t = 0; t < T; t += count) {
      expect(stream.step(frames(t, count)).y).toEqual(whole.slice(t * H, (t + count) * H))
    }
  })

  it('takes one frame where no shape says more, begins anew, and is saved', () => {
    const stream = model.stream({ along: 'time', shapes: { x: [1, C, 1] } })
    const other = model.stream({ along: 'time', shapes: { x: [1, C, 3] } })
    for (let t = 0; t < 3; t++) stream.step(frames(t, 1))
    other.step(frames(0, 3))
    expect(other.state()).toEqual(stream.state())
    const restored = model.restoreStream(stream.save(), { along: 'time', shapes: { x: [1, C, 1] } })
    expect(restored.step(frames(3, 1)).y).toEqual(whole.slice(3 * H, 4 * H))
    expect(stream.fork().step(frames(3, 1)).y).toEqual(whole.slice(3 * H, 4 * H))
    stream.reset()
    expect(stream.step(frames(0, 1)).y).toEqual(whole.slice(0, H))
  })

  it('is batched with others', async () => {
    const batcher = model.batcher({ along: 'time' })
    const streams = Array.from({ length: 5 }, () => batcher.open())
    for (let t = 0; t < 4; t++) {
      const steps = streams.map((stream, k) => (k <= t ? stream.step(frames(t - k, 1)) : undefined))
      for (const [k, step] of steps.entries()) {
        if (step) expect((await step).y).toEqual(whole.slice((t - k) * H, (t - k + 1) * H))
      }
    }
  })

  it('refuses operators that look ahead, unknown names, and states beside it', () => {
    const stream =
      (options: object, file = causal()) =>
      () =>
        Model.read(file, { backend }).stream(options)
    const shapes = { x: [1, C, 1] }
    expectError(stream({ along: 'time', shapes }, causal(1)), 'ERR_RNN_OPTION', '"window" (Conv)')
    expectError(
      stream({ along: 'tim', shapes }),
      'ERR_RNN_OPTION',
      "unknown dimension 'tim' in along; did you mean 'time'?",
    )
    expectError(stream({ along: 1, shapes }), 'ERR_RNN_OPTION', 'along must be a string')
    expectError(
      stream({ along: 'time', shapes, states: { x: 'y' } }),
      'ERR_RNN_OPTION',
      'along must be left out where states are given',
    )
  })
})
