/** Results in the caller's tensors: every path and layout, states kept in place, and memory that must not be shared. */
import { GRU, Linear, LSTM, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError, expectRejected, rejection } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

const filled = (...shape: number[]) => new Tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(7), shape)
const shared = (...shape: number[]) =>
  new Tensor(new Float32Array(new SharedArrayBuffer(4 * shape.reduce((a, b) => a * b, 1))), shape)
const copyOf = ({ data, shape }: Tensor) => new Tensor(data.slice(), shape)
const like = ({ output, hn, cn }: { output: Tensor; hn: Tensor; cn: Tensor }) => ({
  output: output && filled(...output.shape),
  hn: filled(...hn.shape),
  cn: filled(...cn.shape),
})
const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: object,
) => ArrayBuffer & { resize(length: number): void }

const ways = ['forward', 'forwardAsync'] as const

describe.each(backends)('out on %s', (backend) => {
  const lstm = new LSTM(5, 9, { numLayers: 3, bidirectional: true, seed: 3, backend })
  const first = new LSTM(5, 9, { projSize: 4, batchFirst: true, seed: 3, backend })
  const x = ramp(7, 3, 5)
  const cases: [string, LSTM, Tensor, object][] = [
    ['small', lstm, x, {}],
    ['an output that stays where it is written', lstm, ramp(40, 3, 5), {}],
    ['more than the arena', lstm, ramp(200, 9, 5), { lengths: [200, 199, 1, 0, 5, 6, 7, 8, 9] }],
    ['lengths', lstm, x, { lengths: [7, 0, 3] }],
    ['states', lstm, x, { h0: ramp(6, 3, 9), c0: ramp(6, 3, 9) }],
    ['unbatched', lstm, ramp(7, 5), {}],
    ['batch first, projected', first, ramp(3, 90, 5), { lengths: [3, 90, 0] }],
    ['no steps', lstm, ramp(0, 3, 5), {}],
    ['no rows', lstm, ramp(7, 0, 5), {}],
  ]

  describe.each(ways)('of %s', (way) => {
    it.each(cases)('gives the bits of new memory in the very tensors: %s', async (_, layer, input, options) => {
      const want = layer.forward(input, options)
      const out = like(want)
      const got = await layer[way](input, { ...options, out })
      expect(got.output).toBe(out.output)
      expect(got.hn).toBe(out.hn)
      expect(got.cn).toBe(out.cn)
      expect(got).toEqual(want)
      const { hn } = like(want)
      const part = await layer[way](input, { ...options, out: { hn } })
      expect(part).toEqual(want)
      expect(part.hn).toBe(hn)
      expect(await layer[way](input, { ...options, returnOutput: false, out: { cn: out.cn } })).toEqual({
        hn: want.hn,
        cn: want.cn,
      })
    })

    it('keeps states in place', async () => {
      for (const layer of [lstm, new LSTM(5, 9, { numLayers: 3, bidirectional: true, seed: 3, backend, threads: 3 })]) {
        for (const input of [x, ramp(300, 3, 5)]) {
          const [h, c] = [ramp(6, 3, 9), ramp(6, 3, 9)]
          const [inPlaceH, inPlaceC] = [copyOf(h), copyOf(c)]
          for (let turn = 0; turn < 3; turn++) {
            const lengths = [input.shape[0], 0, turn]
            const want = layer.forward(input, { h0: h, c0: c, lengths })
            const out = { hn: inPlaceH, cn: inPlaceC }
            expect(await layer[way](input, { h0: inPlaceH, c0: inPlaceC, lengths, out })).toEqual(want)
            h.data.set(want.hn.data)
            c.data.set(want.cn.data)
          }
        }
      }
    })

    it('writes to shared memory, odd views and resizable buffers', async () => {
      const want = lstm.forward(x)
      const output = shared(7, 3, 18)
      const hn = new Tensor(new Float32Array(new ArrayBuffer(4000), 12, 162), [6, 3, 9])
      const cn = new Tensor(new Float32Array(new Resizable(648, { maxByteLength: 2000 })), [6, 3, 9])
      const { output: o, hn: h, cn: c } = await lstm[way](x, { out: { output, hn, cn } })
      for (const [got, right] of [
        [o, want.output],
        [h, want.hn],
        [c, want.cn],
      ]) {
        expect([...got.data]).toEqual([...right.data])
      }
    })

    it('refuses what does not fit', async () => {
      const refused = async (out: unknown, code: 'ERR_RNN_SHAPE' | 'ERR_RNN_OPTION', words: string, more = {}) =>
        expectRejected((async () => lstm[way](x, { ...more, out: out as object }))(), code, words)
      await refused({ output: filled(7, 3, 9) }, 'ERR_RNN_SHAPE', 'Expected out.output size (7, 3, 18), got [7, 3, 9]')
      await refused({ hn: filled(6, 9) }, 'ERR_RNN_SHAPE', 'Expected out.hn size (6, 3, 9), got [6, 9]')
      await refused({ cn: filled(6, 1, 9) }, 'ERR_RNN_SHAPE', 'Expected out.cn size (6, 3, 9), got [6, 1, 9]')
      await refused(
        { hn: { data: new Float32Array(162), shape: [6, 3, 9] } },
        'ERR_RNN_OPTION',
        'out.hn must be a Tensor',
      )
      await refused({ hn: Object.create(Tensor.prototype) }, 'ERR_RNN_SHAPE', 'out.hn must be a Tensor')
      for (const wrong of [null, 0, false, 'hn', filled(6, 3, 9)]) {
        await refused(wrong, 'ERR_RNN_OPTION', 'out must be an object of tensors')
      }
      await refused({ y: filled(1) }, 'ERR_RNN_OPTION', "unknown option 'y' of out; it takes output, hn, cn")
      const words = 'out.output must be left out with returnOutput: false'
      await refused({ output: filled(7, 3, 18) }, 'ERR_RNN_OPTION', words, { returnOutput: false })
      const gru = new GRU(5, 9, { backend })
      await expectRejected(
        (async () => gru[way](x, { out: { cn: filled(1, 3, 9) } as object }))(),
        'ERR_RNN_OPTION',
        "unknown option 'cn' of out",
      )
    })

    it('refuses memory that is detached or too short, in words', async () => {
      const gone = filled(6, 3, 9)
      structuredClone(gone.data.buffer, { transfer: [gone.data.buffer as ArrayBuffer] })
      const buffer = new Resizable(648, { maxByteLength: 648 })
      const short = new Tensor(new Float32Array(buffer), [6, 3, 9])
      buffer.resize(100)
      for (const hn of [gone, short]) {
        await expectRejected(
          (async () => lstm[way](x, { out: { hn } }))(),
          'ERR_RNN_SHAPE',
          'out.hn.data must have length',
        )
      }
      const late = new Resizable(648, { maxByteLength: 648 })
      const hn = new Tensor(new Float32Array(late), [6, 3, 9])
      const out = {
        hn,
        get output() {
          late.resize(0)
          return undefined
        },
      }
      const lengths = new Proxy([7, 7, 7], {
        get(target, key) {
          late.resize(0)
          return Reflect.get(target, key)
        },
      })
      for (const options of [{ out }, { out: { hn }, lengths }]) {
        late.resize(648)
        await expectRejected((async () => lstm[way](x, options))(), 'ERR_RNN_SHAPE', 'out.hn.data must')
      }
    })

    it('refuses memory that is shared with an input or another result, and names both', async () => {
      const buffer = new Float32Array(new SharedArrayBuffer(4 * 1000))
      const clone = structuredClone(buffer) // the same memory in another object
      const at = (from: number, shape: number[], memory = buffer) =>
        new Tensor(memory.subarray(from, from + shape.reduce((a, b) => a * b)), shape)
      const S = [6, 3, 9]
      const refused = async (options: object, names: string) => {
        const before = buffer.slice()
        await expectRejected(
          (async () => lstm[way](at(0, [7, 3, 5]), options))(),
          'ERR_RNN_OPTION',
          `${names}, but they share memory`,
        )
        expect(buffer).toEqual(before)
      }
      for (const memory of [buffer, clone]) {
        await refused({ out: { output: at(104, [7, 3, 18], memory) } }, 'out.output must not overlap input')
        await refused({ out: { hn: at(0, S, memory) } }, 'out.hn must not overlap input')
        await refused(
          { h0: at(200, S), out: { hn: at(201, S, memory) } },
          'out.hn must not overlap h0, unless it is all of h0',
        )
        await refused({ h0: at(200, S), out: { cn: at(200, S, memory) } }, 'out.cn must not overlap h0')
        await refused({ c0: at(200, S), out: { hn: at(361, S, memory) } }, 'out.hn must not overlap c0')
        await refused({ out: { hn: at(200, S), cn: at(200, S, memory) } }, 'out.cn must not overlap out.hn')
        await refused(
          { out: { output: at(300, [7, 3, 18]), hn: at(200, S, memory) } },
          'out.hn must not overlap out.output',
        )
        const h0 = at(200, S)
        const [want, hn] = [lstm.forward(x, { h0 }).hn, at(200, S, memory)]
        expect([...(await lstm[way](x, { h0, out: { hn } })).hn.data]).toEqual([...want.data])
      }
      const apart = { output: at(200, [7, 3, 18]), hn: at(578, S), cn: at(740, S) }
      expect([...(await lstm[way](x, { out: apart })).output.data]).toEqual([...lstm.forward(x).output.data])
      const others = { hn: shared(6, 3, 9), cn: shared(6, 3, 9) }
      expect([...(await lstm[way](x, { out: others })).cn.data]).toEqual([...lstm.forward(x).cn.data])
    })
  })

  it('of forwardAsync stays as it was until the end, and where the call fails', async () => {
    const slow = new RNN(64, 64, { seed: 4, backend })
    const long = ramp(backend === 'typescript' ? 1_000 : 100_000, 1, 64)
    const out = { output: filled(...long.shape.slice(0, 2), 64), hn: filled(1, 1, 64) }
    const bytes = ({ buffer }: Float32Array) => Buffer.from(buffer)
    const before = bytes(out.output.data.slice())
    const unwritten = () => bytes(out.output.data).equals(before)
    const untouched = () => unwritten() && out.hn.data.every((value) => value === 7)
    const controller = new AbortController()
    const aborted = rejection(slow.forwardAsync(long, { out, signal: controller.signal }))
    await new Promise(setImmediate)
    controller.abort()
    await aborted
    // What was cancelled has left the pool when a call after it comes back.
    await slow.forwardAsync(long)
    expect(untouched()).toBe(true)
    const promise = slow.forwardAsync(long, { out })
    await new Promise(setImmediate)
    expect(untouched()).toBe(true)
    structuredClone(out.hn.data.buffer, { transfer: [out.hn.data.buffer as ArrayBuffer] })
    await expectRejected(promise, 'ERR_RNN_SHAPE', 'out.hn.data must keep its length 64 during the call, but has 0 now')
    expect(unwritten()).toBe(true)
    const { output } = await slow.forwardAsync(long, { out: { output: out.output } })
    expect(bytes(output.data).equals(bytes(slow.forward(long).output.data))).toBe(true)
  })
})

