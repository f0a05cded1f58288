/** Whole models as PyTorch exports them: PyTorch's numbers on every backend, the same bits on those that promise each other's, rows and steps as in a run. */
import { Model, type ModelTensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends, bitGroups } from '../support/backends.ts'
import { bytesOf, casesOf, exported, inputsOf, outputsOf, rowOf, slice } from '../support/exported.ts'

const TOLERANCE = 1e-4
const every = exported.flatMap((name) => casesOf(name).map((which) => ({ name, which })))

function worst(found: ModelTensor, expected: ModelTensor): number {
  return Array.from(found.data, Number).reduce((most, value, i) => {
    const distance = Math.abs(value - Number(expected.data[i]))
    return distance <= most ? most : distance
  }, 0)
}

it('the fixtures are there, two cases of each at least', () => {
  expect(exported).toHaveLength(10)
  for (const name of exported) expect(casesOf(name).length).toBeGreaterThanOrEqual(2)
})

describe.each(backends)('on %s', (backend) => {
  it.each(every)('$name, $which: the outputs are PyTorch’s', ({ name, which }) => {
    const model = Model.read(bytesOf(name), { backend })
    const found = model.run(inputsOf(model, name, which))
    const expected = outputsOf(model, name, which)
    expect(Object.keys(found)).toEqual(Object.keys(expected))
    for (const output of Object.keys(expected)) {
      expect(found[output].shape).toEqual(expected[output].shape)
      expect(worst(found[output], expected[output]), output).toBeLessThan(TOLERANCE)
    }
  })

  // In `gate` the loudest row decides for all.
  const apart = every.filter(({ name, which }) => name !== 'gate' && /pair|three|wide/.test(which))
  it.each(apart)('$name, $which: a row of the batch has the bits that it has alone', ({ name, which }) => {
    const model = Model.read(bytesOf(name), { backend })
    const inputs = inputsOf(model, name, which)
    const together = model.run(inputs)
    const rows = which === 'three' ? 3 : 2
    for (let row = 0; row < rows; row++) {
      const alone = model.run(rowOf(model.inputs, inputs, row))
      expect(alone).toEqual(rowOf(model.outputs, together, row))
    }
  })

  it.each(every)('$name, $which: beside this thread it gives the same', async ({ name, which }) => {
    const model = Model.read(bytesOf(name), { backend, threads: 2 })
    const inputs = inputsOf(model, name, which)
    expect(await model.runAsync(inputs)).toEqual(model.run(inputs))
  })
})

describe.each(bitGroups.map((group) => ({ group, names: group.join(', ') })))('$names', ({ group }) => {
  it.each(every)('$name, $which: the same bits', ({ name, which }) => {
    const results = group.map((backend) => {
      const model = Model.read(bytesOf(name), { backend })
      return model.run(inputsOf(model, name, which))
    })
    for (const result of results) expect(result).toEqual(results[0])
  })
})

// How each of them is cut into steps: what goes over from one to the next, and the axis of time in each input and output.
const streams: readonly {
  name: string
  which: string
  states?: Record<string, string>
  along?: string
  time: Record<string, number>
}[] = [
  { name: 'denoiser', which: 'sequence', states: { h: 'hn' }, time: { spectrum: 1, masked: 1 } },
  {
    name: 'forecaster',
    which: 'three',
    states: { h: 'hn', c: 'cn' },
    time: { values: 1, covariates: 1, mu: 1, sigma: 1 },
  },
  { name: 'causal', which: 'one', along: 'time', time: { frames: 2, events: 1 } },
  { name: 'causal', which: 'pair', along: 'time', time: { frames: 2, events: 1 } },
]

