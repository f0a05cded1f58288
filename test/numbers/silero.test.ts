/** Silero VAD as npm packages carry it: onnxruntime's probabilities over minutes of speech, and the same decisions. */
import { readFileSync } from 'node:fs'
import { Model, readSafetensors } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { fetched, isFetched, whyNotFetched } from '../support/fetched.ts'
import { chunksOf, type Detector, decisions, detectors, nameOf, speech } from '../support/speech.mjs'

const recorded = readSafetensors(readFileSync(new URL('../fixtures/models/silero.safetensors', import.meta.url)))
const missing = whyNotFetched()
if (missing) process.stderr.write(`${missing}\n`)
const there = detectors.filter(({ file }) => isFetched(file))

const open = ({ file, rate, asksRate }: Detector, backend: (typeof backends)[number]) =>
  Model.read(fetched(file), { backend, constants: asksRate ? { sr: rate } : {} })

const streamOptions = ({ states, stateShape, chunk, context }: Detector) => {
  const shapes = Object.keys(states).map((name) => [name, stateShape] as const)
  return { states, shapes: { input: [1, context + chunk], ...Object.fromEntries(shapes) } }
}

it('says whether the models are there', () => {
  if (missing === undefined) expect(there).toHaveLength(detectors.length)
})

describe.each(backends)('on %s', (backend) => {
  it.each(there.map((detector) => ({ name: nameOf(detector), detector })))(
    '$name hears what onnxruntime hears',
    ({ name, detector }) => {
      using model = open(detector, backend)
      using stream = model.stream(streamOptions(detector))
      // The TypeScript backend takes twenty milliseconds a chunk.
      const seconds = backend === 'typescript' ? 5 : detector.seconds
      const found: number[] = []
      for (const frame of chunksOf(detector, speech(seconds))) found.push(stream.step(frame).output[0] as number)
      const expected = recorded[name].data.subarray(0, found.length)
      expect(found.length).toBe(Math.floor((seconds * detector.rate) / detector.chunk))
      const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0)
      expect(worst).toBeLessThan(1e-3)
      expect(decisions(found)).toEqual(decisions(expected))
      expect(new Set(decisions(expected)).size).toBe(2)
    },
  )

  it.skipIf(missing)('the rate may be an input', () => {
    const [detector] = detectors
    using fixed = open(detector, backend)
    using model = Model.read(fetched(detector.file), { backend })
    const input = { data: new Float32Array(576).fill(0.1), shape: [1, 576] }
    const state = { data: new Float32Array(256), shape: [2, 1, 128] }
    expect(model.run({ input, state, sr: 16000n })).toEqual(fixed.run({ input, state }))
  })

  it.skipIf(missing)('a batch of chunks has the bits of each chunk alone', () => {
    const [detector] = detectors
    using model = open(detector, backend)
    const chunks = [...chunksOf(detector, speech(4))].slice(20, 28)
    const size = chunks[0].length
    const input = new Float32Array(8 * size)
    for (const [row, chunk] of chunks.entries()) input.set(chunk, row * size)
    const states = Float32Array.from({ length: 2 * 8 * 128 }, (_, i) => Math.sin(i))
    const stateOf = (row: number) => {
      const own = new Float32Array(256)
      for (const layer of [0, 1])
        own.set(states.subarray((layer * 8 + row) * 128, (layer * 8 + row + 1) * 128), layer * 128)
      return { data: own, shape: [2, 1, 128] }
    }
    const all = model.run({ input: { data: input, shape: [8, size] }, state: { data: states, shape: [2, 8, 128] } })
    chunks.forEach((chunk, row) => {
      const alone = model.run({ input: { data: chunk, shape: [1, size] }, state: stateOf(row) })
      expect(alone.output.data[0]).toBe(all.output.data[row])
      for (const layer of [0, 1]) {
        const next = all.stateN.data.subarray((layer * 8 + row) * 128, (layer * 8 + row + 1) * 128)
        expect(alone.stateN.data.subarray(layer * 128, (layer + 1) * 128)).toEqual(next)
      }
    })
  })
})

describe.skipIf(missing)('batches of live streams', () => {
  it('have the bits of streams by themselves', async () => {
    const [detector] = detectors
    using model = open(detector, backends[0])
    const options = streamOptions(detector)
    const batcher = model.batcher({ ...options, maxBatch: 8 })
    const chunks = [...chunksOf(detector, speech(4))]
    const together = Array.from({ length: 12 }, () => batcher.open())
    const alone = together.map(() => model.stream(options))
    for (let t = 0; t < 8; t++) {
      const found = await Promise.all(together.map((stream, s) => stream.step(chunks[t + 7 * s])))
      found.forEach(({ output }, s) => {
        expect(output).toEqual(alone[s].step(chunks[t + 7 * s]).output)
      })
    }
    await batcher.close()
  })
})
