/** Forward passes: shapes, layouts, states, lengths, and the words where an argument does not fit. */
import { Embedding, GRU, Linear, LSTM, type Result, RNN, Tensor, type TensorLike } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from './backends.ts'
import { expectError } from './wrong.ts'

/** Values in no pattern, the same each time. */
function ramp(...shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1)
  return new Tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + 0.3)),
    shape,
  )
}

/** The tensor with two axes swapped. */
function swapped({ data, shape }: Tensor): Tensor {
  const [A, B, C] = shape
  const moved = new Float32Array(data.length)
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) moved.set(data.subarray((a * B + b) * C, (a * B + b + 1) * C), (b * A + a) * C)
  }
  return new Tensor(moved, [B, A, C])
}

/** Row b of the middle axis, (A, 1, C). */
function row({ data, shape }: Tensor, b: number, from = 0, to = shape[0]): Tensor {
  const [, B, C] = shape
  const picked = new Float32Array((to - from) * C)
  for (let a = from; a < to; a++) picked.set(data.subarray((a * B + b) * C, (a * B + b + 1) * C), (a - from) * C)
  return new Tensor(picked, [to - from, 1, C])
}

const I = 5
const H = 9
const kinds = [
  ['RNN', (options: object) => new RNN(I, H, { seed: 1, ...options }), H],
  ['RNN relu', (options: object) => new RNN(I, H, { seed: 1, nonlinearity: 'relu', ...options }), H],
  ['GRU', (options: object) => new GRU(I, H, { seed: 1, ...options }), H],
  ['GRU reset before', (options: object) => new GRU(I, H, { seed: 1, resetAfter: false, ...options }), H],
  ['LSTM', (options: object) => new LSTM(I, H, { seed: 1, ...options }), H],
  ['LSTM projected', (options: object) => new LSTM(I, H, { seed: 1, projSize: 4, ...options }), 4],
  ['LSTM peepholes', (options: object) => new LSTM(I, H, { seed: 1, peepholes: true, ...options }), H],
] as const

