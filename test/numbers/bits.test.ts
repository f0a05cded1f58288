/** The promise of bits: a row's result depends on the weights and that row's own inputs, on nothing else. */
import fc from 'fast-check'
import { type Result, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends, bitGroups, nativeBackends } from '../support/backends.ts'
import { type AnyLayer, callOf, type Drawn, drawn, layerOf, tensorsOf } from '../support/networks.ts'

const numRuns = Math.ceil(Number(process.env.NATIVE_RNN_RUNS ?? 1000) / 5)
const seed = 20_240_607
const timeout = { timeout: 600_000 }

function expectSameBits(name: string, a: Float32Array, b: Float32Array): void {
  expect(a.length, name).toBe(b.length)
  const [x, y] = [new Uint32Array(a.buffer, a.byteOffset, a.length), new Uint32Array(b.buffer, b.byteOffset, b.length)]
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) expect.fail(`${name}[${i}]: ${a[i]} is not ${b[i]}`)
}

function expectSameResult(name: string, a: Result, b: Result): void {
  const expected = new Map(tensorsOf(b))
  for (const [part, { data, shape }] of tensorsOf(a)) {
    expect(shape).toEqual(expected.get(part)?.shape)
    expectSameBits(`${name}: ${part}`, data, expected.get(part)!.data)
  }
}

/** Some rows of the batch, in a new order: axis 1, or axis 0 of batchFirst inputs and outputs. */
function pick({ data, shape }: Tensor, axis: number, rows: readonly number[]): Tensor {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1)
  const outer = axis === 0 ? 1 : shape[0]
  const picked = new Float32Array(outer * rows.length * inner)
  for (let a = 0; a < outer; a++) {
    rows.forEach((row, i) => {
      const from = (a * shape[axis] + row) * inner
      picked.set(data.subarray(from, from + inner), (a * rows.length + i) * inner)
    })
  }
  return new Tensor(picked, shape.with(axis, rows.length))
}

function pickCall(d: Drawn, rows: readonly number[]): { input: Tensor; options: object } {
  const { input, options } = callOf(d)
  return {
    input: pick(input, d.batchFirst ? 0 : 1, rows),
    options: {
      ...(options.h0 && { h0: pick(options.h0, 1, rows) }),
      ...(options.c0 && { c0: pick(options.c0, 1, rows) }),
      ...(options.lengths && { lengths: rows.map((row) => options.lengths![row]) }),
    },
  }
}

function pickResult(d: Drawn, result: Result, rows: readonly number[]): Result {
  const picked = tensorsOf(result).map(([name, tensor]) => [
    name,
    pick(tensor, name === 'output' && d.batchFirst ? 0 : 1, rows),
  ])
  return Object.fromEntries(picked)
}

/** A few ways to choose rows: one alone, all backwards, some twice. */
function choices(B: number, seed: number): number[][] {
  const all = Array.from({ length: B }, (_, b) => b)
  return [[seed % B], all.toReversed(), all.filter((b) => (seed >> (b % 31)) & 1), [...all, ...all]].filter(
    (rows) => rows.length > 0,
  )
}

/** Steps from … to of a (T, B, I) tensor. */
function span({ data, shape }: Tensor, from: number, to: number): Tensor {
  const size = shape.slice(1).reduce((product, length) => product * length, 1)
  return new Tensor(data.slice(from * size, to * size), [to - from, ...shape.slice(1)])
}

const batched = drawn.map((d): Drawn => ({ ...d, unbatched: false }))
const forwardOnly = batched.map((d): Drawn => ({ ...d, bidirectional: false, batchFirst: false, ragged: false }))

// WebAssembly has the kernels of a native table, TypeScript few ways to compute, and both take most of the time: a quarter of the runs.
const backendRuns = backends.map((backend) => ({
  backend,
  runs: nativeBackends.includes(backend) ? numRuns : Math.ceil(numRuns / 4),
}))