describe.each(backends)('streams on %s', (backend) => {
  it.each(streams)(
    '$name, $which: steps have the bits of a run over the whole',
    ({ name, which, states, along, time }) => {
      const model = Model.read(bytesOf(name), { backend })
      const inputs = inputsOf(model, name, which)
      const whole = model.run(inputs)
      const axis = (value: string) => time[value] ?? -1
      const timed = Object.keys(inputs).find((value) => axis(value) >= 0)!
      const frame = (t: number) =>
        Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, slice(value, axis(key), t, 1)]))
      const shapes = Object.fromEntries(Object.entries(frame(0)).map(([key, { shape }]) => [key, shape]))
      const stream = model.stream({ states, along, shapes })
      const started = Object.fromEntries(Object.keys(states ?? {}).map((key) => [key, inputs[key]]))
      stream.reset(started)
      const steps = inputs[timed].shape[axis(timed)]
      expect(steps).toBeGreaterThan(5)
      for (let t = 0; t < steps; t++) {
        const given = frame(t)
        for (const key of Object.keys(stream.inputs)) stream.inputs[key].set(given[key].data as never)
        stream.step()
        for (const key of Object.keys(stream.outputs)) {
          expect(stream.outputs[key], `${key}, step ${t}`).toEqual(slice(whole[key], axis(key), t, 1).data)
        }
      }
      if (states) for (const [state, next] of Object.entries(states)) expect(stream.state()[state]).toEqual(whole[next])
    },
  )

  it('a decoder’s steps are runs that are fed with the states before', () => {
    const model = Model.read(bytesOf('predictor'), { backend })
    const stream = model.stream({
      states: { h: 'hn', c: 'cn' },
      shapes: { token: [1, 1], h: [1, 1, 24], c: [1, 1, 24] },
    })
    const zeros = () => ({ data: new Float32Array(24), shape: [1, 1, 24] })
    let state = { h: zeros() as ModelTensor, c: zeros() as ModelTensor }
    for (const token of [3n, 17n, 0n, 39n]) {
      const { g, hn, cn } = model.run({ token: [[token]], ...state })
      state = { h: hn, c: cn }
      expect(stream.step({ token: [[token]] }).g).toEqual(g.data)
      expect(stream.state()).toEqual(state)
    }
  })

  it('a branch on the data is taken anew at each step', () => {
    const model = Model.read(bytesOf('gate'), { backend })
    const stream = model.stream({ states: { h: 'hn' }, shapes: { frame: [1, 8], h: [1, 1, 12] } })
    let h: ModelTensor = { data: new Float32Array(12), shape: [1, 1, 12] }
    for (const gain of [1, 0.01, 0.01, 2, 0.02, 1]) {
      const frame = Float32Array.from({ length: 8 }, (_, i) => gain * Math.sin(i + gain))
      const { score, hn } = model.run({ frame: { data: frame, shape: [1, 8] }, h })
      h = hn
      expect(stream.step(frame).score).toEqual(score.data)
      expect(score.data.every((value) => value === 0)).toBe(gain < 0.05)
      expect(stream.state().h).toEqual(hn)
    }
  })

  it('an input that never changes is folded in', () => {
    const open = Model.read(bytesOf('rates'), { backend })
    const fixed = Model.read(bytesOf('rates'), { backend, constants: { sr: 16000n } })
    expect(fixed.inputs.map(({ name }) => name)).toEqual(['input', 'state'])
    const { sr: _, ...inputs } = inputsOf(open, 'rates', 'wide')
    expect(fixed.run(inputs)).toEqual(open.run({ ...inputs, sr: 16000 }))
  })
})

describe.each(backends)('batches on %s', (backend) => {
  it('streams of a batcher have the bits of streams by themselves', async () => {
    const model = Model.read(bytesOf('denoiser'), { backend })
    const options = { states: { h: 'hn' }, shapes: { spectrum: [1, 1, 33], h: [2, 1, 24] } }
    const batcher = model.batcher({ ...options, maxBatch: 4 })
    const spectrum = (s: number, t: number) => Float32Array.from({ length: 33 }, (_, i) => Math.sin(s + t * i) ** 2)
    const together = [0, 1, 2, 3, 4].map(() => batcher.open())
    const alone = together.map(() => model.stream(options))
    for (let t = 0; t < 3; t++) {
      const found = await Promise.all(together.map((stream, s) => stream.step(spectrum(s, t))))
      found.forEach(({ masked }, s) => {
        expect(masked).toEqual(alone[s].step(spectrum(s, t)).masked)
      })
    }
    await batcher.close()
  })
})
