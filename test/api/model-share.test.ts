/** Models shared between threads: what a handle opens, and every handle that is refused. */
import { Worker } from 'node:worker_threads'
import { GRU, Model, type SharedModel } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { modelBackends, modelFile, recurrent } from '../support/model-files.ts'
import { graphOutput, node } from '../support/onnx-writer.ts'
import { ramp } from '../support/tensors.ts'

const states = { state: 'stateN' }
const inputs = () => ({ frames: ramp(4, 2, 3), state: ramp(1, 2, 5) })

describe.each(modelBackends)('sharing a model on %s', (backend) => {
  it('opens the same model on a posted handle', () => {
    const model = Model.read(recurrent(), { backend, threads: 2 })
    const want = model.run(inputs())
    const other = Model.fromShared(structuredClone(model.share()))
    expect(other.run(inputs())).toEqual(want)
    expect(model.run(inputs())).toEqual(want)
    expect([other.inputs, other.outputs, other.backend]).toEqual([model.inputs, model.outputs, model.backend])
    const stream = model.stream({ states, shapes: { frames: [1, 1, 3] } })
    stream.step(new Float32Array([1, 2, 3]))
    const restored = other.restoreStream(stream.save(), { states, shapes: { frames: [1, 1, 3] } })
    expect(restored.state()).toEqual(stream.state())
  })

  it('shares the memory, and keeps it when the first model is disposed', () => {
    const model = Model.read(recurrent(), { backend })
    const want = model.run(inputs())
    const handle = model.share()
    const again = Model.fromShared(handle).share()
    model.dispose()
    expect(Model.fromShared(handle).run(inputs())).toEqual(want)
    const buffers = (value: unknown): unknown[] => {
      if (ArrayBuffer.isView(value)) return [value.buffer]
      if (typeof value !== 'object' || value === null) return []
      return (value instanceof Map ? [...value.values()] : Object.values(value)).flatMap(buffers)
    }
    const shared = buffers(handle)
    expect(shared.length).toBeGreaterThan(0)
    for (const buffer of shared) expect(buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(new Set(buffers(again))).toEqual(new Set(shared))
    expectError(() => model.share(), 'ERR_RNN_DISPOSED', 'was disposed')
  })

  it('runs in another thread', async () => {
    const model = Model.read(recurrent(), { backend })
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      import(workerData.package).then(({ Model }) => {
        const model = Model.fromShared(workerData.handle)
        parentPort.postMessage(model.run(workerData.inputs))
      })`
    const { frames, state } = inputs()
    const plain = {
      frames: { data: frames.data, shape: frames.shape },
      state: { data: state.data, shape: state.shape },
    }
    const workerData = { package: import.meta.resolve('native-rnn'), handle: model.share(), inputs: plain }
    const worker = new Worker(code, { eval: true, workerData })
    const got = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
    expect(got).toEqual(model.run(inputs()))
    await worker.terminate()
  })

  it('keeps its own structure, whatever is done to that of a handle', () => {
    const model = Model.read(recurrent(), { backend })
    const want = model.run(inputs())
    const wreck = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
      for (const inner of value instanceof Map ? value.values() : Object.values(value)) wreck(inner)
      if (value instanceof Map) value.clear()
      for (const name of Object.keys(value)) Reflect.set(value, name, undefined)
    }
    wreck(model.share())
    expect(model.run(inputs())).toEqual(want)
    expect(Model.fromShared(model.share()).run(inputs())).toEqual(want)
  })

  it('says what is wrong with a handle', () => {
    const good = Model.read(recurrent(), { backend }).share()
    const open = (handle: unknown) => () => Model.fromShared(handle as SharedModel)
    const wrong = (change: object) => open({ ...good, ...change })
    const graph = (change: (own: Record<string, unknown>) => void) => {
      const own = structuredClone(good.graph) as Record<string, unknown>
      change(own)
      return wrong({ graph: own })
    }
    expectError(open(null), 'ERR_RNN_OPTION', 'handle must be what share() gave, got null')
    expectError(open({}), 'ERR_RNN_OPTION', 'handle must be what share() gave')
    expectError(open(new GRU(2, 2).share()), 'ERR_RNN_OPTION', 'got one of a GRU: use GRU.fromShared')
    expectError(() => GRU.fromShared(good as never), 'ERR_RNN_OPTION', 'one of a Model: use Model.fromShared')
    expectError(wrong({ version: '0.0.1' }), 'ERR_RNN_OPTION', 'handle must be of native-rnn')
    expectError(wrong({ backend: 'gpu' }), 'ERR_RNN_OPTION', 'handle.backend')
    expectError(wrong({ threads: 0 }), 'ERR_RNN_OPTION', 'handle.threads')
    expectError(wrong({ bytes: -1 }), 'ERR_RNN_OPTION', 'handle.bytes')
    expectError(wrong({ graph: 1 }), 'ERR_RNN_OPTION', 'got one with 1 for a graph')
    expectError(wrong({ packed: {} }), 'ERR_RNN_OPTION', 'without packed weights')
    expectError(
      wrong({ packed: [{ value: 1, key: 'x', memory: new Float32Array(4) }] }),
      'ERR_RNN_OPTION',
      'not in shared memory',
    )
    const first = (own: Record<string, unknown>, name: string) => (own[name] as Record<string, unknown>[])[0]
    const graphs: [(own: Record<string, unknown>) => void, string][] = [
      [(own) => Object.assign(own, { valueCount: 2 ** 40 }), 'the number of values'],
      [(own) => Object.assign(own, { steps: undefined }), 'for steps'],
      [(own) => Object.assign(own, { constants: [] }), 'for constants'],
      [(own) => Object.assign(first(own, 'steps'), { inputs: [99] }), 'reads a value before it is made'],
      [(own) => Object.assign(first(own, 'steps'), { inputs: ['0'] }), 'reads a value before it is made'],
      [(own) => Object.assign(first(own, 'steps'), { outputs: [0] }), 'makes a value twice'],
      [(own) => Object.assign(first(own, 'steps'), { opset: 1.5 }), 'an opset'],
      [(own) => Object.assign(first(own, 'steps'), { label: 1 }), 'a label'],
      [(own) => Object.assign(first(own, 'steps'), { attributes: new Map([['a', {}]]) }), 'for a type'],
      [
        (own) => Object.assign(first(own, 'steps'), { attributes: new Map([['a', [1, 'b']]]) }),
        'an attribute that is none',
      ],
      [(own) => Object.assign(first(own, 'steps'), { branches: [{}] }), 'branches are not two'],
      [(own) => Object.assign(first(own, 'inputs'), { type: 'text' }), 'for a type'],
      [(own) => Object.assign(first(own, 'inputs'), { value: 1e9 }), 'the number of a value'],
      [(own) => Object.assign(first(own, 'outputs'), { value: 1e9 }), 'reads a value before it is made'],
      [(own) => Object.assign(first(own, 'inputs'), { shape: [-1] }), 'a size'],
      [(own) => (own.constants = new Map([[1e9, {}]])), 'the number of a value'],
      [
        (own) => {
          const [[value, tensor]] = own.constants as Map<number, object>
          ;(own.constants as Map<number, object>).set(value, { ...tensor, shape: [7, 7] })
        },
        'do not fit its shape',
      ],
      [
        (own) => {
          const [[value, tensor]] = own.constants as Map<number, { data: Float32Array }>
          ;(own.constants as Map<number, object>).set(value, { ...tensor, data: tensor.data.slice() })
        },
        'not in shared memory',
      ],
    ]
    for (const [change, words] of graphs) expectError(graph(change), 'ERR_RNN_OPTION', words)
  })

  it('runs no operator of a handle that the package does not have', () => {
    const good = Model.read(recurrent(), { backend }).share()
    const own = structuredClone(good) as { graph: { steps: { opType: string }[] } }
    own.graph.steps[0].opType = 'Explode'
    const model = Model.fromShared(own as never)
    expectError(() => model.run(inputs()), 'ERR_RNN_MODEL_FILE', 'the operator')
  })

  it('carries branches and constants of every type', () => {
    const branch = (opType: string, output: string) => ({
      graph: [node({ opType, inputs: ['x'], outputs: [output] }), graphOutput(output)],
    })
    const file = modelFile({
      nodes: [
        {
          opType: 'If',
          name: 'choice',
          inputs: ['c'],
          outputs: ['y'],
          attributes: { then_branch: branch('Neg', 'a'), else_branch: branch('Abs', 'b') },
        },
      ],
      inputs: { c: { type: 'bool', shape: [] }, x: { shape: [2] } },
      outputs: { y: { shape: [2] } },
    })
    const model = Model.read(file, { backend })
    const other = Model.fromShared(structuredClone(model.share()))
    for (const c of [true, false]) {
      const want = new Float32Array(c ? [1, -2] : [1, 2])
      expect(model.run({ c, x: [-1, 2] }).y.data).toEqual(want)
      expect(other.run({ c, x: [-1, 2] }).y.data).toEqual(want)
    }
  })
})
