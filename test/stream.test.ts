/** Streams: the bits of `forward` however a sequence is cut, saved, forked or reset, and a step that leaves nothing behind. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { GRU, LSTM, RNN, Stream, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from './backends.ts'
import { expectError } from './wrong.ts'

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

function ramp(...shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1)
  return new Tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.3 + 0.2)),
    shape,
  )
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

  it('leaves nothing behind: the heap is the same after a million steps', () => {
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

describe('what is refused', () => {
  const layer = new LSTM(2, 3, { seed: 1 })

  it('streams of bidirectional layers, with the reason', () => {
    const both = new LSTM(2, 3, { bidirectional: true })
    const why =
      'its backward direction begins at the end of the sequence, which a live stream has not seen; use forward'
    expectError(
      () => both.stream(),
      'ERR_RNN_OPTION',
      `stream needs a unidirectional layer, and this LSTM is bidirectional: ${why}`,
    )
    expectError(
      () => both.restoreStream(new Uint8Array(9)),
      'ERR_RNN_OPTION',
      'restoreStream needs a unidirectional layer',
    )
  })

  it('wrong options', () => {
    for (const wrong of [0, -1, 1.5, '2', null, 2 ** 20 + 1]) {
      const options = { batchSize: wrong as number }
      expectError(
        () => layer.stream(options),
        'ERR_RNN_OPTION',
        /^batchSize must be an integer from 1 to 1048576, got /,
      )
    }
    expectError(() => layer.stream({ batch: 2 } as object), 'ERR_RNN_OPTION', "unknown option 'batch' of LSTM.stream")
    expectError(() => layer.stream({ batch_size: 2 } as object), 'ERR_RNN_OPTION', "did you mean 'batchSize'?")
    expectError(
      () => new GRU(2, 3).stream({ c0: [[1, 2, 3]] } as object),
      'ERR_RNN_OPTION',
      'only an LSTM has a cell state',
    )
    expectError(
      () => new GRU(1, 8192, { bias: false }).stream({ batchSize: 2 ** 20 }),
      'ERR_RNN_OPTION',
      'batchSize 1048576 is too large',
    )
  })

  it('states that do not fit', () => {
    const zeros = (...shape: number[]) => new Tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape)
    expectError(
      () => layer.stream({ h0: zeros(1, 2, 3) }),
      'ERR_RNN_SHAPE',
      'Expected hidden[0] size (1, 1, 3), got [1, 2, 3] (h0)',
    )
    expectError(
      () => layer.stream({ c0: zeros(1, 4) }),
      'ERR_RNN_SHAPE',
      'Expected hidden[1] size (1, 3), got [1, 4] (c0)',
    )
    expectError(
      () => layer.stream({ batchSize: 2, h0: zeros(1, 3) }),
      'ERR_RNN_SHAPE',
      'For batched 3-D input, hx should also be 3-D but got 2-D tensor (h0)',
    )
    expectError(
      () => layer.stream().reset({ h0: zeros(2, 3) }),
      'ERR_RNN_SHAPE',
      'Expected hidden[0] size (1, 3), got [2, 3] (h0)',
    )
    expectError(
      () => layer.stream().reset({ hn: zeros(1, 3) } as object),
      'ERR_RNN_OPTION',
      "what a call gives back as hn goes in as 'h0'",
    )
    expectError(
      () => layer.stream().reset(null as unknown as object),
      'ERR_RNN_OPTION',
      'the options of Stream.reset must be an object, got null',
    )
  })

  it('frames that do not fit', () => {
    const stream = layer.stream({ batchSize: 2 })
    const step = stream.step as (frame: unknown) => void
    expectError(() => step(new Float32Array(3)), 'ERR_RNN_SHAPE', 'frame must have length B·I = 4, got 3')
    expectError(
      () => step([1, 2, 3, 4]),
      'ERR_RNN_SHAPE',
      'frame must be a Float32Array of B·I = 4 values, got an array of length 4',
    )
    expectError(() => step(new Float64Array(4)), 'ERR_RNN_SHAPE', 'got a Float64Array of length 4')
    expectError(() => step(undefined), 'ERR_RNN_SHAPE', 'frame must be a Float32Array of B·I = 4 values, got undefined')
    expectError(() => step(null), 'ERR_RNN_SHAPE', 'got null')
    const detached = new Float32Array(4)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    expectError(() => step(detached), 'ERR_RNN_SHAPE', 'frame must have length B·I = 4, got 0')
    step(runInNewContext('new Float32Array(4)'))
    expectError(
      () => stream.run([[1, 2]]),
      'ERR_RNN_SHAPE',
      'Expected frames to be 3-D (T, B, I), as the stream has batch size 2, but received 2-D tensor',
    )
    expectError(() => stream.run([[[1, 2]]]), 'ERR_RNN_SHAPE', 'Expected frames of shape (1, 2, 2), got [1, 1, 2]')
    expectError(
      () =>
        stream.run([
          [
            [1, 2, 3],
            [1, 2, 3],
          ],
        ]),
      'ERR_RNN_SHAPE',
      'frames.size(-1) must be equal to input_size. Expected 2, got 3',
    )
    expectError(
      () => layer.stream().run([1, 2]),
      'ERR_RNN_SHAPE',
      'Expected frames to be 2-D (T, I) or 3-D (T, B, I) but received 1-D tensor',
    )
    expectError(
      () => layer.stream().run(new Float32Array(2) as unknown as Tensor),
      'ERR_RNN_SHAPE',
      'a typed array has no shape',
    )
  })

  it('a Stream made by hand', () => {
    const Made = Stream as unknown as new (...values: unknown[]) => Stream
    expectError(() => new Made(), 'ERR_RNN_OPTION', 'streams are opened by layer.stream()')
    expectError(() => new Made({}, 1), 'ERR_RNN_OPTION', 'streams are opened by layer.stream()')
  })

  describe('saved states', () => {
    const stream = layer.stream({ batchSize: 2 })
    stream.step(Float32Array.of(1, 2, 3, 4))
    const bytes = stream.save()

    it('of other weights, sizes or cells', () => {
      const words = 'the saved state is of other weights'
      expectError(() => new LSTM(2, 3, { seed: 2 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
      expectError(() => new LSTM(2, 4, { seed: 1 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
      expectError(() => new LSTM(2, 3, { seed: 1, numLayers: 2 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
      expectError(() => new GRU(2, 3, { seed: 1 }).restoreStream(bytes), 'ERR_RNN_STATE', words)
      const tanh = new RNN(2, 3, { seed: 1 })
      const relu = RNN.fromStateDict(tanh.stateDict(), { nonlinearity: 'relu' })
      expectError(() => relu.restoreStream(tanh.stream().save()), 'ERR_RNN_STATE', words)
      const nudged = layer.stateDict()
      nudged.bias_hh_l0.data[0] += 1e-3
      expectError(() => LSTM.fromStateDict(nudged).restoreStream(bytes), 'ERR_RNN_STATE', words)
      expect(LSTM.fromStateDict(layer.stateDict()).restoreStream(bytes).save()).toEqual(bytes)
    })

    it('with any byte changed, any length cut off or added', () => {
      for (let i = 0; i < bytes.length; i++) {
        const damaged = bytes.slice()
        damaged[i] ^= 1 << (i % 8)
        expectError(() => layer.restoreStream(damaged), 'ERR_RNN_STATE', /saved state|begin with its mark/)
        expectError(() => layer.restoreStream(bytes.slice(0, i)), 'ERR_RNN_STATE', /./)
      }
      const longer = new Uint8Array(bytes.length + 4)
      longer.set(bytes)
      expectError(
        () => layer.restoreStream(longer),
        'ERR_RNN_STATE',
        'the saved state is damaged: its checksum does not match its bytes',
      )
    })

    it('says what it is', () => {
      const version = bytes.slice()
      version[7] = 9
      expectError(() => layer.restoreStream(version), 'ERR_RNN_STATE', 'the saved state has format version 9')
      expectError(() => layer.restoreStream(new Uint8Array(100)), 'ERR_RNN_STATE', 'do not begin with its mark')
      expectError(
        () => layer.restoreStream(bytes.slice(0, 50)),
        'ERR_RNN_STATE',
        'the saved state is cut short: it has only 50 bytes',
      )
      for (const wrong of [undefined, null, 'bytes', [1, 2], new ArrayBuffer(9), new Float32Array(9)]) {
        const words = 'bytes must be the Uint8Array that save() gave, got'
        expectError(() => layer.restoreStream(wrong as unknown as Uint8Array), 'ERR_RNN_STATE', words)
      }
    })

    it('come back from a Buffer, a view, and shared memory', () => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3)
      shared.set(bytes)
      for (const copy of [Buffer.from(bytes), shared]) {
        expect(layer.restoreStream(copy).state()).toEqual(stream.state())
      }
    })

    it('keep NaN and infinity', () => {
      const odd = layer.stream({ h0: [[Number.NaN, Infinity, -0]] })
      expect(layer.restoreStream(odd.save()).state()).toEqual(odd.state())
    })
  })
})
