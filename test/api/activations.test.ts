/** The options that say what a cell computes with: functions, clip, inputForget; what they take, and what they refuse. */
import { type Activation, type ActivationName, GRU, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { expectError } from '../support/errors.ts'

const frames = [
  [1, -2, 0.5],
  [-0.25, 3, 1],
  [0.5, 0.5, -4],
]

describe.each(backends)('on %s', (backend) => {
  const common = { seed: 7, backend } as const

  it('functions that are the defaults change no bit', () => {
    const pairs = [
      [new RNN(3, 5, common), new RNN(3, 5, { ...common, nonlinearity: { name: 'tanh' } })],
      [new GRU(3, 5, common), new GRU(3, 5, { ...common, functions: { gate: 'sigmoid', candidate: 'tanh' } })],
      [new LSTM(3, 5, common), new LSTM(3, 5, { ...common, functions: {}, inputForget: false })],
    ] as const
    for (const [plain, spelled] of pairs) {
      expect(spelled.forward(frames)).toEqual(plain.forward(frames))
      // The same network: a state goes from one to the other.
      expect(spelled.restoreStream(plain.stream().save()).step(Float32Array.of(1, 2, 3))).toHaveLength(5)
    }
  })

  it('a bound that nothing reaches gives what there is without one', () => {
    const plain = new LSTM(3, 5, common).forward(frames)
    const bounded = new LSTM(3, 5, { ...common, clip: 100 }).forward(frames)
    for (const name of ['output', 'hn', 'cn'] as const) {
      for (const [i, value] of plain[name].data.entries()) expect(bounded[name].data[i]).toBeCloseTo(value, 6)
    }
  })

  it('clip bounds what enters, not what leaves', () => {
    const weights = { weight_ih_l0: [[10], [-10]], weight_hh_l0: Array(2).fill([0, 0]) }
    const layer = RNN.fromStateDict(weights, { backend, nonlinearity: 'affine', clip: 0.75 })
    expect([...layer.forward([[1]]).hn.data]).toEqual([0.75, -0.75])
    const shifted = RNN.fromStateDict(weights, {
      backend,
      clip: 0.75,
      nonlinearity: { name: 'affine', alpha: 2, beta: 1 },
    })
    expect([...shifted.forward([[1]]).hn.data]).toEqual([2.5, -0.5])
    expect(shifted.forward([[Number.NaN]]).hn.data).toEqual(Float32Array.of(Number.NaN, Number.NaN))
    expect([...shifted.forward([[Infinity]]).hn.data]).toEqual([2.5, -0.5])
  })

  it('an LSTM bounds its cell state on the way to the output, and keeps it', () => {
    const weights = { weight_ih_l0: [[0], [0], [0], [0]], weight_hh_l0: [[0], [0], [0], [0]] }
    const bias = { bias_ih_l0: [20, 20, 20, 20], bias_hh_l0: [0, 0, 0, 0] }
    const affine = { gate: 'sigmoid', candidate: 'affine', output: 'affine' } as const
    const layer = LSTM.fromStateDict({ ...weights, ...bias }, { backend, functions: affine, clip: 25 })
    const { output, cn } = layer.forward([[0], [0], [0]])
    expect(cn.data[0]).toBeCloseTo(60, 4)
    for (const [t, wanted] of [20, 25, 25].entries()) expect(output.data[t]).toBeCloseTo(wanted, 4)
  })

  it('inputForget makes the forget gate 1 − i, whatever its weights are', () => {
    const layer = new LSTM(3, 5, { ...common, inputForget: true })
    const weights = layer.stateDict()
    weights.weight_ih_l0.data.fill(9, 5 * 3, 10 * 3)
    expect(LSTM.fromStateDict(weights, { backend, inputForget: true }).forward(frames)).toEqual(layer.forward(frames))
    const { cn } = layer.forward([frames[0]])
    const c0 = [Array<number>(5).fill(1)]
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
    for (let j = 0; j < 5; j++) {
      const sum = (gate: number) =>
        frames[0].reduce((all, x, k) => all + x * weights.weight_ih_l0.data[(gate * 5 + j) * 3 + k], 0) +
        weights.bias_ih_l0.data[gate * 5 + j] +
        weights.bias_hh_l0.data[gate * 5 + j]
      const i = sigmoid(sum(0))
      expect(cn.data[j]).toBeCloseTo(i * Math.tanh(sum(2)), 5)
      expect(layer.forward([frames[0]], { c0 }).cn.data[j]).toBeCloseTo(1 - i + i * Math.tanh(sum(2)), 5)
    }
  })

  it('every layer and direction has them, and a handle and a saved state carry them', () => {
    const options = {
      ...common,
      numLayers: 2,
      clip: 1.5,
      functions: { gate: { name: 'hardSigmoid', alpha: 1 / 6 }, candidate: 'softsign', output: 'elu' },
    } as const
    const both = new LSTM(3, 4, { ...options, bidirectional: true })
    expect(LSTM.fromShared(structuredClone(both.share())).forward(frames)).toEqual(both.forward(frames))
    const layer = new LSTM(3, 4, options)
    const shared = LSTM.fromShared(structuredClone(layer.share()))
    const stream = layer.stream()
    const steps = frames.map((frame) => [...stream.step(Float32Array.from(frame))])
    expect(steps.flat()).toEqual([...layer.forward(frames).output.data])
    const saved = stream.save()
    expect(shared.restoreStream(saved).step(Float32Array.of(1, 2, 3))).toEqual(stream.step(Float32Array.of(1, 2, 3)))
    const others: object[] = [
      { ...options, clip: 1.25 },
      { ...options, inputForget: true },
      { ...options, functions: { ...options.functions, output: 'tanh' } },
      { ...options, functions: { ...options.functions, gate: 'hardSigmoid' } },
      { seed: options.seed, numLayers: 2, backend },
    ]
    for (const other of others) {
      expectError(() => new LSTM(3, 4, other).restoreStream(saved), 'ERR_RNN_STATE', 'other weights')
    }
  })

  it('a batch, a promise and a batcher give the same bits', async () => {
    const layer = new GRU(3, 17, {
      ...common,
      resetAfter: false,
      clip: 2,
      functions: { gate: 'softplus', candidate: 'elu' },
    })
    const rows = frames.map((frame, b) => frames.map((_, t) => frame.map((value) => value * (1 + b - t))))
    const batch = frames.map((_, t) => rows.map((row) => row[t]))
    const whole = layer.forward(batch)
    expect(await layer.forwardAsync(batch)).toEqual(whole)
    const batcher = layer.batcher()
    const streams = rows.map(() => batcher.open())
    for (const [t, frame] of batch.entries()) {
      const outputs = await Promise.all(streams.map((stream, b) => stream.step(Float32Array.from(frame[b]))))
      expect(outputs.flatMap((output) => [...output])).toEqual([
        ...whole.output.data.subarray(t * 3 * 17, (t + 1) * 3 * 17),
      ])
    }
    for (const [b, row] of rows.entries()) {
      const alone = layer.forward(row)
      expect(alone.hn.data).toEqual(whole.hn.data.subarray(b * 17, (b + 1) * 17))
    }
    await batcher.close()
  })
})

describe('what an activation is', () => {
  it('an RNN shows its own, with factors only where it has any', () => {
    const shown = (nonlinearity: Activation, clip?: number) => new RNN(2, 2, { nonlinearity, clip }).nonlinearity
    expect(shown('relu')).toBe('relu')
    expect(shown('relu', 2)).toBe('relu')
    expect(shown({ name: 'softsign' })).toBe('softsign')
    expect(shown('leakyRelu')).toEqual({ name: 'leakyRelu', alpha: Math.fround(0.01) })
    expect(shown({ name: 'hardSigmoid', alpha: 0.25 })).toEqual({ name: 'hardSigmoid', alpha: 0.25, beta: 0.5 })
  })

  it.each<[string, object, string]>([
    ['an unknown name', { nonlinearity: 'gelu' }, "nonlinearity must be one of 'tanh', 'sigmoid', 'relu'"],
    ['ONNX’s spelling', { nonlinearity: 'HardSigmoid' }, 'got "HardSigmoid"'],
    ['no name', { nonlinearity: {} }, "nonlinearity.name must be one of 'tanh'"],
    ['a name that is none', { nonlinearity: { name: 'constructor' } }, 'nonlinearity.name must be one of'],
    ['a list', { nonlinearity: ['tanh'] }, 'got an array of length 1'],
    [
      'a factor that is none',
      { nonlinearity: { name: 'elu', alpha: '1' } },
      'nonlinearity.alpha must be a finite float32 number, got "1"',
    ],
    ['a factor beyond float32', { nonlinearity: { name: 'elu', alpha: 1e39 } }, 'got 1e+39'],
    [
      'a factor of a function without',
      { nonlinearity: { name: 'tanh', alpha: 1 } },
      'nonlinearity.alpha must be left out: tanh has no alpha',
    ],
    [
      'a beta of a function without',
      { nonlinearity: { name: 'elu', beta: 1 } },
      'nonlinearity.beta must be left out: elu has no beta',
    ],
    ['an unknown property', { nonlinearity: { name: 'elu', gamma: 1 } }, "unknown option 'gamma' of nonlinearity"],
    ['a bound of 0', { clip: 0 }, 'clip must be a finite float32 number above 0, got 0'],
    ['a bound below 0', { clip: -1 }, 'got -1'],
    ['a bound that float32 does not have', { clip: 1e-50 }, 'got 1e-50'],
    ['no bound', { clip: Infinity }, 'got Infinity'],
    ['a bound that is no number', { clip: '3' }, 'got "3"'],
    ['functions, which an RNN has not', { functions: {} }, "unknown option 'functions' of RNN"],
  ])('refuses %s', (_, options, words) => {
    expectError(() => new RNN(2, 2, options), 'ERR_RNN_OPTION', words)
  })

  it('refuses functions that the class does not have', () => {
    const words = "unknown option 'output' of functions"
    expectError(() => new GRU(2, 2, { functions: { output: 'tanh' } as object }), 'ERR_RNN_OPTION', words)
    expectError(() => new GRU(2, 2, { inputForget: true } as object), 'ERR_RNN_OPTION', "unknown option 'inputForget'")
    expectError(
      () => new LSTM(2, 2, { functions: 'tanh' as unknown as object }),
      'ERR_RNN_OPTION',
      'functions must be an object',
    )
    const gate = 'tanhh' as ActivationName
    expectError(() => new LSTM(2, 2, { functions: { gate } }), 'ERR_RNN_OPTION', "functions.gate must be one of 'tanh'")
    expectError(
      () => LSTM.fromStateDict({}, { functions: { gate } }),
      'ERR_RNN_OPTION',
      "functions.gate must be one of 'tanh'",
    )
  })

  it('a handle whose functions were changed is refused', () => {
    const handle = new GRU(2, 3, { clip: 2 }).share()
    const { spec } = handle as unknown as { spec: { functions: { directions: object[][] } } }
    const { functions } = spec
    const wrong: [object | undefined, string][] = [
      [undefined, 'handle.spec.functions.directions[0][0].name must be one of'],
      [{ ...functions, clip: -1 }, 'handle.spec.functions.clip must be'],
      [{ ...functions, inputForget: 1 }, 'handle.spec.functions.inputForget must be a boolean'],
      [{ ...functions, directions: [[{ name: 'tanh', alpha: Number.NaN, beta: 0 }]] }, 'directions[0][0].alpha'],
      [{ ...functions, directions: [[functions.directions[0][0]]] }, 'directions[0][1].name must be one of'],
    ]
    for (const [changed, words] of wrong) {
      const other = { ...handle, spec: { ...spec, functions: changed } }
      expectError(() => GRU.fromShared(other as unknown as typeof handle), 'ERR_RNN_OPTION', words)
    }
  })
})
