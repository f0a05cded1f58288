/** Whole models: what a run gives, what it takes, and a model's life. */
import { GRU, Model, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError, expectRejected, rejection } from '../support/errors.ts'
import { affine, modelBackends, modelFile, recurrent, weight } from '../support/model-files.ts'
import { ramp } from '../support/tensors.ts'

describe.each(modelBackends)('a model on %s', (backend) => {
  const options = { backend }

  it('says what it takes and gives', () => {
    const model = Model.read(recurrent(), options)
    expect(model.backend).toBe(backend)
    expect(model.inputs).toEqual([
      { name: 'frames', type: 'float32', shape: ['time', 'batch', 3] },
      { name: 'state', type: 'float32', shape: [1, 'batch', 5] },
    ])
    expect(model.outputs.map(({ name }) => name)).toEqual(['scores', 'stateN'])
    expect(
      Object.isFrozen(model.inputs) && Object.isFrozen(model.inputs[0]) && Object.isFrozen(model.inputs[0].shape),
    ).toBe(true)
  })

  it('has no axes to tell of where a file leaves the rank open, and takes any', () => {
    const nodes = [{ opType: 'Add', inputs: ['x', 'x'], outputs: ['y'] }]
    const model = Model.read(modelFile({ nodes, inputs: { x: {} }, outputs: { y: {} } }), options)
    expect(model.inputs).toEqual([{ name: 'x', type: 'float32', shape: [] }])
    expect(model.outputs).toEqual([{ name: 'y', type: 'float32', shape: [] }])
    expect(model.run({ x: [[1, 2, 3]] }).y).toEqual({ data: new Float32Array([2, 4, 6]), shape: [1, 3] })
  })

  it('runs for any shapes that fit, again and again', () => {
    const model = Model.read(affine(), options)
    for (const rows of [1, 2, 5, 1, 7, 2]) {
      const x = ramp(rows, 3)
      const { y } = model.run({ x })
      expect(y.shape).toEqual([rows, 3])
      expect(y.data).toEqual(x.data.map((value) => 2 * value + 1))
    }
  })

  it('gives arrays of the caller’s own, and leaves the inputs as they are', () => {
    const model = Model.read(affine([2]), options)
    const x = new Float32Array([1, 2])
    const first = model.run({ x }).y
    const second = model.run({ x: [5, 6] }).y
    expect(first.data).toEqual(new Float32Array([3, 5]))
    expect(second.data).toEqual(new Float32Array([11, 13]))
    expect(x).toEqual(new Float32Array([1, 2]))
  })

  it('agrees with the layer that its recurrent node is', () => {
    const model = Model.read(recurrent(), options)
    const frames = ramp(4, 2, 3)
    const state = ramp(1, 2, 5)
    const { scores, stateN } = model.run({ frames, state })
    const W = weight(1, 15, 3)
    const [R, B, V] = [weight(2, 15, 5), weight(3, 30), weight(4, 5, 2)]
    // ONNX's gates are z r h, PyTorch's r z n.
    const gates = (data: ArrayLike<number>, width: number, from = 0) => {
      const block = (gate: number) => Array.from(data).slice(from + gate * 5 * width, from + (gate + 1) * 5 * width)
      return Float32Array.from([...block(1), ...block(0), ...block(2)])
    }
    const gru = GRU.fromStateDict(
      {
        weight_ih_l0: new Tensor(gates(W.data, 3), [15, 3]),
        weight_hh_l0: new Tensor(gates(R.data, 5), [15, 5]),
        bias_ih_l0: new Tensor(gates(B.data, 1), [15]),
        bias_hh_l0: new Tensor(gates(B.data, 1, 15), [15]),
      },
      { backend },
    )
    const { output, hn } = gru.forward(frames, { h0: state })
    expect(stateN).toEqual({ data: hn.data, shape: [1, 2, 5] })
    for (let row = 0; row < 8; row++) {
      for (let n = 0; n < 2; n++) {
        let sum = 0
        for (let k = 0; k < 5; k++) sum += output.data[row * 5 + k] * V.data[k * 2 + n]
        expect(scores.data[row * 2 + n]).toBeCloseTo(sum, 5)
      }
    }
  })

  it('computes the outputs that are asked for alone', () => {
    const model = Model.read(recurrent(), options)
    const inputs = { frames: ramp(4, 2, 3), state: ramp(1, 2, 5) }
    const all = model.run(inputs)
    expect(model.run(inputs, { outputs: ['stateN'] })).toEqual({ stateN: all.stateN })
    expect(model.run(inputs, { outputs: ['stateN', 'scores', 'stateN'] })).toEqual(all)
    expect(model.run(inputs, { outputs: [] })).toEqual({})
    expectError(
      () => model.run(inputs, { outputs: ['score'] }),
      'ERR_RNN_OPTION',
      "unknown output 'score' in outputs; did you mean 'scores'?",
    )
    expectError(
      () => model.run(inputs, { outputs: 'scores' as never }),
      'ERR_RNN_OPTION',
      'outputs must be an array of names',
    )
  })

  it('runs beside the thread with the same bits, also several at once and disposed meanwhile', async () => {
    const model = Model.read(recurrent(), options)
    const inputs = (n: number) => ({ frames: ramp(n, 2, 3), state: ramp(1, 2, 5) })
    const want = [1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6].map((n) => model.run(inputs(n)))
    const frames = ramp(6, 2, 3)
    const promises = [1, 2, 3, 4, 5, 6, 6, 6, 6, 6].map((n) => model.runAsync(inputs(n)))
    promises.push(model.runAsync({ frames, state: ramp(1, 2, 5) }))
    frames.data.fill(0)
    model.dispose()
    expect(await Promise.all(promises)).toEqual(want)
  })

  it('ends a run by a signal, and goes on after it', async () => {
    const model = Model.read(recurrent(), options)
    const inputs = { frames: ramp(50, 2, 3), state: ramp(1, 2, 5) }
    const want = model.run(inputs)
    const controller = new AbortController()
    const run = model.runAsync(inputs, { signal: controller.signal })
    controller.abort(new Error('enough'))
    expect(await rejection(run)).toBe(controller.signal.reason)
    expect(await rejection(model.runAsync(inputs, { signal: controller.signal }))).toBe(controller.signal.reason)
    expect(await model.runAsync(inputs)).toEqual(want)
  })

  it('takes constants in place of inputs', () => {
    const model = Model.read(recurrent(), { ...options, constants: { state: ramp(1, 2, 5) } })
    expect(model.inputs.map(({ name }) => name)).toEqual(['frames'])
    const frames = ramp(3, 2, 3)
    const want = Model.read(recurrent(), options).run({ frames, state: ramp(1, 2, 5) })
    expect(model.run({ frames })).toEqual(want)
    const read = (constants: object) => () => Model.read(recurrent(), { ...options, constants: constants as never })
    expectError(read({ stat: 1 }), 'ERR_RNN_OPTION', "unknown input 'stat' in constants; did you mean 'state'?")
    expectError(read({ state: 'x' }), 'ERR_RNN_SHAPE', 'constants.state must be { data, shape }')
    expectError(read({ state: [1, 2] }), 'ERR_RNN_SHAPE', 'got [2]')
    expectError(read([1]), 'ERR_RNN_OPTION', 'constants must be an object of values by their names')
  })

  it('decides shapes and branches by the values of inputs', () => {
    const file = modelFile({
      nodes: [{ opType: 'Reshape', name: 'fold', inputs: ['x', 'shape'], outputs: ['y'] }],
      inputs: { x: { shape: ['count'] }, shape: { type: 'int64', shape: ['rank'] } },
      outputs: { y: {} },
    })
    const model = Model.read(file, options)
    const x = ramp(12).data
    for (const shape of [[3, 4], [2, 6], [3, 4], [2, -1, 3], [12]]) {
      const { y } = model.run({ x, shape })
      expect(y.shape).toEqual(shape.map((size) => (size < 0 ? 2 : size)))
      expect(y.data).toEqual(x)
    }
    expectError(() => model.run({ x, shape: [5, 5] }), 'ERR_RNN_SHAPE', 'node 0 "fold" (Reshape)')
  })

  it('names the step whose index is out of range, and runs on', async () => {
    const file = modelFile({
      nodes: [{ opType: 'Gather', name: 'embed', inputs: ['table', 'ids'], outputs: ['y'] }],
      inputs: { ids: { type: 'int64', shape: ['n'] } },
      outputs: { y: { shape: ['n', 2] } },
      weights: { table: { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] } },
    })
    const model = Model.read(file, options)
    expect(model.run({ ids: [2, 0, -1] }).y.data).toEqual(new Float32Array([5, 6, 1, 2, 5, 6]))
    const words = 'index out of range: node 0 "embed" (Gather)'
    expectError(() => model.run({ ids: [2, 3, 0] }), 'ERR_RNN_OPTION', words)
    await expectRejected(model.runAsync({ ids: [2, 0, -4] }), 'ERR_RNN_OPTION', words)
    expect(model.run({ ids: [1, 1, 1] }).y.data).toEqual(new Float32Array([3, 4, 3, 4, 3, 4]))
  })

  it('says how much its weights take', () => {
    const model = Model.read(recurrent(), options)
    const { weights } = model.memory()
    expect(weights).toBeGreaterThanOrEqual(4 * (15 * 3 + 15 * 5 + 30 + 10))
    model.run({ frames: ramp(4, 2, 3), state: ramp(1, 2, 5) })
    expect(model.memory().weights).toBeGreaterThanOrEqual(weights)
  })

  it('cannot be used after it was disposed', async () => {
    const model = Model.read(affine(), options)
    model.dispose()
    model[Symbol.dispose]()
    const words = 'the model was disposed'
    expectError(() => model.run({ x: [[1, 2, 3]] }), 'ERR_RNN_DISPOSED', words)
    expectError(() => model.memory(), 'ERR_RNN_DISPOSED', words)
    await expectRejected(model.runAsync({ x: [[1, 2, 3]] }), 'ERR_RNN_DISPOSED', words)
  })

  it('looks again after the caller’s own code has run', () => {
    const model = Model.read(affine(), options)
    const inputs = {
      get x() {
        model.dispose()
        return [[1, 2, 3]]
      },
    }
    expectError(() => model.run(inputs), 'ERR_RNN_DISPOSED', 'the model was disposed')
  })
})
