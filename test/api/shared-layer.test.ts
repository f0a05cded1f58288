/** Layers shared between threads: what a handle opens, and every handle that is refused. */
import { runInNewContext } from 'node:vm'
import { GRU, LSTM, RNN, type SharedLayer } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

describe.each(backends)('sharing on %s', (backend) => {
  it.each([
    ['RNN', new RNN(3, 4, { nonlinearity: 'relu', bidirectional: true, seed: 1, backend }), RNN],
    ['GRU', new GRU(3, 4, { resetAfter: false, batchFirst: true, seed: 1, backend }), GRU],
    ['LSTM', new LSTM(3, 8, { projSize: 2, peepholes: true, numLayers: 2, bias: false, seed: 1, backend }), LSTM],
  ] as const)('opens the same layer on a posted handle: %s', (_, layer, kind) => {
    const x = [[[0.5, -1, 2]], [[3, 0.25, -0.5]]]
    const handle = structuredClone(layer.share())
    const other = kind.fromShared(handle)
    expect(other.forward(x)).toEqual(layer.forward(x))
    expect(other.stateDict()).toEqual(layer.stateDict())
    const plain = ({ inputSize, hiddenSize, numLayers, bidirectional, batchFirst, bias, backend }: typeof other) => {
      return { inputSize, hiddenSize, numLayers, bidirectional, batchFirst, bias, backend }
    }
    expect(plain(other)).toEqual(plain(layer))
    if (!layer.bidirectional) expect(other.restoreStream(layer.stream().save()).state()).toEqual(layer.stream().state())
  })

  it('shares the memory, and keeps it when the first layer is disposed', () => {
    const layer = new GRU(3, 4, { seed: 1, backend })
    const want = layer.forward([[1, 2, 3]])
    const handle = layer.share()
    const again = GRU.fromShared(handle).share()
    layer.dispose()
    expect(GRU.fromShared(handle).forward([[1, 2, 3]])).toEqual(want)
    const buffers = (value: unknown): unknown[] =>
      ArrayBuffer.isView(value)
        ? [value.buffer]
        : Object.values(value as object).flatMap((part) => (part ? buffers(part) : []))
    const shared = buffers(handle.weights)
    expect(shared.length).toBeGreaterThan(0)
    for (const [index, buffer] of buffers(again.weights).entries()) {
      expect(buffer).toBeInstanceOf(SharedArrayBuffer)
      // A module of WebAssembly has memory of its own: each layer is a copy.
      if (backend === 'wasm') expect(buffer).toEqual(shared[index])
      else expect(buffer).toBe(shared[index])
    }
    expectError(() => layer.share(), 'ERR_RNN_DISPOSED', 'was disposed')
  })

  it('keeps its own structure, whatever is done to that of a handle', () => {
    const layer = new GRU(3, 4, { seed: 1, backend })
    const want = layer.forward([[1, 2, 3]])
    const wreck = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      if (!ArrayBuffer.isView(value)) for (const inner of Object.values(value)) wreck(inner)
      for (const name of Object.keys(value)) if (!ArrayBuffer.isView(value)) Reflect.set(value, name, undefined)
      if (Array.isArray(value)) value.length = 0
      else Object.defineProperty(value, 'length', { value: 0 })
      Object.freeze(ArrayBuffer.isView(value) ? undefined : value)
    }
    const first = layer.share()
    wreck(first)
    expect(layer.share().weights).not.toBe(first.weights)
    expect(layer.forward([[1, 2, 3]])).toEqual(want)
    expect(layer.stream().run([[1, 2, 3]]).data).toEqual(want.output.data)
    expect(GRU.fromShared(layer.share()).forward([[1, 2, 3]])).toEqual(want)
    expect(layer.stateDict()).toEqual(new GRU(3, 4, { seed: 1, backend }).stateDict())
  })

  it('says what is wrong with a handle', () => {
    const good = new LSTM(3, 4, { seed: 1, backend }).share()
    const open = (handle: unknown) => () => LSTM.fromShared(handle as SharedLayer)
    const wrong = (change: object) => open({ ...good, ...change })
    const spec = (change: object) => open({ ...good, spec: { ...good.spec, ...change } })
    expectError(open(null), 'ERR_RNN_OPTION', 'handle must be what share() gave, got null')
    expectError(open({}), 'ERR_RNN_OPTION', 'handle must be what share() gave')
    expectError(() => GRU.fromShared(good), 'ERR_RNN_OPTION', 'got one of an LSTM: use LSTM.fromShared')
    expectError(wrong({ version: '0.0.1' }), 'ERR_RNN_OPTION', 'handle must be of native-rnn')
    expectError(wrong({ backend: 'gpu' }), 'ERR_RNN_OPTION', 'handle.backend')
    expectError(wrong({ batchFirst: 1 }), 'ERR_RNN_OPTION', 'handle.batchFirst')
    expectError(wrong({ spec: 1 }), 'ERR_RNN_OPTION', 'got one without sizes')
    expectError(wrong({ weights: new Float32Array(1e4) }), 'ERR_RNN_OPTION', 'weights are not in shared memory')
    expectError(wrong({ weights: undefined }), 'ERR_RNN_OPTION', 'weights do not fit its sizes')
    expectError(wrong({ weights: [null] }), 'ERR_RNN_OPTION', 'weights do not fit its sizes')
    expectError(spec({ hiddenSize: 40 }), 'ERR_RNN_OPTION', 'weights do not fit its sizes')
    expectError(spec({ hiddenSize: 0 }), 'ERR_RNN_OPTION', 'handle.spec.hiddenSize')
    expectError(spec({ cell: 'gru' }), 'ERR_RNN_OPTION', 'handle.spec.cell')
    expectError(spec({ projSize: 4 }), 'ERR_RNN_OPTION', 'handle.spec.projSize')
    expectError(spec({ numLayers: 65 }), 'ERR_RNN_OPTION', 'handle.spec.numLayers')
    expectError(spec({ direction: 'up' }), 'ERR_RNN_OPTION', 'handle.spec.direction')
    expectError(spec({ bias: 'yes' }), 'ERR_RNN_OPTION', 'handle.spec.bias')
    expectError(spec({ threads: 0 }), 'ERR_RNN_OPTION', 'handle.spec.threads')
  })
})

