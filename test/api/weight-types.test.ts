/** The options `weights` and `activations`: what they take, what layers then keep and show, and where they are refused. */
import {
  Embedding,
  fromKeras,
  fromOnnxNode,
  GRU,
  Linear,
  LSTM,
  RNN,
  readOnnx,
  Tensor,
  type WeightType,
} from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { printed } from '../support/child.ts'
import { expectError } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

const kinds = ['f32', 'f16', 'bf16', 'int8'] as const
const small = ['f16', 'bf16', 'int8'] as const
const bytesOf = { f32: 4, f16: 2, bf16: 2, int8: 1 } as const
const x = ramp(4, 2, 3)

/** A value as a format keeps it, found by search: the nearest of two neighbours, the even one where both are as near. */
function nearest(value: number, fraction: number, leastExponent: number): number {
  if (value === 0) return value
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), leastExponent) - fraction)
  const below = Math.floor(value / step)
  const [down, up] = [value - below * step, (below + 1) * step - value]
  return (down < up || (down === up && below % 2 === 0) ? below : below + 1) * step
}

describe('rounding', () => {
  const rounded = (weights: WeightType, values: readonly number[]) =>
    Embedding.fromStateDict({ weight: [values] }, { weights }).forward([0]).data
  const values = Array.from({ length: 4000 }, (_, i) => Math.fround(Math.sin(i) * 2 ** ((i % 60) - 40)))
  // Half way between two numbers, below the least normal one, the least of all, and what rounds to 0.
  const ties = [
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    2049,
    2051,
    2 ** -14,
    2 ** -24,
    2 ** -25,
    3 * 2 ** -25,
    2 ** -26,
    65504,
    65519,
  ]
  const bfloatTies = [1 + 2 ** -8, 1 + 3 * 2 ** -8, 2 ** -130, 3e38, 2 ** -133]

  it('to binary16 goes to the nearest number, ties to the even one', () => {
    const list = [...values, ...ties, ...ties.map((value) => -value), 0].filter((value) => Math.abs(value) < 65520)
    expect([...rounded('f16', list)].map(Math.abs)).toEqual(list.map((value) => Math.abs(nearest(value, 10, -14))))
  })

  it('to bfloat16 goes to the nearest number, ties to the even one', () => {
    const list = [...values, ...bfloatTies, ...bfloatTies.map((value) => -value)]
    expect([...rounded('bf16', list)].map(Math.abs)).toEqual(list.map((value) => Math.abs(nearest(value, 7, -126))))
  })

  it('leaves every finite number of both formats as it is', () => {
    const bits = Array.from({ length: 2 ** 16 }, (_, i) => i)
    const half = (b: number) => {
      const [exponent, fraction] = [(b >> 10) & 31, b & 1023]
      return (b & 0x8000 ? -1 : 1) * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24)
    }
    const halves = bits.filter((b) => ((b >> 10) & 31) < 31).map(half)
    expect(rounded('f16', halves)).toEqual(Float32Array.from(halves))
    const words = Uint32Array.from(
      bits.filter((b) => ((b >> 7) & 255) < 255),
      (b) => b << 16,
    )
    const brains = new Float32Array(words.buffer)
    expect(rounded('bf16', [...brains])).toEqual(brains)
  })
})