describe.each(backends)('out of Linear on %s', (backend) => {
  const linear = new Linear(5, 4, { seed: 1, backend })

  it.each([[[5]], [[3, 5]], [[2, 0, 5]], [[2, 3, 5]], [[700, 3, 5]]])('takes any leading shape: %j', (shape) => {
    const x = ramp(...shape)
    const out = filled(...shape.slice(0, -1), 4)
    const want = linear.forward(x)
    expect(linear.forward(x, { out })).toBe(out)
    expect(out).toEqual(want)
  })

  it('refuses what does not fit', () => {
    const x = ramp(2, 5)
    const refused = (options: unknown, code: 'ERR_RNN_SHAPE' | 'ERR_RNN_OPTION', words: string, input = x) =>
      expectError(() => linear.forward(input, options as object), code, words)
    refused({ out: filled(2, 5) }, 'ERR_RNN_SHAPE', 'Expected out size (2, 4), got [2, 5]')
    refused({ out: [[1]] }, 'ERR_RNN_OPTION', 'out must be a Tensor')
    refused(null, 'ERR_RNN_OPTION', 'the options of Linear.forward must be an object')
    refused({ into: x }, 'ERR_RNN_OPTION', "unknown option 'into' of Linear.forward")
    const memory = new Float32Array(30)
    const both = new Tensor(memory.subarray(0, 10), [2, 5])
    const words = 'out must not overlap input, but they share memory'
    refused({ out: new Tensor(memory.subarray(9, 17), [2, 4]) }, 'ERR_RNN_OPTION', words, both)
  })
})
