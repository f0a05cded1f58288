/** Weights in fewer bytes: halves have the bits of float32 layers with the rounded weights, and every format keeps the promise of bits. */
import fc from 'fast-check'
import { type PrecisionOptions, type Result, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends, bitGroups } from '../support/backends.ts'
import { type AnyLayer, callOf, type Drawn, drawn, layerOf, tensorsOf } from '../support/networks.ts'

const numRuns = Math.ceil(Number(process.env.NATIVE_RNN_RUNS ?? 1000) / 60)
const all = { numRuns, seed: 20_261_128 }
const timeout = { timeout: 600_000 }

const halves = [
  { weights: 'f16', activations: 'f32' },
  { weights: 'bf16', activations: 'f32' },
] as const
const integers = [
  { weights: 'int8', activations: 'f32' },
  { weights: 'int8', activations: 'int8' },
] as const
const formats: readonly PrecisionOptions[] = [...halves, ...integers]

const small = drawn.map((d): Drawn => ({ ...d, T: Math.min(d.T, 5), B: Math.min(d.B, 9) }))
const forwardOnly = small.map(
  (d): Drawn => ({ ...d, bidirectional: false, batchFirst: false, ragged: false, unbatched: false }),
)

function expectSameBits(name: string, a: Float32Array, b: Float32Array): void {
  expect(a.length, name).toBe(b.length)
  const [x, y] = [new Uint32Array(a.buffer, a.byteOffset, a.length), new Uint32Array(b.buffer, b.byteOffset, b.length)]
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) expect.fail(`${name}[${i}]: ${a[i]} is not ${b[i]}`)
}

function expectSameResult(a: Result, b: Result): void {
  const expected = new Map(tensorsOf(b))
  for (const [part, { data, shape }] of tensorsOf(a)) {
    expect(shape).toEqual(expected.get(part)?.shape)
    expectSameBits(part, data, expected.get(part)!.data)
  }
}

const step = ({ data, shape }: Tensor, t: number) =>
  data.slice((t * data.length) / shape[0], ((t + 1) * data.length) / shape[0])

/** Row b of a (T, B, I) input, as (T, 1, I). */
function row({ data, shape }: Tensor, b: number): Tensor {
  const [T, B, I] = shape
  const picked = new Float32Array(T * I)
  for (let t = 0; t < T; t++) picked.set(data.subarray((t * B + b) * I, (t * B + b + 1) * I), t * I)
  return new Tensor(picked, [T, 1, I])
}

/** The values of a (T, B, O) output at row b. */
const rowOf = (output: Tensor, b: number) => row(output, b).data