describe.each(backends)('on %s', (backend) => {
  const make = (weights?: WeightType, activations?: 'f32' | 'int8') =>
    ({
      RNN: new RNN(3, 8, { seed: 1, bidirectional: true, weights, activations, backend }),
      GRU: new GRU(3, 8, { seed: 1, numLayers: 2, bias: false, weights, activations, backend }),
      LSTM: new LSTM(3, 8, { seed: 1, projSize: 4, peepholes: true, weights, activations, backend }),
      Linear: new Linear(3, 8, { seed: 1, weights, activations, backend }),
    }) as const

  it.each(kinds)('memory() tells the bytes of weights kept in %s', (weights) => {
    const layers = { ...make(weights), Embedding: new Embedding(5, 6, { seed: 1, weights, backend }) }
    for (const [name, layer] of Object.entries(layers)) {
      let bytes = 0
      for (const { shape } of Object.values(layer.stateDict())) {
        const [rows, columns = 0] = shape
        if (columns === 0) bytes += 4 * rows
        else bytes += rows * columns * bytesOf[weights] + (weights === 'int8' ? 4 * rows : 0)
      }
      // Compiled backends pad rows to whole vectors.
      const isPadded = backend !== 'typescript' && name !== 'Embedding'
      if (isPadded) expect(layer.memory().weights, name).toBeGreaterThanOrEqual(bytes)
      else expect({ name, ...layer.memory() }).toEqual({ name, weights: bytes })
      layer.dispose()
      expectError(() => layer.memory(), 'ERR_RNN_DISPOSED', 'was disposed')
    }
  })

  it('float32 is what a layer without the options has', () => {
    const [plain, named] = [make(), make('f32', 'f32')]
    for (const name of ['RNN', 'GRU', 'LSTM'] as const) {
      expect(named[name].stateDict()).toEqual(plain[name].stateDict())
      expect(named[name].forward(x)).toEqual(plain[name].forward(x))
    }
  })

  it.each(['f16', 'bf16'] as const)('a state dict of %s goes round without a change', (weights) => {
    const layers = make(weights)
    const again = make(weights)
    for (const name of ['RNN', 'GRU', 'LSTM', 'Linear'] as const) {
      const dict = layers[name].stateDict()
      again[name].loadStateDict(dict)
      expect(again[name].stateDict()).toEqual(dict)
      expect(again[name].memory()).toEqual(layers[name].memory())
    }
  })

  it('loading other weights keeps the format', () => {
    const lstm = new LSTM(3, 8, { weights: 'int8', activations: 'int8', seed: 1, backend })
    const other = new LSTM(3, 8, { weights: 'int8', activations: 'int8', seed: 2, backend })
    const before = lstm.memory()
    lstm.loadStateDict(new LSTM(3, 8, { seed: 2, backend }).stateDict())
    expect(lstm.memory()).toEqual(before)
    expect(lstm.forward(x)).toEqual(other.forward(x))
  })

  it('the state dict of int8 has a scale for each row', () => {
    const dict = new GRU(3, 8, { seed: 1, backend }).stateDict()
    const kept = GRU.fromStateDict(dict, { weights: 'int8', backend }).stateDict()
    const { data, shape } = dict.weight_hh_l0
    for (let r = 0; r < shape[0]; r++) {
      const row = data.subarray(r * 8, r * 8 + 8)
      const scale = Math.fround(Math.max(...row.map(Math.abs)) / 127)
      for (const [k, value] of row.entries()) {
        const now = kept.weight_hh_l0.data[r * 8 + k]
        expect(now).toBe(Math.fround(scale * Math.round(now / scale)))
        expect(Math.abs(now - value)).toBeLessThanOrEqual(scale * 0.5000001)
      }
    }
    expect(kept.bias_ih_l0).toEqual(dict.bias_ih_l0)
  })

  it('a saved state belongs to its format', () => {
    // Weights that every format keeps as they are.
    const dict = {
      weight_ih_l0: [[127], [-127]],
      weight_hh_l0: [
        [127, 1],
        [0, -127],
      ],
      bias_ih_l0: [1, 2],
      bias_hh_l0: [3, 4],
    }
    const formats = [
      {},
      { weights: 'f16' },
      { weights: 'bf16' },
      { weights: 'int8' },
      { weights: 'int8', activations: 'int8' },
    ] as const
    const layers = formats.map((format) => RNN.fromStateDict(dict, { ...format, backend }))
    const saved = layers.map((layer) => layer.stream({ h0: [[0.5, -0.5]] }).save())
    for (const [i, layer] of layers.entries()) {
      expect(layer.stateDict().weight_hh_l0.data).toEqual(Float32Array.of(127, 1, 0, -127))
      for (const [j, bytes] of saved.entries()) {
        if (i === j) expect(layer.restoreStream(bytes).state().hn.data).toEqual(Float32Array.of(0.5, -0.5))
        else expectError(() => layer.restoreStream(bytes), 'ERR_RNN_STATE', 'of other weights')
      }
    }
  })

  it.each(small)('a shared layer of %s is opened as it is', (weights) => {
    const activations = weights === 'int8' ? 'int8' : 'f32'
    const layer = new LSTM(3, 8, { seed: 1, projSize: 4, peepholes: true, weights, activations, backend })
    const other = LSTM.fromShared(structuredClone(layer.share()))
    expect(other.forward(x)).toEqual(layer.forward(x))
    expect(other.stateDict()).toEqual(layer.stateDict())
    expect(other.memory()).toEqual(layer.memory())
    expect(other.restoreStream(layer.stream().save()).state()).toEqual(layer.stream().state())
    // Of a size whose weights no backend keeps widened.
    const handle = new LSTM(64, 128, { weights, activations, backend }).share()
    const lie = (spec: object) => ({ ...handle, spec: { ...handle.spec, ...spec } })
    expectError(
      () => LSTM.fromShared(lie({ weights: 'f32', activations: 'f32' })),
      'ERR_RNN_OPTION',
      'do not fit its sizes',
    )
    expectError(() => LSTM.fromShared(lie({ weights: 'int4' })), 'ERR_RNN_OPTION', 'handle.spec.weights must be one of')
    expectError(() => LSTM.fromShared(lie({ weights: 'f16', activations: 'int8' })), 'ERR_RNN_OPTION', 'need weights')
  })

  it('a layer that was shared computes as before, whatever its integers are as float32 numbers', async () => {
    // 0, 0, −127, 127: a NaN that signals. Code that V8 has not compiled yet reads such a number as one that does not.
    const program = `
      import { RNN } from 'native-rnn'
      const row = [0, 0, -0.5, 0.5]
      const square = [row, row, row, row]
      const weights = { weight_ih_l0: square, weight_hh_l0: square }
      const layer = RNN.fromStateDict(weights, { weights: 'int8', backend: '${backend}' })
      const run = (one) => one.forward([row, row]).output.data.join()
      const before = run(layer)
      const other = RNN.fromShared(structuredClone(layer.share()))
      console.log(JSON.stringify([run(layer) === before, run(other) === before, other.stateDict().weight_ih_l0.toNested()[0]]))`
    expect(await printed(program)).toEqual([true, true, [0, 0, -0.5, 0.5]])
  })

  it('weights beyond a format are refused by name', () => {
    const dict = new GRU(2, 3, { seed: 1, backend }).stateDict()
    dict.weight_hh_l0.data[4] = 65520
    dict.bias_ih_l0.data[0] = 1e30
    const words = 'weight_hh_l0 must be a number that f16 can hold, at most ±65504, got 65520 at [1, 1]'
    expectError(() => GRU.fromStateDict(dict, { weights: 'f16', backend }), 'ERR_RNN_STATE_DICT', words)
    const layer = new GRU(2, 3, { seed: 1, weights: 'f16', backend })
    const before = layer.forward(ramp(2, 2))
    expectError(() => layer.loadStateDict(dict), 'ERR_RNN_STATE_DICT', words)
    expect(layer.forward(ramp(2, 2))).toEqual(before)
    dict.weight_hh_l0.data[4] = -65519
    expect(GRU.fromStateDict(dict, { weights: 'f16', backend }).stateDict().weight_hh_l0.data[4]).toBe(-65504)
    for (const weights of ['bf16', 'int8'] as const) {
      const largest = { weight: [[3.4028235e38, 1]] }
      const words = `weight must be a number that ${weights} can hold`
      expectError(() => Linear.fromStateDict(largest, { weights, backend }), 'ERR_RNN_STATE_DICT', words)
      expectError(() => Embedding.fromStateDict(largest, { weights }), 'ERR_RNN_STATE_DICT', words)
    }
    const node = { opType: 'RNN', W: [[[1e6]]], R: [[[1]]] } as const
    expectError(
      () => fromOnnxNode(node, { weights: 'f16', backend }),
      'ERR_RNN_STATE_DICT',
      'weight_ih_l0 must be a number that f16',
    )
    const keras = { type: 'SimpleRNN', weights: [[[1]], [[1e6]], [0]] } as const
    expectError(
      () => fromKeras(keras, { weights: 'f16', backend }),
      'ERR_RNN_STATE_DICT',
      'weight_hh_l0 must be a number that f16',
    )
  })

  it('layers of ONNX and Keras take the options', () => {
    const node = { opType: 'RNN', W: [[[0.1, 0.3]]], R: [[[1]]] } as const
    const kept = (weights: WeightType) =>
      RNN.fromStateDict({ weight_ih_l0: [[0.1, 0.3]], weight_hh_l0: [[1]] }, { weights, backend })
    const keras = { type: 'SimpleRNN', weights: [[[0.1], [0.3]], [[1]]], config: { useBias: false } } as const
    for (const weights of kinds) {
      for (const layer of [fromOnnxNode(node, { weights, backend }), fromKeras(keras, { weights, backend })]) {
        expect(layer.stateDict()).toEqual(kept(weights).stateDict())
        expect(layer.memory()).toEqual(kept(weights).memory())
      }
    }
  })

  it('weights take about as many bytes as their format has', () => {
    const bytes = (weights: WeightType) => new GRU(128, 128, { seed: 1, weights, backend }).memory().weights
    expect(bytes('f16') / bytes('f32')).toBeLessThan(0.51)
    expect(bytes('bf16') / bytes('f32')).toBeLessThan(0.51)
    expect(bytes('int8') / bytes('f32')).toBeLessThan(0.27)
  })
})

