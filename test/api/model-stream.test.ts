/** Streams of whole models: the bits of runs, states and their names, sizes that are open, saved states. */
import { Model, type ModelStream } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { affine, modelBackends, modelFile, recurrent, weight } from '../support/model-files.ts'
import { ramp } from '../support/tensors.ts'

const states = { state: 'stateN' }
const frame = (n: number) => Float32Array.from({ length: 3 }, (_, i) => Math.sin(n * 3.1 + i))

describe.each(modelBackends)('a stream of a model on %s', (backend) => {
  const model = Model.read(recurrent(), { backend })
  const shapes = { frames: [1, 1, 3] }
  const open = (): ModelStream => model.stream({ states, shapes })

  it('has the bits of runs fed with the states they gave before', () => {
    const stream = open()
    let state: unknown = new Float32Array(5)
    state = { data: state, shape: [1, 1, 5] }
    for (let n = 0; n < 20; n++) {
      const want = model.run({ frames: { data: frame(n), shape: [1, 1, 3] }, state: state as never })
      const outputs = stream.step(frame(n))
      expect(outputs).toBe(stream.outputs)
      expect(outputs.scores).toEqual(want.scores.data)
      expect(stream.state()).toEqual({ state: want.stateN })
      state = want.stateN
    }
  })

  it('takes the axes of rows, which it has no use for, only where they could be some', () => {
    const other = (batchAxes: object) => () => model.stream({ states, shapes, batchAxes: batchAxes as never })
    expect(other({ frames: 1, scores: 1 })().outputs.scores).toHaveLength(2)
    expectError(
      other({ frame: 1 }),
      'ERR_RNN_OPTION',
      "unknown input or output 'frame' in batchAxes; did you mean 'frames'?",
    )
    expectError(other({ frames: -1 }), 'ERR_RNN_OPTION', 'batchAxes.frames must be an integer from 0 to 31, got -1')
  })

  it('steps by its own arrays, by a Float32Array and by names', () => {
    const [a, b, c] = [open(), open(), open()]
    const { frames } = a.inputs
    const { scores } = a.outputs
    const { step } = a
    for (let n = 0; n < 5; n++) {
      ;(frames as Float32Array).set(frame(n))
      step()
      b.step(frame(n))
      c.step({ frames: [[[...frame(n)]]] })
      expect(scores).toEqual(b.outputs.scores)
      expect(scores).toEqual(c.outputs.scores)
    }
    expect(a.inputs.frames).toBe(frames)
    expect(a.outputs.scores).toBe(scores)
    expect(Object.keys(a.inputs)).toEqual(['frames'])
    expect(Object.keys(a.outputs)).toEqual(['scores'])
    expect(Object.isFrozen(a.inputs) && Object.isFrozen(a.outputs)).toBe(true)
  })

  it('takes several sequences and several frames a step', () => {
    const stream = model.stream({ states, shapes: { frames: [4, 2, 3] } })
    const frames = ramp(4, 2, 3)
    const want = model.run({ frames, state: ramp(1, 2, 5) })
    stream.reset({ state: ramp(1, 2, 5) })
    expect(stream.step({ frames }).scores).toEqual(want.scores.data)
    expect(stream.state().state).toEqual(want.stateN)
  })

  it('begins anew, forks, and lives on when its model is disposed', () => {
    const own = Model.read(recurrent(), { backend })
    const stream = own.stream({ states, shapes })
    own.dispose()
    const first = stream.step(frame(1)).scores.slice()
    stream.step(frame(2))
    const fork = stream.fork()
    expect(fork.outputs).toEqual(stream.outputs)
    expect(fork.inputs).toEqual(stream.inputs)
    const want = stream.step(frame(3)).scores.slice()
    stream.reset()
    expect(stream.step(frame(1)).scores).toEqual(first)
    expect(fork.step(frame(3)).scores).toEqual(want)
    stream.dispose()
    expect(fork.step(frame(3)).scores).not.toEqual(want)
    expectError(() => stream.step(), 'ERR_RNN_DISPOSED', 'the stream was disposed')
    expectError(() => stream.step(frame(1)), 'ERR_RNN_DISPOSED', 'the stream was disposed')
    for (const use of [() => stream.state(), () => stream.reset(), () => stream.fork(), () => stream.save()]) {
      expectError(use, 'ERR_RNN_DISPOSED', 'the stream was disposed')
    }
    stream[Symbol.dispose]()
  })

  it('goes on from saved bytes, with other sizes of a step too', () => {
    const stream = open()
    for (let n = 0; n < 3; n++) stream.step(frame(n))
    const bytes = stream.save()
    const again = Model.read(recurrent(), { backend }).restoreStream(bytes, { states, shapes })
    expect(again.state()).toEqual(stream.state())
    expect(again.step(frame(3)).scores).toEqual(stream.step(frame(3)).scores)
    const longer = model.restoreStream(bytes, { states, shapes: { frames: [7, 1, 3] } })
    expect(longer.save()).toEqual(bytes)
  })

  it('refuses bytes that are damaged or of another model', () => {
    const bytes = open().save()
    const restore =
      (given: unknown, options: object = { states, shapes }) =>
      () =>
        model.restoreStream(given as Uint8Array, options)
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice()
      damaged[i] ^= 1
      expectError(restore(damaged), 'ERR_RNN_STATE', '')
    }
    expectError(restore(bytes.subarray(0, 70)), 'ERR_RNN_STATE', 'damaged')
    expectError(restore('x'), 'ERR_RNN_STATE', 'bytes must be the Uint8Array that save() gave')
    expectError(restore(bytes, { shapes: { ...shapes, state: [1, 1, 5] } }), 'ERR_RNN_STATE', 'of another model')
    expectError(restore(bytes, { states, shapes: { frames: [1, 2, 3] } }), 'ERR_RNN_STATE', 'of another model')
    const other = Model.read(recurrent(3, 6), { backend }).stream({ states, shapes }).save()
    expectError(restore(other), 'ERR_RNN_STATE', 'of another model')
  })

  it('holds the names and types of states against the model', () => {
    const stream = (given: object) => () => model.stream({ shapes, ...given })
    expectError(
      stream({ states: { stat: 'stateN' } }),
      'ERR_RNN_OPTION',
      "unknown input 'stat' in states; did you mean 'state'?",
    )
    expectError(
      stream({ states: { state: 'stateM' } }),
      'ERR_RNN_OPTION',
      "unknown output 'stateM' in states.state; did you mean 'stateN'?",
    )
    expectError(stream({ states: { state: 'scores' } }), 'ERR_RNN_SHAPE', 'cannot take the place of the input "state"')
    expectError(stream({ states: { state: 1 } }), 'ERR_RNN_OPTION', 'states.state must be the name of an output')
    expectError(stream({ states: 'state' }), 'ERR_RNN_OPTION', 'states must be an object of values by their names')
    expectError(
      stream({ state: {} }),
      'ERR_RNN_OPTION',
      "unknown option 'state' of Model.stream; did you mean 'states'?",
    )
    const file = modelFile({
      nodes: [{ opType: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: 7 } }],
      inputs: { x: { shape: [2] } },
      outputs: { y: { type: 'int64', shape: [2] } },
    })
    const words = "must be of one type with 'y': the input is float32, the output int64"
    expectError(() => Model.read(file, { backend }).stream({ states: { x: 'y' } }), 'ERR_RNN_OPTION', words)
  })

  it('says which size is open, and how to give it', () => {
    const stream = (given: object) => () => model.stream({ states, ...given })
    expectError(
      stream({}),
      'ERR_RNN_OPTION',
      'inputs.frames.size(0) has the name "time" in the file, and a stream needs its size: give it, shapes: { frames: […, …, 3] }',
    )
    expectError(
      stream({ shapes: { frame: [1] } }),
      'ERR_RNN_OPTION',
      "unknown input 'frame' in shapes; did you mean 'frames'?",
    )
    expectError(stream({ shapes: { frames: [1, 1, 4] } }), 'ERR_RNN_SHAPE', 'size (time, batch, 3), got [1, 1, 4]')
    expectError(stream({ shapes: { frames: [1, -1, 3] } }), 'ERR_RNN_SHAPE', 'shapes.frames[1] must be an integer')
    expectError(stream({ shapes: { frames: [1, 2, 3], state: [1, 3, 5] } }), 'ERR_RNN_SHAPE', 'batch is 2 in "frames"')
    const openRank = modelFile({
      nodes: [{ opType: 'Abs', inputs: ['x:0'], outputs: ['y'] }],
      inputs: { 'x:0': {} },
      outputs: { y: {} },
    })
    expectError(
      () => Model.read(openRank, { backend }).stream(),
      'ERR_RNN_OPTION',
      'the rank of inputs["x:0"] is open in the file',
    )
    const settled = Model.read(openRank, { backend }).stream({ shapes: { 'x:0': [2] } })
    expect(settled.step(new Float32Array([-1, 2])).y).toEqual(new Float32Array([1, 2]))
  })

  it('says what is wrong with a step, which then moves nothing', () => {
    const stream = open()
    stream.step(frame(1))
    const before = stream.save()
    expectError(() => stream.step(new Float32Array(4)), 'ERR_RNN_SHAPE', 'inputs.frames must have 3 values')
    expectError(() => stream.step(new Int32Array(3) as never), 'ERR_RNN_SHAPE', 'inputs.frames must be a Float32Array')
    expectError(() => stream.step(undefined as never), 'ERR_RNN_OPTION', 'inputs must be an object of values')
    expectError(
      () => stream.step({ frame: 1 }),
      'ERR_RNN_OPTION',
      "unknown input 'frame' in inputs; did you mean 'frames'?",
    )
    expectError(
      () => stream.step({ frames: [[[1, 2]]] }),
      'ERR_RNN_SHAPE',
      'Expected inputs.frames size (1, 1, 3), got [1, 1, 2]',
    )
    const words = 'inputs.state is a state, which the stream keeps: reset(state) replaces it'
    expectError(() => stream.step({ state: ramp(1, 1, 5) }), 'ERR_RNN_OPTION', words)
    expectError(() => stream.reset({ frames: 1 }), 'ERR_RNN_OPTION', "unknown state 'frames' in state")
    expectError(() => stream.reset({ state: ramp(5) }), 'ERR_RNN_SHAPE', 'Expected state.state size (1, 1, 5), got [5]')
    expect(stream.save()).toEqual(before)
    const two = modelFile({
      nodes: [{ opType: 'Add', inputs: ['a', 'b'], outputs: ['y'] }],
      inputs: { a: { shape: [2] }, b: { shape: [2] } },
      outputs: { y: { shape: [2] } },
    })
    const sum = Model.read(two, { backend }).stream()
    expectError(
      () => sum.step(new Float32Array(2)),
      'ERR_RNN_OPTION',
      'inputs.a and inputs.b are Float32Arrays: give values by name',
    )
    expect(sum.step({ a: [1, 2] }).y).toEqual(new Float32Array([1, 2]))
    expect(sum.step({ b: [5, 5] }).y).toEqual(new Float32Array([6, 7]))
  })

  it('asks for values that decide shapes when the model is read', () => {
    const file = modelFile({
      nodes: [{ opType: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }],
      inputs: { x: { shape: [6] }, shape: { type: 'int64', shape: [2] } },
      outputs: { y: {} },
    })
    const words =
      'the values of inputs.shape decide shapes or branches, so a stream cannot change them: give them when the model is read, constants: { shape: … }'
    expectError(() => Model.read(file, { backend }).stream(), 'ERR_RNN_OPTION', words)
    const stream = Model.read(file, { backend, constants: { shape: [2, 3] } }).stream()
    expect(stream.step(weight(1, 6).data as Float32Array).y).toEqual(weight(1, 6).data)
  })

  it('swaps states that take each other’s place', () => {
    const file = modelFile({
      nodes: [
        { opType: 'Add', inputs: ['a', 'x'], outputs: ['sum'] },
        { opType: 'Identity', inputs: ['b'], outputs: ['same'] },
      ],
      inputs: { a: { shape: [1] }, b: { shape: [1] }, x: { shape: [1] } },
      outputs: { sum: { shape: [1] }, same: { shape: [1] } },
    })
    const stream = Model.read(file, { backend }).stream({ states: { a: 'same', b: 'sum' } })
    stream.reset({ a: [1], b: [10] })
    stream.step({ x: [5] })
    const read = () => [stream.state().a.data[0], stream.state().b.data[0]]
    expect(read()).toEqual([10, 6])
    stream.step({ x: [7] })
    expect(read()).toEqual([6, 17])
    expect(Object.keys(stream.outputs)).toEqual([])
  })

  it('is no stream without a model', () => {
    const Class = open().constructor as new (...given: unknown[]) => unknown
    expectError(() => new Class(), 'ERR_RNN_OPTION', 'streams are opened by model.stream(), not by new')
    const Models = model.constructor as new (...given: unknown[]) => unknown
    expectError(
      () => new Models(affine()),
      'ERR_RNN_OPTION',
      'models are made by Model.read() or Model.load(), not by new',
    )
  })
})