describe.each(backends)('on %s', (backend) => {
  describe.each(kinds)('%s', (_, make, O) => {
    const T = 6
    const B = 4
    const deep = make({ backend, numLayers: 2, bidirectional: true })
    const cell = deep instanceof LSTM
    const forward = deep.forward.bind(deep) as (input: TensorLike, options?: object) => Result
    const x = ramp(T, B, I)
    const states = { h0: ramp(4, B, O), ...(cell && { c0: ramp(4, B, H) }) }
    const whole = forward(x, states)

    it('gives the shapes of the contract', () => {
      expect(whole.output.shape).toEqual([T, B, 2 * O])
      expect(whole.hn.shape).toEqual([4, B, O])
      expect(whole.cn?.shape).toEqual(cell ? [4, B, H] : undefined)
      expect(Object.keys(whole)).toEqual(cell ? ['output', 'hn', 'cn'] : ['output', 'hn'])
    })

    it('batchFirst swaps input and output, not the states', () => {
      const twin = make({ backend, numLayers: 2, bidirectional: true, batchFirst: true })
      const result = (twin.forward as typeof forward).call(twin, swapped(x), states)
      expect(result).toEqual({ ...whole, output: swapped(whole.output) })
    })

    it('unbatched input is a batch of one without its axis, batchFirst or not', () => {
      const one = forward(row(x, 2), { h0: row(states.h0, 2), ...(cell && { c0: row(states.c0!, 2) }) })
      const flat = (tensor: Tensor) => new Tensor(tensor.data, [tensor.shape[0], tensor.shape[2]])
      for (const batchFirst of [false, true]) {
        const twin = make({ backend, numLayers: 2, bidirectional: true, batchFirst })
        const options = { h0: flat(row(states.h0, 2)), ...(cell && { c0: flat(row(states.c0!, 2)) }) }
        const result = (twin.forward as typeof forward).call(twin, flat(row(x, 2)), options)
        expect(result).toEqual(Object.fromEntries(Object.entries(one).map(([name, tensor]) => [name, flat(tensor)])))
      }
    })

    it('states that are left out are zeros', () => {
      const zeros = { h0: new Tensor(new Float32Array(4 * B * O), [4, B, O]) }
      expect(forward(x)).toEqual(forward(x, zeros))
      if (cell) expect(forward(x, { c0: new Tensor(new Float32Array(4 * B * H), [4, B, H]) })).toEqual(forward(x))
    })

    it('returnOutput: false leaves only the last states', () => {
      const { output: _, ...last } = whole
      expect(forward(x, { ...states, returnOutput: false })).toEqual(last)
      const { output: __, ...masked } = forward(x, { lengths: [1, 0, 6, 3] })
      expect(forward(x, { lengths: [1, 0, 6, 3], returnOutput: false })).toEqual(masked)
    })

    it('lengths in any order: each row as if it were alone and that short', () => {
      const lengths = [3, 0, 6, 1]
      const result = forward(x, { ...states, lengths })
      lengths.forEach((length, b) => {
        const alone = forward(row(x, b, 0, length), { h0: row(states.h0, b), ...(cell && { c0: row(states.c0!, b) }) })
        const output = row(result.output, b)
        expect(output.data.subarray(0, length * 2 * O)).toEqual(alone.output.data)
        expect(output.data.subarray(length * 2 * O).every((value) => Object.is(value, 0))).toBe(true)
        expect(row(result.hn, b)).toEqual(alone.hn)
        if (cell) expect(row(result.cn!, b)).toEqual(alone.cn)
        if (length === 0) expect(row(result.hn, b)).toEqual(row(states.h0, b))
      })
    })

    it('full lengths change nothing', () => {
      expect(forward(x, { ...states, lengths: new Array(B).fill(T) })).toEqual(whole)
    })

    it('T = 0 gives back the states', () => {
      const none = forward(new Tensor(new Float32Array(0), [0, B, I]), states)
      expect(none.output.shape).toEqual([0, B, 2 * O])
      expect(none.hn).toEqual(states.h0)
      if (cell) expect(none.cn).toEqual(states.c0)
      expect(forward(new Tensor(new Float32Array(0), [0, I])).hn).toEqual(new Tensor(new Float32Array(4 * O), [4, O]))
    })

    it('a batch of no rows gives results of no rows', () => {
      const none = forward(new Tensor(new Float32Array(0), [T, 0, I]))
      expect(none.output.shape).toEqual([T, 0, 2 * O])
      expect(none.hn.shape).toEqual([4, 0, O])
    })

    it('leaves its arguments as they were, and gives arrays of its own', () => {
      const before = [x, states.h0].map(({ data }) => data.slice())
      const { hn } = forward(x, states)
      expect([x.data, states.h0.data]).toEqual(before)
      hn.data.fill(0)
      expect(forward(x, states)).toEqual(whole)
    })

    it('is the same layer by layer and direction by direction', () => {
      const dict = deep.stateDict()
      const single = (layer: number, direction: number) => {
        const suffix = `_l${layer}${direction ? '_reverse' : ''}`
        const own = Object.entries(dict).filter(([key]) => key.endsWith(suffix))
        const Layer = deep.constructor as typeof LSTM
        const extra =
          deep instanceof GRU
            ? { resetAfter: deep.resetAfter }
            : deep instanceof RNN
              ? { nonlinearity: deep.nonlinearity }
              : {}
        const renamed = Object.fromEntries(own.map(([key, value]) => [key.replace(suffix, '_l0'), value]))
        return Layer.fromStateDict(renamed, { backend, ...extra })
      }
      let input = x
      for (let layer = 0; layer < 2; layer++) {
        const forwards = single(layer, 0).forward(input).output
        const backwards = flipped(single(layer, 1).forward(flipped(input)).output)
        input = joined(forwards, backwards)
      }
      expect(forward(x).output).toEqual(input)
    })
  })

  it('NaN and infinite inputs propagate, and only in their row', () => {
    for (const [, make, O] of kinds) {
      const layer = make({ backend })
      const x = ramp(3, 3, I)
      const clean = layer.forward(x)
      x.data[I + 2] = Number.NaN
      const dirty = layer.forward(x)
      expect(row(dirty.hn, 1).data.every(Number.isNaN)).toBe(true)
      for (const b of [0, 2]) {
        expect(row(dirty.output, b)).toEqual(row(clean.output, b))
      }
      expect(dirty.output.shape).toEqual([3, 3, O])
    }
    const saturated = new RNN(1, 1, { backend, bias: false })
    saturated.loadStateDict({ weight_ih_l0: [[1]], weight_hh_l0: [[0]] })
    const inputs = [Infinity, -Infinity, 3e38, -3e38, 1e-40, 0]
    const outputs = saturated.forward(inputs.map((value) => [value])).output.toNested()
    expect(outputs).toEqual([[1], [-1], [1], [-1], [Math.fround(1e-40)], [0]])
  })
})