describe('refusals', () => {
  const layers = [
    ['RNN', (options: object) => new RNN(3, 4, options)],
    ['GRU.fromStateDict', (options: object) => GRU.fromStateDict(new GRU(3, 4).stateDict(), options)],
    ['Linear', (options: object) => new Linear(3, 4, options)],
    ['Linear.fromStateDict', (options: object) => Linear.fromStateDict({ weight: [[1]] }, options)],
    ['fromOnnxNode', (options: object) => fromOnnxNode({ opType: 'RNN', W: [[[1]]], R: [[[1]]] }, options)],
    ['readOnnx', (options: object) => readOnnx(new Uint8Array(), options)],
    ['fromKeras', (options: object) => fromKeras({ type: 'SimpleRNN', weights: [[[1]], [[1]], [0]] }, options)],
  ] as const

  it.each(layers)('of %s', (_, make) => {
    expectError(
      () => make({ weights: 'f64' }),
      'ERR_RNN_OPTION',
      "weights must be one of 'f32', 'f16', 'bf16', 'int8', got",
    )
    expectError(() => make({ activations: 'f16' }), 'ERR_RNN_OPTION', "activations must be one of 'f32', 'int8', got")
    for (const weights of [undefined, 'f32', 'f16', 'bf16']) {
      expectError(
        () => make({ weights, activations: 'int8' }),
        'ERR_RNN_OPTION',
        "activations 'int8' need weights 'int8', got weights",
      )
    }
  })

  it('of an Embedding', () => {
    expectError(() => new Embedding(3, 4, { weights: 'f8' as never }), 'ERR_RNN_OPTION', 'weights must be one of')
    expectError(
      () => new Embedding(3, 4, { activations: 'int8' } as never),
      'ERR_RNN_OPTION',
      "unknown option 'activations'",
    )
  })

  it('a looked-up row is what the state dict has', () => {
    for (const weights of small) {
      const embedding = new Embedding(7, 5, { seed: 3, weights })
      const { data } = embedding.stateDict().weight
      expect(embedding.forward([6, 0, 3])).toEqual(
        new Tensor(Float32Array.of(...data.subarray(30), ...data.subarray(0, 5), ...data.subarray(15, 20)), [3, 5]),
      )
    }
  })
})
