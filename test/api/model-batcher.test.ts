/** Batchers of whole models: the bits of a lone stream whoever shares the batch, rows that fail alone, and the order of calls. */
import fc from 'fast-check'
import { type BatchedModelStream, Model, type ModelStream } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError, expectRejected, rejection } from '../support/errors.ts'
import { type Declared, modelBackends, modelFile, recurrent } from '../support/model-files.ts'
import { ramp } from '../support/tensors.ts'

const states = { state: 'stateN' }
const batchAxes = { frames: 1 }
const frame = (n: number) => Float32Array.from({ length: 3 }, (_, i) => Math.sin(n * 3.1 + i))

/** y = x + table[id] + state, and the state is y. */
function embedding(): Uint8Array {
  const row: Declared = { shape: ['batch', 2] }
  return modelFile({
    nodes: [
      { opType: 'Gather', name: 'embed', inputs: ['table', 'id'], outputs: ['e'] },
      { opType: 'Add', inputs: ['x', 'e'], outputs: ['sum'] },
      { opType: 'Add', inputs: ['sum', 'state'], outputs: ['y'] },
    ],
    inputs: { x: row, id: { type: 'int64', shape: ['batch'] }, state: row },
    outputs: { y: row },
    weights: { table: { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] } },
  })
}

describe.each(modelBackends)('a batcher of a model on %s', (backend) => {
  const model = Model.read(recurrent(), { backend })
  const shapes = { frames: [1, 1, 3] }
  const open = (options: object = {}) => model.batcher({ states, batchAxes, ...options, shapes })

  it('gives empty outputs, whatever stands before their rows', async () => {
    const file = modelFile({
      nodes: [
        { opType: 'Identity', inputs: ['x'], outputs: ['y'] },
        { opType: 'Slice', inputs: ['x', 'one', 'one', 'zero'], outputs: ['none'] },
      ],
      inputs: { x: { shape: [1, 'batch', 4] } },
      outputs: { y: { shape: [1, 'batch', 4] }, none: { shape: [0, 'batch', 4] } },
      lists: { one: [1], zero: [0] },
    })
    const batcher = Model.read(file, { backend }).batcher({ batchAxes: { x: 1 } })
    const [a, b] = [batcher.open(), batcher.open()]
    const frames = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)]
    const answers = await Promise.all([a.step(frames[0]), b.step(frames[1])])
    for (const [i, { y, none }] of answers.entries()) {
      expect(y).toEqual(frames[i])
      expect(none).toEqual(new Float32Array(0))
    }
  })

  it('gives each stream the bits it would have alone', async () => {
    const batcher = open({ maxBatch: 7 })
    const pairs = Array.from(
      { length: 20 },
      () => [batcher.open(), model.stream({ states, shapes })] as [BatchedModelStream, ModelStream],
    )
    const checks = pairs.map(async ([stream, alone], k) => {
      for (let t = 0; t < 4 + (k % 5); t++) {
        const input = frame(k * 100 + t)
        const { scores } = await stream.step(input)
        expect(scores).toEqual(alone.step(input).scores)
        if (k % 3 === 0) await new Promise(setImmediate)
      }
      expect(stream.state()).toEqual(alone.state())
      expect(stream.save()).toEqual(alone.save())
    })
    await Promise.all(checks)
    const { steps, batches, meanBatch } = batcher.stats()
    expect(steps).toBe(pairs.reduce((sum, _, k) => sum + 4 + (k % 5), 0))
    expect(meanBatch).toBe(steps / batches)
    expect(meanBatch).toBeGreaterThan(1)
  })

  it('holds against lone streams in any order of steps, resets, aborts and turns', async () => {
    const act = fc.record({
      stream: fc.nat(4),
      what: fc.constantFrom('step', 'step', 'step', 'step', 'abort', 'reset', 'turn', 'state'),
      value: fc.nat(1000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 50 }), fc.integer({ min: 1, max: 5 }), async (acts, maxBatch) => {
        const batcher = open({ maxBatch })
        const pairs = Array.from({ length: 5 }, () => [batcher.open(), model.stream({ states, shapes })] as const)
        const promises: Promise<void>[] = []
        for (const { stream: index, what, value } of acts) {
          const [stream, alone] = pairs[index]
          if (what === 'turn') await new Promise(setImmediate)
          if (what === 'state') stream.state()
          if (what === 'reset') {
            const state = Float32Array.from({ length: 5 }, (_, i) => Math.cos(value + i))
            stream.reset({ state })
            alone.reset({ state })
            state.fill(0)
          }
          if (what === 'step') {
            const want = alone.step(frame(value)).scores.slice()
            promises.push(stream.step(frame(value)).then(({ scores }) => expect(scores).toEqual(want)))
          }
          if (what === 'abort') {
            const controller = new AbortController()
            const { signal } = controller
            const step = stream.step(frame(value), { signal })
            controller.abort()
            promises.push(rejection(step).then((error) => expect(error).toBe(signal.reason)))
          }
        }
        await Promise.all(promises)
        await batcher.drain()
        for (const [stream, alone] of pairs) expect(stream.state()).toEqual(alone.state())
        await batcher.close()
      }),
      { numRuns: 25 },
    )
  })

  it('begins with states, gives arrays of the caller’s own, and is restored as a stream', async () => {
    const batcher = open()
    const state = ramp(1, 1, 5)
    const stream = batcher.open({ state })
    const alone = model.stream({ states, shapes })
    alone.reset({ state })
    const first = await stream.step({ frames: [[[...frame(1)]]] })
    const want = alone.step(frame(1)).scores.slice()
    await stream.step(frame(2))
    expect(first.scores).toEqual(want)
    expect(Object.keys(first)).toEqual(['scores'])
    const restored = model.restoreStream(stream.save(), { states, shapes })
    expect(restored.step(frame(3)).scores).toEqual((await stream.step(frame(3))).scores)
  })

  it('lets a row fail alone, and moves nothing for it', async () => {
    const gather = Model.read(embedding(), { backend })
    const batcher = gather.batcher({ states: { state: 'y' } })
    const streams = Array.from({ length: 5 }, () => batcher.open())
    const ids = [0, 3, 2, -7, 1]
    const steps = streams.map((stream, k) => stream.step({ x: [[k, k]], id: [ids[k]] }))
    const words = 'index out of range: node 0 "embed" (Gather)'
    await expectRejected(steps[1], 'ERR_RNN_OPTION', words)
    await expectRejected(steps[3], 'ERR_RNN_OPTION', words)
    const table = [
      [1, 2],
      [3, 4],
      [5, 6],
    ]
    for (const k of [0, 2, 4]) {
      const want = new Float32Array(table[ids[k]].map((value) => value + k))
      expect((await steps[k]).y).toBeUndefined()
      expect(streams[k].state().state.data).toEqual(want)
    }
    expect(streams[1].state().state.data).toEqual(new Float32Array(2))
    await streams[1].step({ x: [[1, 1]], id: [0] })
    expect(streams[1].state().state.data).toEqual(new Float32Array([2, 3]))
    await expectRejected(streams[1].step({ x: [[1, 1]], id: [9] }), 'ERR_RNN_OPTION', words)
    expect(streams[1].state().state.data).toEqual(new Float32Array([2, 3]))
  })

  it('goes on when its model is disposed, and ends when it is closed', async () => {
    const own = Model.read(recurrent(), { backend })
    const batcher = own.batcher({ states, batchAxes, shapes, maxBatch: 8 })
    own.dispose()
    const streams = Array.from({ length: 8 }, () => batcher.open())
    const steps = streams.map((stream, k) => stream.step(frame(k)))
    const closed = batcher.close()
    expectError(() => batcher.open(), 'ERR_RNN_DISPOSED', 'the batcher was closed')
    await expectRejected(streams[0].step(frame(1)), 'ERR_RNN_DISPOSED', 'the batcher was closed')
    for (const [k, step] of steps.entries()) {
      expect((await step).scores).toEqual(model.stream({ states, shapes }).step(frame(k)).scores)
    }
    await closed
    expect(streams[0].state().state.shape).toEqual([1, 1, 5])
    for (const stream of streams) stream.close()
    expectError(() => streams[0].state(), 'ERR_RNN_DISPOSED', 'the stream was closed')
  })

  it('rejects what its queue has no room for', async () => {
    const batcher = open({ maxQueue: 2 })
    const stream = batcher.open()
    const steps = [stream.step(frame(1)), stream.step(frame(2))]
    await expectRejected(stream.step(frame(3)), 'ERR_RNN_OVERLOADED', 'the queue is full')
    await Promise.all(steps)
  })

  it('says what is wrong with a step, a state or an option', async () => {
    const batcher = open()
    const stream = batcher.open()
    await expectRejected(stream.step({}), 'ERR_RNN_OPTION', 'inputs.frames is missing: each step needs it')
    await expectRejected(stream.step({ frame: 1 }), 'ERR_RNN_OPTION', "unknown input 'frame'")
    await expectRejected(stream.step(new Float32Array(4)), 'ERR_RNN_SHAPE', 'inputs.frames must have 3 values')
    await expectRejected(
      stream.step(frame(1), { signal: 1 as never }),
      'ERR_RNN_OPTION',
      'signal must be an AbortSignal',
    )
    expectError(() => batcher.open({ state: [1] }), 'ERR_RNN_SHAPE', 'Expected state.state size (1, 1, 5), got [1]')
    expectError(
      () => batcher.open({ stat: 1 }),
      'ERR_RNN_OPTION',
      "unknown state 'stat' in state; did you mean 'state'?",
    )
    expectError(() => stream.reset({ stat: 1 }), 'ERR_RNN_OPTION', "unknown state 'stat'")
    expectError(() => open({ maxBatch: 0 }), 'ERR_RNN_OPTION', 'maxBatch must be an integer from 1')
    expectError(
      () => open({ batchAxes: { frame: 1 } }),
      'ERR_RNN_OPTION',
      "unknown input or output 'frame' in batchAxes; did you mean 'frames'?",
    )
    expectError(() => open({ batchAxes: { frames: 'x' } }), 'ERR_RNN_OPTION', 'batchAxes.frames must be an integer')
    const axis = 'batchAxes.frames must be an axis of inputs.frames, which has 3, got 3'
    expectError(() => open({ batchAxes: { frames: 3 } }), 'ERR_RNN_OPTION', axis)
    const output = { frames: 1, scores: 1 }
    expect(() => open({ batchAxes: output })).not.toThrow()
    const words = 'batchAxes.scores must be left out: the output has its rows in axis 1, got 0'
    expectError(() => open({ batchAxes: { frames: 1, scores: 0 } }), 'ERR_RNN_OPTION', words)
    expectError(() => open({ batch: 1 }), 'ERR_RNN_OPTION', "unknown option 'batch' of Model.batcher")
    const wide = () => model.batcher({ states, batchAxes, shapes: { frames: [1, 2, 3] } })
    expectError(wide, 'ERR_RNN_OPTION', 'inputs.frames.size(1) must be 1, as a stream of a batcher is one row, got 2')
  })

  it('refuses graphs whose rows do not stay apart, and inputs that all rows share', () => {
    const mixing = modelFile({
      nodes: [
        { opType: 'ReduceMean', name: 'mean', inputs: ['x'], outputs: ['m'], attributes: { axes: [0], keepdims: 1 } },
        { opType: 'Sub', inputs: ['x', 'm'], outputs: ['y'] },
      ],
      inputs: { x: { shape: ['batch', 3] } },
      outputs: { y: { shape: ['batch', 3] } },
    })
    expectError(() => Model.read(mixing, { backend }).batcher(), 'ERR_RNN_OPTION', '"mean" (ReduceMean)')
    const shared = modelFile({
      nodes: [{ opType: 'Mul', inputs: ['x', 'gain'], outputs: ['y'] }],
      inputs: { x: { shape: ['batch', 3] }, gain: { shape: [] } },
      outputs: { y: { shape: ['batch', 3] } },
    })
    const words =
      'inputs.gain has no axis for rows, and cannot be another for each stream; Model.read with constants: { gain: … }'
    expectError(() => Model.read(shared, { backend }).batcher(), 'ERR_RNN_OPTION', words)
    const batcher = Model.read(shared, { backend, constants: { gain: 2 } }).batcher()
    return expect(batcher.open().step(new Float32Array([1, 2, 3]))).resolves.toEqual({ y: new Float32Array([2, 4, 6]) })
  })

  it('is no batcher and no stream without a model', () => {
    const batcher = open()
    const [Streams, Batchers] = [batcher.open(), batcher].map(
      (one) => one.constructor as new (...given: unknown[]) => unknown,
    )
    expectError(() => new Streams(), 'ERR_RNN_OPTION', 'streams are opened by batcher.open(), not by new')
    expectError(() => new Batchers(), 'ERR_RNN_OPTION', 'batchers are made by model.batcher(), not by new')
  })
})
