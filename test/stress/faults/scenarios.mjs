/** What is done while allocations fail, and what must then be as before: one entry a piece of the package. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import * as rnn from 'native-rnn'
import { bits } from './bits.mjs'

const { GRU, Linear, LSTM, Model, RNN, Tensor } = rnn

function ramp(...shape) {
  const length = shape.reduce((product, size) => product * size, 1)
  return new Tensor(
    Float32Array.from({ length }, (_, i) => Math.sin(i * 1.3 + 0.7)),
    shape,
  )
}

// What threads of the pool keep for their next call: two blocks each.
const onPool = 2 * availableParallelism()

const options = { numLayers: 2, seed: 3 }
const bidirectional = { ...options, bidirectional: true }
const x = ramp(7, 3, 5)
const frame = ramp(5).data
const large = ramp(60, 20, 5)
const lengths = Array.from({ length: 20 }, (_, i) => (i * 37) % 61)

/** Calls into the caller's states, which a call that fails leaves as they were; `output` is new. */
function intoTensors(run, input, options, mayKeep = 0) {
  const layer = new LSTM(5, 9, bidirectional)
  const out = { hn: ramp(4, 20, 9), cn: ramp(4, 20, 9) }
  return {
    mayKeep,
    before: () => {
      for (const { data } of [out.hn, out.cn]) data.fill(7)
    },
    act: async () => bits(await run(layer, input, { ...options, out })),
    state: () => bits(out),
  }
}

/** A stream whose state is put back before each attempt. */
function streaming(act) {
  const layer = new LSTM(5, 9, options)
  const stream = layer.stream({ batchSize: 1 })
  return {
    before: () => stream.reset(),
    act: () => act(stream, layer),
    state: () => bits(stream.state()),
  }
}

/** Twelve streams of a batcher, each taking two steps; some batches may fail, and then their streams have not moved. */
function batching() {
  const layer = new LSTM(5, 9, options)
  const batcher = layer.batcher({ maxBatch: 4 })
  const open = Array.from({ length: 12 }, () => batcher.open())
  const alone = layer.stream()
  const states = [alone, alone, alone].map((stream, steps) => {
    if (steps > 0) stream.step(frame)
    return bits(stream.state())
  })
  let results = []
  return {
    // The memory of batches that ran at the same time serves the next ones: two blocks each.
    mayKeep: onPool + 2,
    before: () => {
      for (const stream of open) stream.reset()
    },
    act: async () => {
      results = await Promise.all(open.map((stream) => Promise.allSettled([stream.step(frame), stream.step(frame)])))
      const failed = results.flat().find(({ status }) => status === 'rejected')
      if (failed) throw failed.reason
      return bits(results.flat().map(({ value }) => value))
    },
    // As many steps as were answered, whichever of the two they were.
    state: () => {
      const answered = (index) => results[index]?.filter(({ status }) => status === 'fulfilled').length ?? 0
      const wrong = open.filter((stream, index) => bits(stream.state()) !== states[answered(index)])
      results = []
      return `${wrong.length} of the states have moved without an answer; ${batcher.stats().queued} steps wait`
    },
  }
}

/** An asynchronous call, several at once: every one of them ends. */
async function asynchronous(layer, count, input, options) {
  const results = await Promise.allSettled(Array.from({ length: count }, () => layer.forwardAsync(input, options)))
  const failed = results.find(({ status }) => status === 'rejected')
  if (failed) throw failed.reason
  return bits(results.map(({ value }) => value))
}

const modelBytes = readFileSync(new URL('../../fixtures/models/denoiser.onnx', import.meta.url))

/** Inputs of ones for every open size. */
function inputsOf(model, size) {
  const tensor = ({ shape }) => ramp(...shape.map((axis) => (typeof axis === 'number' ? axis : size)))
  return Object.fromEntries(model.inputs.map((input) => [input.name, tensor(input)]))
}

