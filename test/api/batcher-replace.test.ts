/** Other weights under live streams: which step runs on which, what streams take along, and what is refused. */
import { type BatchedStream, GRU, LSTM, type Stream } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { expectError } from '../support/errors.ts'

const layerOn = (backend: LSTM['backend'], seed: number) => new LSTM(I, 8, { seed, numLayers: 2, backend })

/** The stream's state on other weights. */
function moved(stream: Stream, layer: LSTM): Stream {
  const { hn, cn } = stream.state()
  return layer.stream({ h0: hn, c0: cn as typeof hn }) as Stream
}

describe.each(backends)('a batcher that gets other weights, on %s', (backend) => {
  const [old, next] = [layerOn(backend, 1), layerOn(backend, 2)]

  it('takes the states along, each after what its stream was asked for before', async () => {
    const batcher = old.batcher({ maxBatch: 3 })
    const pairs = Array.from({ length: 8 }, () => [batcher.open(), old.stream() as Stream] as [BatchedStream, Stream])
    const before = pairs.map(([stream], n) => stream.step(frame(n)))
    const runs = pairs.map(([stream], n) => stream.run([frame(n), frame(n + 1)]))
    const given = layerOn(backend, 2)
    batcher.replace(given)
    given.dispose()
    const after = pairs.map(([stream], n) => stream.step(frame(n + 50)))
    for (const [n, [stream, alone]] of pairs.entries()) {
      expect(await before[n]).toEqual(alone.step(frame(n)).slice())
      expect((await runs[n]).data).toEqual(alone.run([frame(n), frame(n + 1)]).data)
      const twin = moved(alone, next)
      expect(await after[n]).toEqual(twin.step(frame(n + 50)).slice())
      expect(stream.save()).toEqual(twin.save())
    }
    expect(await batcher.open().step(frame(3))).toEqual(next.stream().step(frame(3)).slice())
    expect(batcher.stats()).toMatchObject({ queued: 0, steps: 8 * 4 + 1 })
  })

  it('leaves open streams on the weights that they have, where it is told to keep them', async () => {
    const batcher = old.batcher({ maxBatch: 4 })
    const kept = Array.from({ length: 3 }, () => [batcher.open(), old.stream()] as const)
    batcher.replace(next, { streams: 'keep' })
    const fresh = Array.from({ length: 3 }, () => [batcher.open(), next.stream()] as const)
    for (let t = 0; t < 4; t++) {
      const steps = [...kept, ...fresh].map(
        ([stream, alone]) => [stream.step(frame(t)), alone.step(frame(t)).slice()] as const,
      )
      for (const [step, want] of steps) expect(await step).toEqual(want)
    }
    // No step mixes two: a turn of all is a batch for each.
    expect(batcher.stats()).toMatchObject({ batches: 8, steps: 24, meanBatch: 3 })
    for (const [stream, alone] of [...kept, ...fresh]) expect(stream.save()).toEqual(alone.save())
    const bytes = kept[0][0].save()
    expectError(() => batcher.restore(bytes), 'ERR_RNN_STATE', 'the saved state is of other weights')
    // The next to be moved are all that are open.
    batcher.replace(next)
    const last = moved(kept[0][1] as Stream, next)
    expect(await kept[0][0].step(frame(9))).toEqual(last.step(frame(9)).slice())
    expect(await fresh[0][0].step(frame(9))).toEqual(fresh[0][1].step(frame(9)).slice())
    for (const [stream] of [...kept, ...fresh]) stream.close()
    await batcher.close()
  })

  it('loses no step and mixes none, under load', async () => {
    const layers = [1, 2, 3].map((seed) => layerOn(backend, seed))
    const batcher = layers[0].batcher({ maxBatch: 4 })
    const streams = Array.from({ length: 9 }, () => batcher.open())
    let isDone = false
    // Each stream notes at every call which weights are in use, and steps again as soon as it can.
    let current = 0
    const walks = streams.map(async (stream, n) => {
      const calls: { weights: number; step: Promise<Float32Array> }[] = []
      while (!isDone) {
        calls.push({ weights: current, step: stream.step(frame(n * 100 + calls.length)) })
        await calls.at(-1 - (n % 3))?.step
      }
      return calls
    })
    for (let swap = 1; swap <= 12; swap++) {
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      current = swap % 3
      batcher.replace(layers[current])
    }
    isDone = true
    let steps = 0
    for (const [n, calls] of (await Promise.all(walks)).entries()) {
      let alone = layers[0].stream() as Stream
      let weights = 0
      for (const [t, call] of calls.entries()) {
        if (call.weights !== weights) alone = moved(alone, layers[call.weights])
        weights = call.weights
        expect(await call.step).toEqual(alone.step(frame(n * 100 + t)).slice())
        steps++
      }
      expect(streams[n].state()).toEqual(alone.state())
    }
    expect(batcher.stats()).toMatchObject({ queued: 0, steps })
    await batcher.close()
  })

  it.each(backends)('goes on on another backend: %s', async (other) => {
    const batcher = old.batcher()
    const stream = batcher.open()
    const alone = old.stream() as Stream
    await stream.step(frame(1))
    alone.step(frame(1))
    const away = layerOn(other, 2)
    batcher.replace(away)
    const twin = moved(alone, away)
    expect(await stream.step(frame(2))).toEqual(twin.step(frame(2)).slice())
    expect(stream.save()).toEqual(twin.save())
  })

  it('changes nothing where the new weights do not fit', async () => {
    const batcher = old.batcher()
    const stream = batcher.open()
    const refused = (layer: unknown, code: 'ERR_RNN_SHAPE' | 'ERR_RNN_OPTION' | 'ERR_RNN_DISPOSED', words: string) =>
      expectError(() => batcher.replace(layer as LSTM), code, words)
    const sizes = (...[I, H, options]: ConstructorParameters<typeof LSTM>) => new LSTM(I, H, { ...options, backend })
    const words = "layer must have the sizes of the batcher's. Expected"
    refused(sizes(5, 8, { numLayers: 2 }), 'ERR_RNN_SHAPE', `${words} inputSize 6, got 5`)
    refused(sizes(I, 9, { numLayers: 2 }), 'ERR_RNN_SHAPE', `${words} hiddenSize 8, got 9`)
    refused(sizes(I, 8), 'ERR_RNN_SHAPE', `${words} numLayers 2, got 1`)
    refused(sizes(I, 8, { numLayers: 2, projSize: 3 }), 'ERR_RNN_SHAPE', `${words} projSize 0, got 3`)
    refused(
      new GRU(I, 8, { numLayers: 2, backend }),
      'ERR_RNN_OPTION',
      "of the batcher's class. Expected LSTM, got GRU",
    )
    const both = sizes(I, 8, { numLayers: 2, bidirectional: true })
    refused(both, 'ERR_RNN_OPTION', 'replace needs a unidirectional layer, and this LSTM is bidirectional')
    refused({}, 'ERR_RNN_OPTION', 'layer must be an RNN, a GRU or an LSTM, got')
    const gone = layerOn(backend, 2)
    gone.dispose()
    refused(gone, 'ERR_RNN_DISPOSED', 'the LSTM was disposed')
    const never = () => batcher.replace(next, { streams: 'drop' as never })
    expectError(never, 'ERR_RNN_OPTION', "streams must be one of 'move', 'keep', got \"drop\"")
    expectError(() => batcher.replace(next, { stream: 1 } as never), 'ERR_RNN_OPTION', "did you mean 'streams'")
    expect(await stream.step(frame(1))).toEqual(old.stream().step(frame(1)))
    await batcher.close()
    refused(next, 'ERR_RNN_DISPOSED', 'the batcher was closed and takes no other weights')
  })
})
