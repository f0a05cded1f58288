/** Streams: the bits of `forward` however a sequence is cut, saved, forked or reset, and a step that leaves nothing behind. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { GRU, LSTM, RNN, Stream, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

const I = 5
const H = 9
const T = 12
const kinds = [
  ['RNN', RNN, {}],
  ['RNN relu', RNN, { nonlinearity: 'relu' }],
  ['GRU', GRU, {}],
  ['GRU reset before', GRU, { resetAfter: false }],
  ['LSTM', LSTM, {}],
  ['LSTM projected', LSTM, { projSize: 4 }],
  ['LSTM peepholes', LSTM, { peepholes: true }],
] as const

function make(kind: (typeof kinds)[number], options: object = {}): LSTM {
  const [, Layer, own] = kind
  return new Layer(I, H, { seed: 1, numLayers: 2, ...own, ...options }) as LSTM
}

/** Time steps from … to of the first axis. */
function cut({ data, shape }: Tensor, from: number, to: number): Tensor {
  const size = data.length / shape[0]
  return new Tensor(data.slice(from * size, to * size), [to - from, ...shape.slice(1)])
}

describe.each(backends)('on %s', (backend) => {
  describe.each(kinds.map((kind) => [kind[0], kind] as const))('%s', (_, kind) => {
    const layer = make(kind, { backend })
    const B = 3
    const x = ramp(T, B, I)
    const whole = layer.forward(x)
    const O = whole.output.shape[2]
    const last = { hn: whole.hn, ...(whole.cn && { cn: whole.cn }) }
    const frame = (t: number) => x.data.slice(t * B * I, (t + 1) * B * I)
    const outputAt = (t: number) => whole.output.data.slice(t * B * O, (t + 1) * B * O)

    it('steps to the bits of forward, by step() and by step(frame)', () => {
      const a = layer.stream({ batchSize: B })
      const b = layer.stream({ batchSize: B })
      for (let t = 0; t < T; t++) {
        a.input.set(frame(t))
        expect(a.step()).toBe(undefined)
        expect(a.output).toEqual(outputAt(t))
        expect(b.step(frame(t))).toBe(b.output)
        expect(b.output).toEqual(outputAt(t))
        expect(b.input).toEqual(frame(t))
      }
      expect(a.state()).toEqual(last)
      expect(b.state()).toEqual(last)
    })

    it('runs to the bits of forward, however the sequence is cut', () => {
      for (const cuts of [
        [0, T],
        [0, 1, T],
        [0, 5, 5, 6, T],
        [0, 0, T - 1, T],
      ]) {
        const stream = layer.stream({ batchSize: B })
        for (let i = 1; i < cuts.length; i++) {
          const [from, to] = [cuts[i - 1], cuts[i]]
          expect(stream.run(cut(x, from, to))).toEqual(cut(whole.output, from, to))
          if (to > 0) expect(stream.output).toEqual(outputAt(to - 1))
        }
        expect(stream.state()).toEqual(last)
      }
    })

    it('mixes steps, runs, saved states and forks without a bit of difference', () => {
      let stream = layer.stream({ batchSize: B })
      const strays: Stream[] = []
      for (let t = 0; t < T; ) {
        const way = t % 4
        if (way === 0) stream.step(frame(t))
        else if (way === 1) stream.run(cut(x, t, t + 1))
        else if (way === 2) stream = layer.restoreStream(stream.save()) as typeof stream
        if (way === 2 || way === 3) {
          strays.push(stream)
          stream = stream.fork()
          stream.step(frame(t))
          strays.at(-1)!.step(new Float32Array(B * I).fill(9))
        }
        t++
        expect(stream.output).toEqual(outputAt(t - 1))
      }
      expect(stream.state()).toEqual(last)
    })

    it('begins with the states it is given, and resets to them', () => {
      const half = layer.forward(cut(x, 0, 5))
      const begin = { h0: half.hn, ...(half.cn && { c0: half.cn }) }
      const stream = layer.stream({ batchSize: B, ...begin })
      for (let round = 0; round < 2; round++) {
        expect(stream.run(cut(x, 5, T))).toEqual(cut(whole.output, 5, T))
        expect(stream.state()).toEqual(last)
        stream.reset(begin)
      }
      stream.reset()
      expect(stream.run(x)).toEqual(whole.output)
      stream.reset({})
      expect(stream.run(x)).toEqual(whole.output)
    })

    it('takes frames and states without the batch axis where the batch size is 1', () => {
      const one = new Tensor(ramp(T, I).data, [T, I])
      const result = layer.forward(one)
      const stream = layer.stream()
      expect(stream.run(one)).toEqual(result.output)
      stream.reset({ h0: result.hn, ...(result.cn && { c0: result.cn }) })
      expect(stream.state().hn).toEqual(new Tensor(result.hn.data, [2, 1, O]))
      stream.reset()
      expect(stream.run(new Tensor(one.data, [T, 1, I]))).toEqual(new Tensor(result.output.data, [T, 1, O]))
    })

    it('gives each row the same bits, whoever is beside it', () => {
      for (let b = 0; b < B; b++) {
        const alone = layer.stream()
        for (let t = 0; t < T; t++) {
          alone.step(frame(t).subarray(b * I, (b + 1) * I))
          expect(alone.output).toEqual(outputAt(t).subarray(b * O, (b + 1) * O))
        }
      }
    })

    it('moves its state to any backend by save()', () => {
      const stream = layer.stream({ batchSize: B })
      stream.run(cut(x, 0, 7))
      const bytes = stream.save()
      for (const other of backends) {
        const twin = make(kind, { backend: other })
        const restored = twin.restoreStream(bytes)
        expect(restored.state()).toEqual(stream.state())
        expect(restored.output).toEqual(stream.output)
        expect(restored.save()).toEqual(bytes)
        if (other === backend) expect(restored.run(cut(x, 7, T))).toEqual(cut(whole.output, 7, T))
      }
    })
  })

  const layer = new GRU(2, 3, { backend, seed: 1 })

  it('has arrays of fixed size over shared memory', () => {
    const { input, output } = layer.stream({ batchSize: 4 })
    expect([input.length, output.length]).toEqual([8, 12])
    expect(input.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(output.every((value) => value === 0)).toBe(true)
  })

  it('has a step that is bound to it', () => {
    const stream = layer.stream()
    const { step } = stream
    step(Float32Array.of(1, 2))
    expect(stream.output.toString()).toBe(layer.forward([[1, 2]]).output.data.toString())
  })

  it('gives copies of its state', () => {
    const stream = layer.stream()
    stream.step(Float32Array.of(1, 2))
    const before = stream.state()
    stream.state().hn.data.fill(7)
    expect(stream.state()).toEqual(before)
    expect(stream).toBeInstanceOf(Stream)
  })

  it('keeps the weights it was opened with, also past the layer’s end', () => {
    const own = new GRU(2, 3, { backend, seed: 1 })
    const stream = own.stream()
    const expected = layer.stream().run(ramp(4, 2))
    own.loadStateDict(new GRU(2, 3, { seed: 2 }).stateDict())
    expect(stream.fork().run(ramp(4, 2))).toEqual(expected)
    expectError(() => own.restoreStream(stream.save()), 'ERR_RNN_STATE', 'the saved state is of other weights')
    own.dispose()
    const saved = stream.save()
    expect(stream.fork().run(ramp(4, 2))).toEqual(expected)
    expect(stream.run(ramp(4, 2))).toEqual(expected)
    expect(layer.restoreStream(saved).run(ramp(4, 2))).toEqual(expected)
  })

  it('refuses every use after dispose, and disposes again in silence', () => {
    const stream = layer.stream()
    const { step } = stream
    stream.dispose()
    stream.dispose()
    stream[Symbol.dispose]()
    const words = 'the stream was disposed and cannot be used any more'
    const uses = [
      () => step(),
      () => stream.step(),
      () => stream.step(new Float32Array(2)),
      () => stream.run([[1, 2]]),
      () => stream.state(),
      () => stream.reset(),
      () => stream.fork(),
      () => stream.save(),
    ]
    for (const use of uses) expectError(use, 'ERR_RNN_DISPOSED', words)
    expect(layer.stream().run([[1, 2]]).shape).toEqual([1, 3])
  })

  it('a failed call leaves the state where it was', () => {
    const stream = layer.stream()
    stream.step(Float32Array.of(1, 2))
    const before = stream.state()
    const output = stream.output.slice()
    const wrong: (() => unknown)[] = [
      () => stream.step(new Float32Array(3)),
      () =>
        stream.run([
          [1, 2],
          [1, 2, 3],
        ]),
      () => stream.reset({ h0: [[1, 2]] }),
      () => stream.reset({ h0: [[1, 2, 3]], c0: [[1, 2, 3]] } as object),
    ]
    for (const call of wrong) expect(call).toThrow()
    expect(stream.state()).toEqual(before)
    expect(stream.output).toEqual(output)
  })

  // It is JavaScript's heap: emulated and sanitized runs would take a minute to see the same.
  it.skipIf(process.env.NATIVE_RNN_TESTED)('leaves nothing behind: the heap is the same after a million steps', () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const stream = new GRU(2, 3, { backend, seed: 1 }).stream()
    const frame = Float32Array.of(1, 2)
    const steps = (count: number) => {
      for (let i = 0; i < count; i++) stream.step()
      for (let i = 0; i < count; i++) stream.step(frame)
    }
    steps(20_000)
    gc()
    const before = process.memoryUsage()
    steps(500_000)
    const middle = process.memoryUsage()
    gc()
    const after = process.memoryUsage()
    // No garbage either: one small object a step would be 16 MB.
    expect(middle.heapUsed - before.heapUsed).toBeLessThan(2 ** 22)
    expect(after.heapUsed - before.heapUsed).toBeLessThan(2 ** 18)
    expect(after.external + after.arrayBuffers).toBeLessThanOrEqual(before.external + before.arrayBuffers + 2 ** 16)
  })
})