describe.each(backendRuns)('on $backend', ({ backend, runs }) => {
  const settings = { numRuns: runs, seed }

  it(`${runs} random networks: whoever stands beside a row, and wherever it stands`, timeout, () => {
    const property = fc.property(batched, (d) => {
      const layer = layerOf(d, backend)
      const { input, options } = callOf(d)
      const whole = layer.forward(input, options)
      for (const rows of choices(d.B, d.seed)) {
        const part = pickCall(d, rows)
        expectSameResult(`rows ${rows}`, layer.forward(part.input, part.options), pickResult(d, whole, rows))
      }
    })
    fc.assert(property, settings)
  })

  it(`${runs} random networks: however the sequence is cut, by forward, run or step`, timeout, () => {
    const property = fc.property(forwardOnly, fc.nat(40), (d, place) => {
      const layer = layerOf(d, backend)
      const { input, options } = callOf(d)
      const whole = layer.forward(input, options)
      const cut = d.T === 0 ? 0 : place % (d.T + 1)
      const first = layer.forward(span(input, 0, cut), options)
      const begin = { h0: first.hn, ...(first.cn && { c0: first.cn }) }
      const second = layer.forward(span(input, cut, d.T), begin)
      expectSameBits('output before the cut', first.output.data, span(whole.output, 0, cut).data)
      expectSameBits('output after the cut', second.output.data, span(whole.output, cut, d.T).data)
      expectSameResult('states', second, { ...whole, output: second.output })
      expectStreams(d, layer, input, options, whole, cut)
    })
    fc.assert(property, settings)
  })

  it('one row of many steps, of any length', timeout, () => {
    // Sizes whose weights pass a first-level cache: the input sums of later steps are then made beside the steps.
    const long = fc.record({ H: fc.constantFrom(72, 100, 128, 131), I: fc.constantFrom(2, 67, 140), T: fc.nat(50) })
    const property = fc.property(batched, long, (d, sizes) => {
      const pair = { ...d, ...sizes, B: 2, L: 1, ragged: false }
      const layer = layerOf(pair, backend)
      const { input, options } = callOf(pair)
      const both = layer.forward(input, options)
      const alone = pickCall(pair, [1])
      expectSameResult(`T = ${pair.T}`, layer.forward(alone.input, alone.options), pickResult(pair, both, [1]))
    })
    fc.assert(property, { ...settings, numRuns: Math.ceil(runs / 2) })
  })

  // WebAssembly has one.
  it.skipIf(backend === 'wasm')('any number of threads', timeout, () => {
    // Sizes at which the work is worth sharing: by rows, directions, layers, and the units of one step.
    const worth = fc.record({
      H: fc.constantFrom(64, 67, 128, 256, 300),
      I: fc.constantFrom(3, 64, 256),
      T: fc.constantFrom(1, 7, 30),
      B: fc.constantFrom(1, 2, 5, 32, 70),
    })
    const large = backend === 'typescript' ? drawn : fc.tuple(drawn, worth).map(([d, sizes]) => ({ ...d, ...sizes }))
    const property = fc.property(fc.oneof(drawn, large), fc.integer({ min: 2, max: 5 }), (d, threads) => {
      const { input, options } = callOf(d)
      const one = layerOf(d, backend).forward(input, options)
      expectSameResult(`${threads} threads`, layerOf(d, backend, threads).forward(input, options), one)
    })
    fc.assert(property, settings)
  })

  it('layouts and skipped outputs', timeout, () => {
    const property = fc.property(batched, (d) => {
      const { input, options } = callOf(d)
      const layer = layerOf(d, backend)
      const { output, ...last } = layer.forward(input, options)
      const { hn, cn } = layer.forward(input, { ...options, returnOutput: false })
      expectSameResult('without output', { output, hn, ...(cn && { cn }) }, { output, ...last })
      const swapped = { ...d, batchFirst: !d.batchFirst }
      const turned = transposed(input)
      const other = layerOf(swapped, backend).forward(turned, options)
      expectSameResult('other layout', other, { output: transposed(output), ...last })
    })
    fc.assert(property, settings)
  })
})

function expectStreams(d: Drawn, layer: AnyLayer, input: Tensor, options: object, whole: Result, cut: number): void {
  let stream = layer.stream({ batchSize: d.B, ...options })
  expectSameBits('run', stream.run(span(input, 0, cut)).data, span(whole.output, 0, cut).data)
  stream = layer.restoreStream(stream.save()).fork()
  for (let t = cut; t < d.T; t++) {
    stream.step(span(input, t, t + 1).data)
    expectSameBits(`step ${t}`, stream.output, span(whole.output, t, t + 1).data)
  }
  expectSameBits('hn', stream.state().hn.data, whole.hn.data)
  if (whole.cn) expectSameBits('cn', stream.state().cn!.data, whole.cn.data)
}

function transposed({ data, shape }: Tensor): Tensor {
  const [A, B, C] = shape
  const moved = new Float32Array(data.length)
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) moved.set(data.subarray((a * B + b) * C, (a * B + b + 1) * C), (b * A + a) * C)
  }
  return new Tensor(moved, [B, A, C])
}

describe.each(bitGroups.map((group) => ({ sharing: group, names: group.join(', ') })))(
  'between $names',
  ({ sharing }) => {
    it(`${numRuns} random networks have the same bits`, timeout, () => {
      const property = fc.property(drawn, (d) => {
        const { input, options } = callOf(d)
        const [first, ...others] = sharing.map((backend) => layerOf(d, backend).forward(input, options))
        others.forEach((result, i) => {
          expectSameResult(sharing[i + 1], result, first)
        })
      })
      fc.assert(property, { numRuns, seed })
    })
  },
)
