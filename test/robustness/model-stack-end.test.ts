/** The end of the stack, for whole models: a call that finds it fails alone, at whatever depth, and everything goes on as if it had not been made. */
import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { modelBackends, modelFile, recurrent } from '../support/model-files.ts'
import { atEveryDepth } from '../support/stack-end.ts'
import { ramp } from '../support/tensors.ts'

const frame = (n: number) => Float32Array.from({ length: 3 }, (_, i) => Math.sin(n * 3.1 + i))

describe.each(modelBackends)('a model at the end of the stack, on %s', (backend) => {
  const model = Model.read(recurrent(), { backend })
  const inputs = { frames: ramp(2, 2, 3), state: ramp(1, 2, 5) }
  const options = { states: { state: 'stateN' }, batchAxes: { frames: 1 }, shapes: { frames: [1, 1, 3] } }

  it('gives the right results or none', async () => {
    const want = model.run(inputs)
    const got: unknown[] = new Array(8000)
    let count = 0
    const { failed, done } = atEveryDepth(1500, () => {
      const result = model.run(inputs)
      got[count++] = result
    })
    expect(failed).toBeGreaterThan(0)
    expect(done).toBeGreaterThan(0)
    for (const one of got.slice(0, count)) expect(one).toEqual(want)
    expect(await model.runAsync(inputs)).toEqual(want)
  })

  it('steps a stream or leaves it as it was, all its states together', () => {
    const one = { shape: [1] }
    const counting = modelFile({
      nodes: [
        { opType: 'Add', inputs: ['a', 'x'], outputs: ['nextA'] },
        { opType: 'Add', inputs: ['b', 'x'], outputs: ['nextB'] },
      ],
      inputs: { a: one, b: one, x: one },
      outputs: { nextA: one, nextB: one },
    })
    const stream = Model.read(counting, { backend }).stream({ states: { a: 'nextA', b: 'nextB' } })
    const read = () => {
      const { a, b } = stream.state()
      return [a.data[0], b.data[0]]
    }
    const input = new Float32Array([1])
    stream.step(input)
    const steps = atEveryDepth(1500, () => stream.step(input))
    expect(steps.failed).toBeGreaterThan(0)
    const [a, b] = read()
    expect(b).toBe(a)
    // A step may be done when its call finds the end.
    expect(a).toBeGreaterThan(steps.done)
    expect(a).toBeLessThanOrEqual(1 + steps.done + steps.failed)
    let value = 0
    const resets = atEveryDepth(1500, () => {
      value++
      stream.reset({ a: value, b: value })
    })
    expect(resets.failed).toBeGreaterThan(0)
    const [c, d] = read()
    expect(d).toBe(c)
    stream.reset({ a: 5, b: 7 })
    stream.step(input)
    expect(read()).toEqual([6, 8])
  })

  it('batches a step or refuses it', async () => {
    const batcher = model.batcher({ ...options, maxQueue: 10_000 })
    const stream = batcher.open()
    await stream.step(frame(1))
    const alone = model.restoreStream(stream.save(), options)
    const steps: Promise<Record<string, unknown>>[] = new Array(8000)
    let count = 0
    const input = frame(2)
    const { failed } = atEveryDepth(1500, () => {
      const step = stream.step(input)
      steps[count++] = step
    })
    expect(failed).toBeGreaterThan(0)
    let done = 0
    for (const one of await Promise.allSettled(steps.slice(0, count))) {
      if (one.status === 'fulfilled') {
        expect(one.value.scores).toEqual(alone.step(input).scores)
        done++
      } else expect(one.reason).toBeInstanceOf(RangeError)
    }
    expect(done).toBeGreaterThan(0)
    expect(stream.state()).toEqual(alone.state())
    await batcher.drain()
    expect(batcher.stats()).toMatchObject({ queued: 0, streams: 1, steps: done + 1 })
  })
})