function flipped({ data, shape }: Tensor): Tensor {
  const [T, B, C] = shape
  const moved = new Float32Array(data.length)
  for (let t = 0; t < T; t++) moved.set(data.subarray(t * B * C, (t + 1) * B * C), (T - 1 - t) * B * C)
  return new Tensor(moved, shape)
}

function joined(a: Tensor, b: Tensor): Tensor {
  const [T, B, C] = a.shape
  const both = new Float32Array(2 * a.data.length)
  for (let place = 0; place < T * B; place++) {
    both.set(a.data.subarray(place * C, (place + 1) * C), 2 * place * C)
    both.set(b.data.subarray(place * C, (place + 1) * C), (2 * place + 1) * C)
  }
  return new Tensor(both, [T, B, 2 * C])
}

describe.each([
  ['RNN', new RNN(3, 4)],
  ['GRU', new GRU(3, 4)],
  ['LSTM', new LSTM(3, 4)],
] as const)('%s says what does not fit, in PyTorch’s words', (name, layer) => {
  const forward = layer.forward.bind(layer) as (input: unknown, options?: unknown) => Result
  const hidden = name === 'LSTM' ? 'hidden[0]' : 'hidden'
  const x3 = ramp(2, 2, 3)
  const x2 = ramp(2, 3)

  it.each<[unknown, string]>([
    [ramp(2, 2, 4), 'input.size(-1) must be equal to input_size. Expected 3, got 4'],
    [ramp(2, 4), 'input.size(-1) must be equal to input_size. Expected 3, got 4'],
    [ramp(3), `${name}: Expected input to be 2-D or 3-D but received 1-D tensor`],
    [ramp(1, 2, 2, 3), `${name}: Expected input to be 2-D or 3-D but received 4-D tensor`],
    [new Tensor(new Float32Array(1), []), `${name}: Expected input to be 2-D or 3-D but received 0-D tensor`],
    [undefined, 'input must be a Tensor'],
    [new Float32Array(6), 'a typed array has no shape'],
    [
      Promise.resolve(x2),
      'input must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got a Promise',
    ],
    [
      [
        [1, 2, 3],
        [1, 2],
      ],
      'input[1] must be an array of length 3',
    ],
  ])('input: %#', (input, words) => {
    expectError(() => forward(input), 'ERR_RNN_SHAPE', words)
  })

  it('h0', () => {
    const wrong = (input: Tensor, h0: unknown, words: string) => {
      expectError(() => forward(input, { h0 }), 'ERR_RNN_SHAPE', words)
    }
    wrong(x3, ramp(1, 1, 4), `Expected ${hidden} size (1, 2, 4), got [1, 1, 4] (h0)`)
    wrong(x3, ramp(2, 2, 4), `Expected ${hidden} size (1, 2, 4), got [2, 2, 4] (h0)`)
    wrong(x3, ramp(1, 4), 'For batched 3-D input, hx should also be 3-D but got 2-D tensor (h0)')
    wrong(x2, ramp(1, 1, 4), 'For unbatched 2-D input, hx should also be 2-D but got 3-D tensor (h0)')
    wrong(x2, ramp(1, 5), `Expected ${hidden} size (1, 4), got [1, 5] (h0)`)
    wrong(x2, 'zeros', 'h0 must be a Tensor')
    wrong(x2, [[1, 2, 3, 'x']], 'h0[0][3] must be a number, got "x"')
    wrong(x2, null, 'h0 must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got null')
  })

  it('c0', () => {
    if (name === 'LSTM') {
      const wrong = (input: Tensor, c0: unknown, words: string) =>
        expectError(() => forward(input, { c0 }), 'ERR_RNN_SHAPE', words)
      wrong(x3, ramp(1, 2, 5), 'Expected hidden[1] size (1, 2, 4), got [1, 2, 5] (c0)')
      wrong(x3, ramp(1, 4), 'For batched 3-D input, cx should also be 3-D but got 2-D tensor (c0)')
    } else {
      expectError(
        () => forward(x2, { c0: ramp(1, 4) }),
        'ERR_RNN_OPTION',
        `unknown option 'c0' of ${name}.forward; only an LSTM has a cell state`,
      )
    }
  })

  it('lengths', () => {
    const count = 'Expected `len(lengths)` to be equal to batch_size, but got'
    expectError(() => forward(x3, { lengths: [1] }), 'ERR_RNN_SHAPE', `${count} 1 (batch_size=2)`)
    expectError(() => forward(x3, { lengths: [1, 1, 1] }), 'ERR_RNN_SHAPE', `${count} 3 (batch_size=2)`)
    for (const wrong of [3, -1, 0.5, Number.NaN, '1', null, undefined, 2 ** 32]) {
      expectError(
        () => forward(x3, { lengths: [2, wrong] }),
        'ERR_RNN_OPTION',
        /^lengths\[1\] must be an integer from 0 to T = 2, got /,
      )
    }
    expectError(() => forward(x3, { lengths: 2 }), 'ERR_RNN_OPTION', 'lengths must be an array of integers, got 2')
    expectError(
      () => forward(x3, { lengths: null }),
      'ERR_RNN_OPTION',
      'lengths must be an array of integers, got null',
    )
    expect(forward(x3, { lengths: new Int32Array([1, 2]) })).toEqual(forward(x3, { lengths: [1, 2] }))
    expect(forward(x2, { lengths: [1] }).output.data.subarray(4)).toEqual(new Float32Array(4))
  })

  it('other options', () => {
    expectError(() => forward(x2, { returnOutput: 0 }), 'ERR_RNN_OPTION', 'returnOutput must be a boolean, got 0')
    expectError(
      () => forward(x2, { h_0: 1 }),
      'ERR_RNN_OPTION',
      `unknown option 'h_0' of ${name}.forward; did you mean 'h0'?`,
    )
    expectError(() => forward(x2, { hn: ramp(1, 4) }), 'ERR_RNN_OPTION', "what a call gives back as hn goes in as 'h0'")
    expectError(() => forward(x2, ramp(1, 4)), 'ERR_RNN_OPTION', `unknown option 'data' of ${name}.forward`)
    expectError(() => forward(x2, null), 'ERR_RNN_OPTION', `the options of ${name}.forward must be an object, got null`)
    expect(forward(x2, { h0: undefined, lengths: undefined, returnOutput: undefined })).toEqual(forward(x2))
  })

  it('inputs too large to count', () => {
    const none = new Tensor(new Float32Array(0), [0, 2 ** 40, 3])
    expectError(() => forward(none), 'ERR_RNN_SHAPE', 'the states of this input would hold 4398046511104 values')
  })
})

