/** Forward passes: shapes, layouts, states, lengths, and what they leave alone. */
import { GRU, LSTM, type Result, RNN, Tensor, type TensorLike } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { ramp, row, swapped } from '../support/tensors.ts'

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

    it('lengths as any array of integers, or an integer tensor', () => {
      const lengths = [3, 0, 6, 1]
      const wanted = forward(x, { lengths })
      const big = lengths.map(BigInt)
      const given = [
        ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array].map((type) =>
          type.from(lengths),
        ),
        Float32Array.from(lengths),
        Float64Array.from(lengths),
        BigInt64Array.from(big),
        BigUint64Array.from(big),
      ]
      for (const data of given) {
        expect(forward(x, { lengths: data })).toEqual(wanted)
        expect(forward(x, { lengths: { data, shape: [4] } })).toEqual(wanted)
        expect(forward(x, { lengths: { data, dims: [4] } })).toEqual(wanted)
      }
      expect(forward(x, { lengths: big })).toEqual(wanted)
      expect(forward(x, { lengths: Tensor.from(lengths) })).toEqual(wanted)
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