export const scenarios = {
  construct: () => ({
    act: () => {
      const layer = new LSTM(5, 9, bidirectional)
      layer.dispose()
      return layer.backend
    },
  }),
  'construct and drop': () => ({ act: () => new GRU(5, 9, options).backend }),
  'load a state dict': () => {
    const layer = new LSTM(5, 9, options)
    const other = new LSTM(5, 9, { ...options, seed: 4 }).stateDict()
    const file = rnn.writeSafetensors(other)
    const first = layer.stateDict()
    return {
      before: () => layer.loadStateDict(first),
      act: () => {
        layer.loadStateDict(rnn.readSafetensors(file))
        return bits(layer.forward(x))
      },
      // The old weights or the new ones, never some of each.
      state: () => [first, other].some((dict) => bits(dict) === bits(layer.stateDict())),
    }
  },
  'read the weights': () => {
    const layer = new GRU(5, 9, options)
    return { act: () => bits(layer.stateDict()) }
  },
  'share and adopt': () => {
    const layer = new GRU(5, 9, options)
    return { act: () => bits(GRU.fromShared(layer.share()).forward(x)) }
  },
  'forward, small': () => {
    const layer = new LSTM(5, 9, bidirectional)
    return { act: () => bits(layer.forward(x)) }
  },
  'forward, large with lengths': () => {
    const layer = new LSTM(5, 9, bidirectional)
    return { act: () => bits(layer.forward(large, { lengths })) }
  },
  'forward into tensors': () => intoTensors((layer, ...call) => layer.forward(...call), large, { lengths }),
  'forward into tensors, small': () => intoTensors((layer, ...call) => layer.forward(...call), ramp(1, 20, 5)),
  'forward on threads': () => {
    const layer = new GRU(5, 64, { ...options, numLayers: 3, threads: 4 })
    return { act: () => bits([layer.forward(ramp(10, 8, 5)), layer.forward(ramp(300, 1, 5))]) }
  },
  linear: () => ({ act: () => bits(new Linear(5, 9, { seed: 1 }).forward(ramp(2000, 5))) }),
  'open a stream': () => {
    const layer = new RNN(5, 9, options)
    return { act: () => bits(layer.stream({ batchSize: 3 }).step(ramp(3, 5).data)) }
  },
  'step a stream': () => streaming((stream) => bits(stream.step(frame))),
  'run a stream': () => streaming((stream) => bits(stream.run(ramp(100, 5)))),
  'reset, fork, save and restore a stream': () =>
    streaming((stream, layer) => {
      const fork = stream.fork()
      fork.reset({ h0: ramp(2, 9), c0: ramp(2, 9) })
      const back = layer.restoreStream(fork.save())
      return bits([back.step(frame), fork.state(), stream.state()])
    }),
  'forwardAsync, small': () => {
    const layer = new LSTM(5, 9, bidirectional)
    return { mayKeep: onPool, act: () => asynchronous(layer, 4, x) }
  },
  'forwardAsync, large': () => {
    const layer = new LSTM(5, 9, { ...bidirectional, threads: 2 })
    return { mayKeep: onPool, act: () => asynchronous(layer, 3, large, { lengths }) }
  },
  'forwardAsync, kept memory': () => {
    const layer = new RNN(350, 1, { seed: 3 })
    const wide = ramp(20, 10, 350)
    // One for each call, and one more that is made ready.
    return { mayKeep: onPool + 4, act: () => asynchronous(layer, 3, wide, {}) }
  },
  'forwardAsync into tensors': () =>
    intoTensors((layer, ...call) => layer.forwardAsync(...call), large, { lengths }, onPool),
  'forwardAsync, aborted': () => {
    const layer = new LSTM(5, 9, bidirectional)
    return {
      mayKeep: onPool,
      act: async () => {
        const controller = new AbortController()
        const calls = Array.from({ length: 4 }, () => layer.forwardAsync(large, { signal: controller.signal }))
        const settled = Promise.allSettled(calls)
        controller.abort(new Error('aborted'))
        const errors = (await settled).map(({ reason }) => reason)
        const other = errors.find((error) => error.message !== 'aborted')
        if (other) throw other
        return 'aborted'
      },
    }
  },
  'open a batcher': () => {
    const layer = new LSTM(5, 9, options)
    return {
      act: async () => {
        const batcher = layer.batcher()
        const open = Array.from({ length: 20 }, () => batcher.open({ h0: ramp(2, 9) }))
        const output = await open[19].step(frame)
        for (const stream of open) stream.close()
        await batcher.close()
        return bits(output)
      },
    }
  },
  'step through a batcher': batching,
  'save a batched stream': () => {
    const layer = new GRU(5, 9, options)
    const stream = layer.batcher().open({ h0: ramp(2, 9) })
    return { act: () => bits([stream.save(), stream.state()]), state: () => bits(stream.state()) }
  },
  'read a model': () => ({ act: () => Model.read(modelBytes).inputs.length }),
  'run a model of new shapes': () => ({
    act: () => {
      const model = Model.read(modelBytes)
      return bits(model.run(inputsOf(model, 1)))
    },
  }),
  'run a model': () => {
    const model = Model.read(modelBytes)
    const inputs = inputsOf(model, 1)
    model.run(inputs)
    return { act: () => bits(model.run(inputs)) }
  },
  'runAsync of a model': () => {
    const model = Model.read(modelBytes)
    const inputs = inputsOf(model, 1)
    return {
      mayKeep: onPool + 8,
      act: async () => {
        const results = await Promise.allSettled([1, 2, 3].map(() => model.runAsync(inputs)))
        const failed = results.find(({ status }) => status === 'rejected')
        if (failed) throw failed.reason
        return bits(results.map(({ value }) => value))
      },
    }
  },
}