describe.each([
  ['RNN', () => new RNN(2, 2)],
  ['GRU', () => new GRU(2, 2)],
  ['LSTM', () => new LSTM(2, 2)],
] as const)('%s after dispose', (name, make) => {
  it('refuses every use, and disposes again in silence', () => {
    const layer = make()
    const dict = layer.stateDict()
    const saved = layer.stream().save()
    layer.dispose()
    layer.dispose()
    layer[Symbol.dispose]()
    const words = `the ${name} was disposed and cannot be used any more`
    expectError(() => layer.forward([[1, 2]]), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.stream(), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.restoreStream(saved), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.stateDict(), 'ERR_RNN_DISPOSED', words)
    expectError(() => layer.loadStateDict(dict), 'ERR_RNN_DISPOSED', words)
    expect(layer.inputSize).toBe(2)
  })
})

describe.each(backends)('Linear on %s', (backend) => {
  it('multiplies the last axis of any shape', () => {
    const linear = Linear.fromStateDict(
      {
        weight: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        bias: [0.5, 0, -1],
      },
      { backend },
    )
    expect(linear.forward([1, 1]).toNested()).toEqual([3.5, 7, 10])
    expect(
      linear
        .forward([
          [
            [1, 0],
            [0, 1],
          ],
        ])
        .toNested(),
    ).toEqual([
      [
        [1.5, 3, 4],
        [2.5, 4, 5],
      ],
    ])
    expect(linear.forward(new Tensor(new Float32Array(0), [4, 0, 2])).shape).toEqual([4, 0, 3])
    expect(linear.backend).toBe(backend)
  })

  it('gives each row the same bits, whatever stands beside it', () => {
    const linear = new Linear(37, 29, { backend, seed: 1 })
    const x = ramp(13, 37)
    const all = linear.forward(x)
    for (let i = 0; i < 13; i++) {
      expect(linear.forward(new Tensor(x.data.subarray(i * 37, (i + 1) * 37), [37])).data).toEqual(
        all.data.slice(i * 29, (i + 1) * 29),
      )
    }
  })

  it('says what does not fit, and refuses use after dispose', () => {
    const linear = new Linear(2, 3, { backend })
    expectError(
      () => linear.forward([[1, 2, 3]]),
      'ERR_RNN_SHAPE',
      'input.size(-1) must be equal to in_features. Expected 2, got 3',
    )
    expectError(() => linear.forward(new Tensor(new Float32Array(1), [])), 'ERR_RNN_SHAPE', 'Expected 2, got undefined')
    expectError(() => linear.forward('x' as unknown as Tensor), 'ERR_RNN_SHAPE', 'input must be a Tensor')
    linear.dispose()
    linear[Symbol.dispose]()
    expectError(() => linear.forward([1, 2]), 'ERR_RNN_DISPOSED', 'the Linear was disposed')
    expectError(() => linear.stateDict(), 'ERR_RNN_DISPOSED', 'the Linear was disposed')
    expectError(() => linear.loadStateDict({}), 'ERR_RNN_DISPOSED', 'the Linear was disposed')
  })
})

