/** All short programs on two streams of a batcher with almost no room, against streams that are alone: what random ones find once in thousands. */
import type { BatchedStream, Batcher, LSTM, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'
import { frameOf, framesOf, newLayer, Sequence, type StepLog } from '../support/batcher-model.ts'

const acts = ['run 0', 'run 1', 'step 0', 'abort', 'replace', 'turn'] as const
const length = Number(process.env.BATCHER_PROGRAM_LENGTH ?? 5)

const end = new Error('aborted by the test')

/** Batches are launched at the end of the turn; they end in another one. */
const launched = () => new Promise<void>((resolve) => process.nextTick(resolve))

async function check(layers: readonly LSTM[], program: readonly (typeof acts)[number][]): Promise<void> {
  const batcher: Batcher = layers[0].batcher({ maxBatch: 1, maxQueue: 1 })
  const streams = [0, 1].map((): [BatchedStream, Sequence] => [batcher.open(), new Sequence(undefined, 0)])
  const calls: Promise<void>[] = []
  let stop = new AbortController()
  let weights = 0
  let value = 0
  const log = ([stream, sequence]: [BatchedStream, Sequence], frames?: number) => {
    const call: StepLog = { value: ++value, frames, outcome: 'open' }
    const { signal } = stop
    const output: Promise<Float32Array | Tensor> =
      frames === undefined ? stream.step(frameOf(value), { signal }) : stream.run(framesOf(value, frames), { signal })
    sequence.calls.push(call)
    const moved = (given: Float32Array | Tensor) => {
      call.outcome = 'moved'
      call.output = given instanceof Float32Array ? given : given.data
    }
    const kept = (error: unknown) => {
      call.outcome = 'kept'
      if (error !== end) expect(error).toMatchObject({ code: 'ERR_RNN_OVERLOADED' })
    }
    calls.push(output.then(moved, kept))
  }
  for (const act of program) {
    if (act === 'run 0' || act === 'run 1') {
      log(streams[act === 'run 0' ? 0 : 1], 2)
      await launched()
    } else if (act === 'step 0') log(streams[0])
    else if (act === 'abort') {
      stop.abort(end)
      stop = new AbortController()
    } else if (act === 'turn') await new Promise(setImmediate)
    else {
      weights = 1 - weights
      batcher.replace(layers[weights])
      for (const [, sequence] of streams) sequence.move(weights)
    }
  }
  await Promise.all(calls)
  await batcher.drain()
  expect(batcher.stats().queued).toBe(0)
  for (const [stream, sequence] of streams) sequence.check(layers, stream.state())
  await batcher.close()
}

describe.each(engines)('a batcher on %s', (backend) => {
  it(`does what lone streams do in every program of ${length} acts`, async () => {
    const layers = [newLayer(backend, 0), newLayer(backend, 1)]
    for (let n = 0; n < acts.length ** length; n++) {
      const program = Array.from({ length }, (_, k) => acts[Math.floor(n / acts.length ** k) % acts.length])
      try {
        await check(layers, program)
      } catch (error) {
        throw new Error(`in the program ${program.join(', ')}`, { cause: error })
      }
    }
  }, 3_600_000)
})
