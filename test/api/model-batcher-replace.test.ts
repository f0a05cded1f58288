/** Another model under live streams: which step runs on which, what streams take along, and what is refused. */
import { type BatchedModelStream, Model, type ModelStream } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { affine, modelBackends, modelFile, recurrent } from '../support/model-files.ts'

const shapes = { frames: [1, 1, 3] }
const states = { state: 'stateN' }
const options = { states, shapes, batchAxes: { frames: 1 } }
const frame = (n: number) => Float32Array.from({ length: 3 }, (_, i) => Math.sin(n * 3.1 + i))

/** The stream's state on another model. */
function moved(stream: ModelStream, model: Model): ModelStream {
  const twin = model.stream({ states, shapes })
  twin.reset({ ...stream.state() })
  return twin
}

describe.each(modelBackends)('a batcher that gets another model, on %s', (backend) => {
  const [old, next] = [0, 1].map((seed) => Model.read(recurrent(3, 5, seed * 10), { backend }))

  it('takes the states along, each after what its stream was asked for before', async () => {
    // Objects of options may change once they were read.
    const own = { states: { ...states }, shapes: { frames: [1, 1, 3] }, batchAxes: { frames: 1 } }
    const batcher = old.batcher({ ...own, maxBatch: 3 })
    own.shapes.frames[2] = 7
    own.batchAxes.frames = 0
    own.states.state = 'none'
    const pairs = Array.from(
      { length: 7 },
      () => [batcher.open(), old.stream({ states, shapes })] as [BatchedModelStream, ModelStream],
    )
    const before = pairs.map(([stream], n) => stream.step(frame(n)))
    const given = Model.read(recurrent(3, 5, 10), { backend })
    batcher.replace(given)
    given.dispose()
    const after = pairs.map(([stream], n) => stream.step(frame(n + 50)))
    for (const [n, [stream, alone]] of pairs.entries()) {
      expect((await before[n]).scores).toEqual(alone.step(frame(n)).scores)
      const twin = moved(alone, next)
      expect((await after[n]).scores).toEqual(twin.step(frame(n + 50)).scores)
      expect(stream.save()).toEqual(twin.save())
      expect(next.restoreStream(stream.save(), { states, shapes }).state()).toEqual(stream.state())
    }
    const fresh = batcher.open()
    expect((await fresh.step(frame(3))).scores).toEqual(next.stream({ states, shapes }).step(frame(3)).scores)
    await batcher.close()
  })

  it('leaves open streams on the model that they have, where it is told to keep them', async () => {
    const batcher = old.batcher(options)
    const kept = batcher.open()
    batcher.replace(next, { streams: 'keep' })
    const fresh = batcher.open()
    const alone = [old, next].map((model) => model.stream({ states, shapes }))
    for (let t = 0; t < 3; t++) {
      const steps = [kept, fresh].map((stream) => stream.step(frame(t)))
      for (const [n, step] of steps.entries()) expect((await step).scores).toEqual(alone[n].step(frame(t)).scores)
    }
    expect(batcher.stats()).toMatchObject({ batches: 6, steps: 6 })
    for (const [n, stream] of [kept, fresh].entries()) expect(stream.save()).toEqual(alone[n].save())
    kept.close()
    expect((await fresh.step(frame(9))).scores).toEqual(alone[1].step(frame(9)).scores)
    await batcher.close()
  })

  it.each(modelBackends)('goes on on another backend: %s', async (other) => {
    const batcher = old.batcher(options)
    const stream = batcher.open()
    const alone = old.stream({ states, shapes })
    await stream.step(frame(1))
    alone.step(frame(1))
    const away = Model.read(recurrent(3, 5, 10), { backend: other })
    batcher.replace(away)
    expect((await stream.step(frame(2))).scores).toEqual(moved(alone, away).step(frame(2)).scores)
  })

  it('takes the states along that `along` has found', async () => {
    const read = (gain: number) =>
      Model.read(
        modelFile({
          nodes: [
            { opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes: { kernel_shape: [3], pads: [2, 0] } },
          ],
          inputs: { x: { shape: ['batch', 1, 'time'] } },
          outputs: { y: { shape: ['batch', 1, 'time'] } },
          weights: { w: { shape: [1, 1, 3], data: [gain, 2 * gain, 3 * gain] } },
        }),
        { backend },
      )
    const batcher = read(1).batcher({ along: 'time' })
    const stream = batcher.open()
    await stream.step(new Float32Array([1]))
    await stream.step(new Float32Array([10]))
    batcher.replace(read(2))
    expect((await stream.step(new Float32Array([100]))).y).toEqual(new Float32Array([2 * 1 + 4 * 10 + 6 * 100]))
    await batcher.close()
  })

  it('changes nothing where the new model does not fit', async () => {
    const batcher = old.batcher(options)
    const stream = batcher.open()
    const refused = (model: unknown, code: 'ERR_RNN_SHAPE' | 'ERR_RNN_OPTION' | 'ERR_RNN_DISPOSED', words: string) =>
      expectError(() => batcher.replace(model as Model), code, words)
    refused(
      Model.read(recurrent(3, 6), { backend }),
      'ERR_RNN_SHAPE',
      'Expected inputs.state size (1, 1, 5), got (1, batch, 6)',
    )
    refused(
      Model.read(recurrent(4, 5), { backend }),
      'ERR_RNN_SHAPE',
      'Expected inputs.frames size (1, 1, 3), got (time, batch, 4)',
    )
    refused(Model.read(affine(), { backend }), 'ERR_RNN_OPTION', "unknown input or output 'frames' in batchAxes")
    refused({}, 'ERR_RNN_OPTION', 'model must be a Model, got')
    const gone = Model.read(recurrent(), { backend })
    gone.dispose()
    refused(gone, 'ERR_RNN_DISPOSED', 'the model was disposed')
    const never = () => batcher.replace(next, { streams: 'drop' as never })
    expectError(never, 'ERR_RNN_OPTION', "streams must be one of 'move', 'keep', got \"drop\"")
    const alone = old.stream({ states, shapes })
    expect((await stream.step(frame(1))).scores).toEqual(alone.step(frame(1)).scores)
    await batcher.close()
    refused(next, 'ERR_RNN_DISPOSED', 'the batcher was closed and takes no other weights')
  })

  it('refuses a model of other outputs or types, by name', () => {
    const read = (output: string, type: 'float32' | 'int64') =>
      Model.read(
        modelFile({
          nodes: [{ opType: 'Add', inputs: ['x', 'x'], outputs: [output] }],
          inputs: { x: { type, shape: ['batch', 3] } },
          outputs: { [output]: { type, shape: ['batch', 3] } },
        }),
        { backend },
      )
    const batcher = read('y', 'float32').batcher()
    const words = "model must have the outputs of the batcher's. Expected 'y', got 'z'"
    expectError(() => batcher.replace(read('z', 'float32')), 'ERR_RNN_OPTION', words)
    const type = 'Expected inputs.x of type float32, got int64'
    expectError(() => batcher.replace(read('y', 'int64')), 'ERR_RNN_OPTION', type)
    batcher.replace(read('y', 'float32'))
  })
})