describe.each(backends)('a handle on %s', (backend) => {
  const lstm = new LSTM(3, 4, { seed: 1, backend })
  const handle = lstm.share()
  /** A handle whose weights are made anew, each array by `make`. */
  const forged = (make: (weights: Float32Array) => unknown) => {
    const copy = (value: unknown): unknown => {
      if (ArrayBuffer.isView(value)) return make(value as Float32Array)
      if (Array.isArray(value)) return value.map(copy)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copy(inner)]))
    }
    return { ...handle, weights: copy(handle.weights) }
  }

  it('must have its weights in memory that cannot be detached, whatever it says', () => {
    const lie = (weights: Float32Array) =>
      Object.defineProperty(new Float32Array(weights), 'buffer', { value: weights.buffer })
    const fake = (weights: Float32Array) => ({
      buffer: weights.buffer,
      length: weights.length,
      __proto__: Float32Array.prototype,
    })
    const short = (weights: Float32Array) =>
      Object.defineProperty(weights.subarray(1), 'length', { value: weights.length })
    for (const make of [(weights: Float32Array) => new Float32Array(weights), lie, fake, short]) {
      expectError(() => LSTM.fromShared(forged(make)), 'ERR_RNN_OPTION', 'handle must be what share() gave')
    }
  })

  it('may come out of another realm', () => {
    const make = runInNewContext('(weights) => new Float32Array(weights.buffer, weights.byteOffset, weights.length)')
    const input = ramp(2, 3)
    expect(LSTM.fromShared(forged(make)).forward(input)).toEqual(lstm.forward(input))
  })
})
