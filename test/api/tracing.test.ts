/** Diagnostics channels: what they tell of passes and of batches, to those who listen. */
import { tracingChannel } from 'node:diagnostics_channel'
import { GRU, LSTM, Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { affine, modelBackends } from '../support/model-files.ts'

describe.each(backends)('tracing on %s', (backend) => {
  it('tells of forward and forwardAsync to those who listen', async () => {
    const layer = new GRU(3, 4, { seed: 1, backend })
    const seen: unknown[] = []
    const note = (event: string) => (message: object) => seen.push({ event, ...message })
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
    const subscribers = Object.fromEntries(names.map((name) => [name, note(name)]))
    const channel = tracingChannel('native-rnn:forward')
    channel.subscribe(subscribers as never)
    layer.forward([[1, 2, 3]])
    await layer.forwardAsync([[[1, 2, 3]], [[1, 2, 3]]])
    channel.unsubscribe(subscribers as never)
    layer.forward([[1, 2, 3]])
    const call = { layer: 'GRU', backend, T: 1, B: 1, async: false }
    expect(seen).toEqual([
      { event: 'start', ...call },
      { event: 'end', ...call, result: expect.anything() },
      { event: 'start', ...call, T: 2, async: true },
      { event: 'end', ...call, T: 2, async: true },
      { event: 'asyncStart', ...call, T: 2, async: true, result: expect.anything() },
      { event: 'asyncEnd', ...call, T: 2, async: true, result: expect.anything() },
    ])
  })
})

describe.each(backends)('a batcher on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, backend })

  it('tells of its batches to those who listen', async () => {
    const seen: unknown[] = []
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
    const listeners = names.map((event) => {
      const listener = (message: unknown) => void seen.push({ event, ...(message as object) })
      return [event, listener] as const
    })
    const channel = tracingChannel('native-rnn:batch')
    for (const [event, listener] of listeners) channel[event].subscribe(listener)
    const batcher = lstm.batcher({ maxBatch: 2 })
    const [a, b] = [batcher.open(), batcher.open()]
    await Promise.all([a.step(frame(1)), b.step(frame(2))])
    for (const [event, listener] of listeners) channel[event].unsubscribe(listener)
    await a.step(frame(3))
    const told = { layer: 'LSTM', backend, steps: 2, queued: 0 }
    expect(seen).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'].map((event) => ({ event, ...told })))
  })
})

describe.each(modelBackends)('a model on %s', (backend) => {
  it('tells of its runs and its batches to those who listen', async () => {
    const model = Model.read(affine(), { backend })
    const seen: unknown[] = []
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
    const subscribersOf = (kind: string) =>
      Object.fromEntries(names.map((event) => [event, (message: object) => seen.push({ kind, event, ...message })]))
    const kinds = ['model', 'batch'].map((kind) => [tracingChannel(`native-rnn:${kind}`), subscribersOf(kind)] as const)
    for (const [channel, subscribers] of kinds) channel.subscribe(subscribers as never)
    model.run({ x: [[1, 2, 3]] })
    await model.runAsync({
      x: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    })
    await model.batcher().open().step(new Float32Array(3))
    for (const [channel, subscribers] of kinds) channel.unsubscribe(subscribers as never)
    model.run({ x: [[1, 2, 3]] })
    const one = { kind: 'model', backend, shapes: [[1, 3]], async: false }
    const two = { kind: 'model', backend, shapes: [[2, 3]], async: true }
    const batch = { kind: 'batch', layer: 'Model', backend, steps: 1, queued: 0 }
    const result = expect.anything()
    expect(seen).toEqual([
      { event: 'start', ...one },
      { event: 'end', ...one, result },
      { event: 'start', ...two },
      { event: 'end', ...two },
      { event: 'asyncStart', ...two, result },
      { event: 'asyncEnd', ...two, result },
      ...['start', 'end', 'asyncStart', 'asyncEnd'].map((event) => ({ event, ...batch })),
    ])
  })
})