describe('Embedding', () => {
  const embedding = Embedding.fromStateDict({
    weight: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  })

  it('looks up ids of any shape', () => {
    expect(embedding.forward([2, 0]).toNested()).toEqual([
      [5, 6],
      [1, 2],
    ])
    expect(embedding.forward([[1], [2]]).toNested()).toEqual([[[3, 4]], [[5, 6]]])
    for (const ids of [Int32Array.of(1, 2), Uint8Array.of(1, 2), Uint16Array.of(1, 2), Uint32Array.of(1, 2)]) {
      expect(embedding.forward(ids).toNested()).toEqual([
        [3, 4],
        [5, 6],
      ])
    }
    expect(embedding.forward({ data: Int32Array.of(1, 2), shape: [2, 1] }).toNested()).toEqual([[[3, 4]], [[5, 6]]])
    expect(embedding.forward({ data: Int32Array.of(1), dims: [1] }).toNested()).toEqual([[3, 4]])
    expect(embedding.forward(Tensor.from([1])).toNested()).toEqual([[3, 4]])
    expect(embedding.forward([]).shape).toEqual([0, 2])
    expect(embedding.forward(new Int32Array(0)).shape).toEqual([0, 2])
  })

  it('refuses ids out of range, and what are no ids', () => {
    for (const id of [3, -1, 0.5, Number.NaN, 2 ** 40]) {
      expectError(
        () => embedding.forward([0, id]),
        'ERR_RNN_OPTION',
        'index out of range: ids[1] must be an integer from 0 to 2, got',
      )
    }
    expectError(
      () => embedding.forward(Int32Array.of(-1)),
      'ERR_RNN_OPTION',
      'ids[0] must be an integer from 0 to 2, got -1',
    )
    expectError(() => embedding.forward(5 as unknown as number[]), 'ERR_RNN_SHAPE', 'ids must be')
    expectError(
      () => embedding.forward(['a'] as unknown as number[]),
      'ERR_RNN_SHAPE',
      'ids[0] must be a number, got "a"',
    )
    expectError(
      () => embedding.forward({ data: Int32Array.of(1), shape: [2] }),
      'ERR_RNN_SHAPE',
      'ids.data must have length 2',
    )
    expectError(() => embedding.forward(undefined as unknown as number[]), 'ERR_RNN_SHAPE', 'ids must be')
    expectError(() => embedding.forward({} as unknown as number[]), 'ERR_RNN_SHAPE', 'ids must be')
  })

  it('refuses use after dispose', () => {
    const other = new Embedding(2, 2)
    other.dispose()
    other[Symbol.dispose]()
    expectError(() => other.forward([1]), 'ERR_RNN_DISPOSED', 'the Embedding was disposed')
    expectError(() => other.stateDict(), 'ERR_RNN_DISPOSED', 'the Embedding was disposed')
    expectError(() => other.loadStateDict({}), 'ERR_RNN_DISPOSED', 'the Embedding was disposed')
  })
})

describe('initial weights', () => {
  it.each(backends)('are the same for one seed on %s as everywhere', (backend) => {
    for (const seed of [0, 7, -5, 2 ** 53 - 1]) {
      const drawn = (backend: (typeof backends)[number]) => [
        ...Object.entries(new LSTM(37, 29, { seed, backend, bidirectional: true, peepholes: true }).stateDict()),
        ...Object.entries(new Linear(37, 29, { seed, backend }).stateDict()),
      ]
      expect(drawn(backend)).toEqual(drawn('typescript'))
    }
  })
})
