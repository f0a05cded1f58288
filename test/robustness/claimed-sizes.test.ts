/** Sizes that a dict, a shape or a handle only claims, without values that would pay for them: refused, or done, for next to no memory. */
import { Embedding, fromOnnxNode, GRU, Linear, LSTM, RNN, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { printed } from '../support/child.ts'
import { expectError } from '../support/errors.ts'

describe('state dicts of shapes', () => {
  // Counts what is reserved: the package takes the constructors when it is loaded.
  const program = `
    let reserved = 0
    for (const name of ['Float32Array', 'Float64Array', 'ArrayBuffer', 'SharedArrayBuffer']) {
      const Real = globalThis[name]
      globalThis[name] = new Proxy(Real, {
        construct(target, values, self) {
          if (typeof values[0] === 'number') reserved += values[0] * (Real.BYTES_PER_ELEMENT ?? 1)
          if (reserved > 2 ** 28) throw new Error('reserved ' + reserved)
          return Reflect.construct(target, values, target)
        },
      })
    }
    const { Embedding, fromOnnxNode, GRU, Linear, LSTM, RNN } = await import('native-rnn')
    const none = new Float32Array(0), gates = { RNN: 1, GRU: 3, LSTM: 4 }
    const problems = [], codes = {}
    let count = 0
    const attempt = (what, act) => {
      reserved = 0
      count++
      try { act(); problems.push(what + ' was taken') } catch (error) {
        codes[error.code] = true
        if (!error.code || reserved > 2 ** 24) problems.push(what + ': ' + error.message + ', reserved ' + reserved)
      }
    }
    const claim = (...shape) => ({ data: none, shape })
    const paid = (...shape) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)), shape })
    for (const Layer of [RNN, GRU, LSTM]) for (const H of [2 ** 10, 2 ** 13, 2 ** 14, 2 ** 20]) for (const last of [0, 1, 63, 64, 999999]) {
      const rows = gates[Layer.name] * H
      const small = rows <= 2 ** 18 ? paid(rows, 1) : claim(rows, 1)
      const hidden = [claim(rows, H), claim(rows, 0), claim(0, H), small]
      for (const ih of [small, claim(rows, H), claim(rows, 0)]) for (const hh of hidden) for (const end of ['', '_reverse']) {
        const dict = { weight_ih_l0: ih, weight_hh_l0: hh, ['weight_ih_l' + last + end]: ih, weight_hr_l0: claim(1, H) }
        attempt([Layer.name, H, last, end].join(' '), () => Layer.fromStateDict(dict))
        delete dict.weight_hr_l0
        attempt([Layer.name, H, last, end].join(' '), () => Layer.fromStateDict(dict))
      }
      const layer = new Layer(1, 2)
      attempt('loadStateDict', () => layer.loadStateDict({ weight_ih_l0: claim(rows, 1), ['weight_hh_l' + last]: claim(rows, H) }))
      attempt('a node', () => fromOnnxNode({ opType: Layer.name, W: claim(1, rows, H), R: claim(1, rows, H) }))
      attempt('a node of nothing', () => fromOnnxNode({ opType: Layer.name, W: claim(1, rows, 0), R: claim(0, rows, H) }))
      const handle = layer.share()
      attempt('a handle', () => Layer.fromShared({ ...handle, spec: { ...handle.spec, inputSize: H, hiddenSize: H, numLayers: 64 } }))
      attempt('Linear', () => Linear.fromStateDict({ weight: claim(H, 2 ** 20), bias: claim(H) }))
      attempt('Linear of nothing', () => Linear.fromStateDict({ weight: claim(H, 0), bias: claim(H) }))
      attempt('Embedding', () => Embedding.fromStateDict({ weight: claim(2 ** 20, H) }))
      attempt('Embedding of nothing', () => Embedding.fromStateDict({ weight: claim(0, H) }))
    }
    console.log(JSON.stringify({ problems: problems.slice(0, 9), count, codes: Object.keys(codes).sort() }))`

  it.each(['', 'typescript'])('reserve nothing before they are refused, backend %s', async (backend) => {
    const { problems, count, codes } = (await printed(program, { NATIVE_RNN_BACKEND: backend })) as Record<
      string,
      unknown
    >
    expect(problems).toEqual([])
    expect(count).toBeGreaterThan(3000)
    expect(codes).toEqual(['ERR_RNN_OPTION', 'ERR_RNN_SHAPE', 'ERR_RNN_STATE_DICT'])
  })

  it('are refused with all that is wrong in one error', () => {
    const dict = new GRU(2, 3, { numLayers: 2 }).stateDict()
    const { weight_hh_l1: _, ...kept } = dict
    const others = { ...kept, bias_ih_l0: [1], extra: [1], weight_ih_l1: [[Number.NaN]] }
    const nan = new Tensor(new Float32Array(9).fill(Number.NaN), [9])
    const error = expectError(
      () => GRU.fromStateDict({ ...others, bias_hh_l0: nan }),
      'ERR_RNN_STATE_DICT',
      'missing weight_hh_l1',
    )
    for (const part of [
      'bias_ih_l0 must have shape (9,)',
      'weight_ih_l1 must have shape',
      'bias_hh_l0 must be finite',
      'left over extra',
    ])
      expect(error.message).toContain(part)
    expect(error.message).not.toContain('weight_ih_l1 must be finite')
  })
})

describe('shapes without values', () => {
  const none = new Float32Array(0)
  const huge = [2 ** 20 + 1, 2 ** 28, 2 ** 32, Number.MAX_SAFE_INTEGER]
  it.each(
    huge.flatMap((size) => [
      [size, 0],
      [1, size, 0],
      [size, 0, 3],
      [size, size, 0],
      [4, size, 0, 2],
    ]),
  )('of axes %s, %s, … end no process when they are nested', (...shape) => {
    const tensor = new Tensor(none, shape)
    expectError(
      () => tensor.toNested(),
      'ERR_RNN_SHAPE',
      'has no values, and would be nested in more than 1048576 arrays',
    )
    expect(Tensor.from({ data: none, dims: shape }).shape).toEqual(shape)
  })

  it('nest where that is cheap', () => {
    expect(new Tensor(none, [0, 2 ** 40]).toNested()).toEqual([])
    expect(new Tensor(none, [2, 0, 2 ** 40]).toNested()).toEqual([[], []])
    expect(new Tensor(none, [2 ** 10, 0]).toNested()).toHaveLength(2 ** 10)
  })

  it('go through calls, or are refused', () => {
    for (const size of huge) {
      const rnn = new RNN(2, 3)
      const codes: unknown[] = []
      const calls = [
        () => rnn.forward({ data: none, shape: [size, 0, 2] }),
        () => rnn.forward({ data: none, shape: [0, size, 2] }),
        () => rnn.forward({ data: none, shape: [size, 0] }),
        () => rnn.stream().run({ data: none, shape: [size, 0] }),
        () => new Linear(2, 3).forward({ data: none, shape: [size, 0, 2] }),
        () => new Embedding(2, 3).forward({ data: none, shape: [size, 0] }),
        () => new LSTM(2, 3).forward([[1, 2]], { h0: { data: none, shape: [size, 0] } }),
        () =>
          fromOnnxNode({
            opType: 'RNN',
            W: { data: none, shape: [1, size, 0] },
            R: { data: none, shape: [1, size, 0] },
          }),
      ]
      for (const call of calls) {
        try {
          call()
        } catch (error) {
          codes.push((error as { code?: string }).code)
        }
      }
      expect(codes.filter((code) => !/^ERR_RNN_(SHAPE|OPTION)$/.test(String(code)))).toEqual([])
      expect(codes.length).toBeGreaterThan(2)
    }
  })
})