describe.each(backends)('on %s', (backend) => {
  // TypeScript takes ten times as long.
  const settings = backend === 'typescript' ? { ...all, numRuns: Math.ceil(numRuns / 4) } : all

  it.each(halves)('$weights has the bits of float32 with the rounded weights', timeout, (format) => {
    const property = fc.property(small, (d) => {
      const kept = layerOf(d, backend, 1, format)
      const plain = layerOf(d, backend)
      const before = plain.stateDict()
      plain.loadStateDict(kept.stateDict())
      const { input, options } = callOf(d)
      expectSameResult(kept.forward(input, options), plain.forward(input, options))
      // Rounded indeed, and biases not.
      for (const [name, { data }] of Object.entries(kept.stateDict())) {
        const bits = new Uint32Array(data.buffer, data.byteOffset, data.length)
        const isMatrix = name.startsWith('weight_ih') || name.startsWith('weight_h')
        if (isMatrix) expect(bits.every((word) => (word & 0xfff) === 0)).toBe(true)
        else expect(data).toEqual(before[name].data)
      }
    })
    fc.assert(property, settings)
  })

  it.each(formats)('$weights × $activations: a stream, cut anywhere, gives the bits of forward', timeout, (format) => {
    const property = fc.property(forwardOnly, (d) => {
      const layer = layerOf(d, backend, 1, format)
      const { input, options } = callOf(d)
      const whole = layer.forward(input, options)
      let stream = layer.stream({ batchSize: d.B, ...options })
      for (let t = 0; t < d.T; t++) {
        expectSameBits(`step ${t}`, stream.step(step(input, t)), step(whole.output, t))
        stream = layer.restoreStream(stream.save())
      }
      expectSameBits('hn', stream.state().hn.data, whole.hn.data)
    })
    fc.assert(property, { ...settings, numRuns: Math.ceil(settings.numRuns / 2) })
  })

  it.each(formats)(
    '$weights × $activations: a row has the bits that it has alone, on any number of threads',
    timeout,
    (format) => {
      const property = fc.property(forwardOnly, (d) => {
        const layer = layerOf({ ...d, states: false }, backend, 1, format)
        const { input } = callOf(d)
        const whole = layer.forward(input)
        expectSameResult(layerOf({ ...d, states: false }, backend, 2, format).forward(input), whole)
        for (const b of new Set([0, d.seed % d.B, d.B - 1])) {
          expectSameBits(`row ${b}`, layer.forward(row(input, b)).output.data, rowOf(whole.output, b))
        }
      })
      fc.assert(property, { ...settings, numRuns: Math.ceil(settings.numRuns / 2) })
    },
  )

  it.each(formats)(
    '$weights × $activations: batchers and asynchronous calls give the bits of forward',
    async (format) => {
      const kinds = fc.sample(forwardOnly, { numRuns: 6, seed: settings.seed })
      for (const d of kinds) {
        const layer = layerOf({ ...d, T: 3 }, backend, 1, format) as AnyLayer & Asynchronous
        const { input } = callOf({ ...d, T: 3, states: false })
        const whole = layer.forward(input)
        expectSameResult(await layer.forwardAsync(input), whole)
        const batcher = layer.batcher()
        const streams = Array.from({ length: d.B }, () => batcher.open())
        for (let t = 0; t < 3; t++) {
          const outputs = await Promise.all(streams.map((stream, b) => stream.step(step(row(input, b), t))))
          for (const [b, output] of outputs.entries()) {
            expectSameBits(
              `step ${t} of row ${b}`,
              output,
              step(new Tensor(rowOf(whole.output, b), [3, 1, output.length]), t),
            )
          }
        }
        await batcher.close()
      }
    },
  )

  it.each(formats)(
    '$weights × $activations: a long row, whose input sums are made beside the steps',
    timeout,
    (format) => {
      const drawnSizes = { kind: 'GRU', variant: true, projects: false, general: false, P: 0, L: 1 } as const
      const rest = {
        bias: true,
        bidirectional: false,
        batchFirst: false,
        unbatched: false,
        states: true,
        ragged: false,
      }
      const d: Drawn = { ...drawnSizes, ...rest, I: 67, H: 131, T: 40, B: 2, seed: 5 }
      const layer = layerOf(d, backend, 1, format)
      const { input, options } = callOf(d)
      const whole = layer.forward(input, options)
      const stream = layer.stream({ batchSize: 2, ...options })
      for (let t = 0; t < d.T; t++) expectSameBits(`step ${t}`, stream.step(step(input, t)), step(whole.output, t))
    },
  )
})

interface Asynchronous {
  forwardAsync(input: Tensor): Promise<Result>
  batcher(): { open(): { step(frame: Float32Array): Promise<Float32Array> }; close(): Promise<void> }
}

describe.each(bitGroups.map((group) => ({ sharing: group, names: group.join(', ') })))(
  'between $names',
  ({ sharing }) => {
    it.each(formats)('$weights × $activations has the same bits', timeout, (format) => {
      const property = fc.property(small, (d) => {
        const { input, options } = callOf(d)
        const [first, ...others] = sharing.map((backend) => layerOf(d, backend, 1, format).forward(input, options))
        for (const other of others) expectSameResult(other, first)
      })
      fc.assert(property, all)
    })
  },
)
