/** Operators against straightforward formulas, as constants and as models: sizes and forms that ONNX's suite has no cases for, opset 18 and later among them. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modelBackends } from '../support/model-files.ts'
import { type GraphValue, type Result, runOperator as runConstants, value } from '../support/run-graph.mjs'
import { operatorOn } from '../support/run-model.mjs'

const ways = [
  { way: 'constants of readOnnx', runOperator: runConstants },
  ...modelBackends.map((backend) => ({ way: `a model on ${backend}`, runOperator: operatorOn(backend) })),
]

const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

/** Values in ±1 that are exact as float32 and differ from each other. */
function numbers(length: number, seed = 1): Float32Array {
  let state = seed * 7919
  return Float32Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state / 2 ** 30 - 1
  })
}

const tensor = (shape: readonly number[], seed?: number) => value(numbers(count(shape), seed), [...shape])
const integers = (...list: number[]) => value(BigInt64Array.from(list, BigInt), [list.length])
const floatsOf = ({ bytes }: GraphValue) => new Float32Array(bytes.buffer as ArrayBuffer)

/** The places of a shape, one after the other, as indices. */
function* places(shape: readonly number[]): Generator<number[]> {
  for (let at = 0; at < count(shape); at++) {
    const index: number[] = []
    let rest = at
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]
      rest = Math.floor(rest / shape[axis])
    }
    yield index
  }
}

/** A value at an index; undefined outside. */
function at(values: ArrayLike<number>, shape: readonly number[], index: readonly number[]): number | undefined {
  if (index.some((i, axis) => i < 0 || i >= shape[axis])) return undefined
  return values[index.reduce((sum, i, axis) => sum * shape[axis] + i, 0)]
}

function expectClose({ dims, values }: Result, shape: readonly number[], expected: readonly number[], digits = 1e-5) {
  expect(dims).toEqual([...shape])
  expect(values.length).toBe(expected.length)
  for (const [i, wanted] of expected.entries()) {
    if (!(Math.abs(values[i] - wanted) <= digits * (1 + Math.abs(wanted)))) expect(values[i], `at ${i}`).toBe(wanted)
  }
}

const axis = fc.record({
  size: fc.integer({ min: 1, max: 7 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.integer({ min: 0, max: 2 }),
  after: fc.integer({ min: 0, max: 2 }),
})
const spatial = fc.array(axis, { minLength: 1, maxLength: 2 })
type Axis = { size: number; kernel: number; stride: number; dilation: number; before: number; after: number }

const extent = ({ kernel, dilation }: Axis) => (kernel - 1) * dilation + 1
const fits = (axes: readonly Axis[]) => axes.every((one) => one.size + one.before + one.after >= extent(one))
const windows = (axes: readonly Axis[]) =>
  axes.map((one) => Math.floor((one.size + one.before + one.after - extent(one)) / one.stride) + 1)
const geometry = (axes: readonly Axis[]) => ({
  kernel_shape: axes.map(({ kernel }) => kernel),
  strides: axes.map(({ stride }) => stride),
  dilations: axes.map(({ dilation }) => dilation),
  pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)],
})
const seen = (axes: readonly Axis[], window: readonly number[], tap: readonly number[]) =>
  axes.map((one, i) => window[i] * one.stride + tap[i] * one.dilation - one.before)

describe.each(ways)('as $way:', ({ runOperator }) => {
  describe('windows of one and two axes', () => {
    const channels = fc.record({
      rows: fc.integer({ min: 1, max: 2 }),
      groups: fc.integer({ min: 1, max: 2 }),
      inputs: fc.integer({ min: 1, max: 2 }),
      outputs: fc.integer({ min: 1, max: 2 }),
    })

    it('Conv is the sum over channels of a group and values of the kernel', () => {
      fc.assert(
        fc.property(spatial.filter(fits), channels, (axes, { rows, groups, inputs, outputs }) => {
          const shapeX = [rows, groups * inputs, ...axes.map(({ size }) => size)]
          const shapeW = [groups * outputs, inputs, ...axes.map(({ kernel }) => kernel)]
          const [x, w, b] = [tensor(shapeX), tensor(shapeW, 2), tensor([groups * outputs], 3)]
          const shape = [rows, groups * outputs, ...windows(axes)]
          const expected = [...places(shape)].map(([n, m, ...window]) => {
            let sum = floatsOf(b)[m]
            for (const [i, ...tap] of places(shapeW.slice(1))) {
              const c = Math.floor(m / outputs) * inputs + i
              const from = at(floatsOf(x), shapeX, [n, c, ...seen(axes, window, tap)]) ?? 0
              sum += from * at(floatsOf(w), shapeW, [m, i, ...tap])!
            }
            return sum
          })
          const [made] = runOperator('Conv', [x, w, b], { ...geometry(axes), group: groups })
          expectClose(made, shape, expected)
        }),
        { numRuns: 60 },
      )
    })

    it('ConvTranspose adds each value times the kernel where its window lies', () => {
      const more = fc.integer({ min: 0, max: 1 })
      fc.assert(
        fc.property(spatial, channels, more, (axes, { rows, groups, inputs, outputs }, padding) => {
          const sizes = axes.map((one) => one.stride * (one.size - 1) + extent(one) + padding - one.before - one.after)
          fc.pre(sizes.every((size) => size > 0))
          const shapeX = [rows, groups * inputs, ...axes.map(({ size }) => size)]
          const shapeW = [groups * inputs, outputs, ...axes.map(({ kernel }) => kernel)]
          const [x, w, b] = [tensor(shapeX), tensor(shapeW, 2), tensor([groups * outputs], 3)]
          const shape = [rows, groups * outputs, ...sizes]
          const expected = [...places(shape)].map(([, m]) => floatsOf(b)[m])
          for (const [n, c, ...window] of places(shapeX)) {
            for (const [o, ...tap] of places(shapeW.slice(1))) {
              const to = [n, Math.floor(c / inputs) * outputs + o, ...seen(axes, window, tap)]
              if (to.some((i, k) => i < 0 || i >= shape[k])) continue
              const place = to.reduce((sum, i, k) => sum * shape[k] + i, 0)
              expected[place] += at(floatsOf(x), shapeX, [n, c, ...window])! * at(floatsOf(w), shapeW, [c, o, ...tap])!
            }
          }
          const attributes = { ...geometry(axes), group: groups, output_padding: axes.map(() => padding) }
          expectClose(runOperator('ConvTranspose', [x, w, b], attributes)[0], shape, expected)
        }),
        { numRuns: 60 },
      )
    })

    it.each(['MaxPool', 'AveragePool'])('%s looks at the values in each window that are there', (opType) => {
      fc.assert(
        fc.property(spatial.filter(fits), fc.boolean(), (axes, withPads) => {
          fc.pre(axes.every((one) => Math.max(one.before, one.after) < extent(one)))
          const shapeX = [2, 2, ...axes.map(({ size }) => size)]
          const x = tensor(shapeX)
          const shape = [2, 2, ...windows(axes)]
          const expected = [...places(shape)].map(([n, c, ...window]) => {
            const taps = [...places(axes.map(({ kernel }) => kernel))]
            const values = taps.flatMap((tap) => at(floatsOf(x), shapeX, [n, c, ...seen(axes, window, tap)]) ?? [])
            if (opType === 'MaxPool') return Math.max(...values)
            const sum = values.reduce((total, one) => total + one, 0)
            return values.length === 0 && !withPads ? 0 : sum / (withPads ? taps.length : values.length)
          })
          const attributes = {
            ...geometry(axes),
            ...(opType === 'AveragePool' && { count_include_pad: Number(withPads) }),
          }
          const [made] = runOperator(opType, [x], attributes, { version: 19 })
          expectClose(made, shape, expected)
        }),
        { numRuns: 60 },
      )
    })

    it('a last window of ceil_mode begins where there is something, and its mean is of what is there', () => {
      const x = value(Float32Array.of(1, 2, 3, 4, 5), [1, 1, 5])
      const attributes = { kernel_shape: [2], strides: [3], ceil_mode: 1 }
      expect(runOperator('AveragePool', [x], attributes)[0].values).toEqual([1.5, 4.5])
      expect(runOperator('AveragePool', [x], { ...attributes, strides: [2] })[0].values).toEqual([1.5, 3.5, 5])
      const three = value(Float32Array.of(1, 2, 3), [1, 1, 3])
      expect(runOperator('AveragePool', [three], { ...attributes, pads: [0, 1] })[0].values).toEqual([1.5])
    })
  })

  describe('norms', () => {
    const moments = (list: readonly number[]) => {
      const mean = list.reduce((sum, one) => sum + one, 0) / list.length
      return [mean, list.reduce((sum, one) => sum + (one - mean) ** 2, 0) / list.length]
    }

    it.each([
      [18, 2],
      [21, 6],
    ])('GroupNormalization of opset %i has a scale for each of %i', (version, scales) => {
      const [N, C, T, groups] = [2, 6, 5, 2]
      const [x, scale, bias] = [tensor([N, C, T]), tensor([scales], 2), tensor([scales], 3)]
      const wide = C / groups
      const expected = [...places([N, C, T])].map(([n, c, t]) => {
        const g = Math.floor(c / wide)
        const all = [...floatsOf(x).subarray((n * C + g * wide) * T, (n * C + (g + 1) * wide) * T)]
        const [mean, variance] = moments(all)
        const k = version < 21 ? g : c
        return (
          ((floatsOf(x)[(n * C + c) * T + t] - mean) / Math.sqrt(variance + 1e-3)) * floatsOf(scale)[k] +
          floatsOf(bias)[k]
        )
      })
      const attributes = { num_groups: groups, epsilon: { float: 1e-3 } }
      const [made] = runOperator('GroupNormalization', [x, scale, bias], attributes, { version })
      expectClose(made, [N, C, T], expected)
    })

    it('SkipLayerNormalization adds, normalizes, and gives the sum', () => {
      const [x, skip, gamma] = [tensor([2, 3, 4]), tensor([2, 3, 4], 2), tensor([4], 3)]
      const [beta, bias] = [tensor([4], 4), tensor([4], 5)]
      const sums = Array.from(floatsOf(x), (one, i) => one + floatsOf(skip)[i] + floatsOf(bias)[i % 4])
      const expected = sums.map((one, i) => {
        const [mean, variance] = moments(sums.slice(i - (i % 4), i - (i % 4) + 4))
        return ((one - mean) / Math.sqrt(variance + 1e-5)) * floatsOf(gamma)[i % 4] + floatsOf(beta)[i % 4]
      })
      const types = ['float32', '', '', 'float32']
      const attributes = { epsilon: { float: 1e-5 } }
      const options = { domain: 'com.microsoft', types }
      const [made, sum] = runOperator('SkipLayerNormalization', [x, skip, gamma, beta, bias], attributes, options)
      expectClose(made, [2, 3, 4], expected)
      expectClose(sum, [2, 3, 4], sums)
    })

    it('LayerNormalization over the last two axes, with a scale that broadcasts', () => {
      const [x, scale] = [tensor([2, 3, 4]), tensor([4], 2)]
      const expected = Array.from(floatsOf(x), (one, i) => {
        const [mean, variance] = moments([...floatsOf(x).subarray(i - (i % 12), i - (i % 12) + 12)])
        return ((one - mean) / Math.sqrt(variance + 1e-5)) * floatsOf(scale)[i % 4]
      })
      expectClose(runOperator('LayerNormalization', [x, scale], { axis: 1 })[0], [2, 3, 4], expected)
    })
  })

  describe('forms of newer opsets', () => {
    // Φ(x) by its integral, in steps of a hundredth, by Simpson's rule.
    const normal = (x: number) => {
      const steps = 4000
      const h = (x + 12) / steps
      let sum = 0
      for (let i = 0; i <= steps; i++) {
        const t = -12 + i * h
        sum += Math.exp((-t * t) / 2) * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2)
      }
      return (sum * h) / 3 / Math.sqrt(2 * Math.PI)
    }
    const list = [-8, -5, -3.1, -3, -2.9, -1, -0.1, 0, 0.1, 0.5, 1, 2.9, 3, 3.1, 5, 8]
    const x = value(Float32Array.from(list), [list.length])

    it('Gelu is x times the normal distribution, here and in com.microsoft', () => {
      const expected = Array.from(floatsOf(x), (one) => one * normal(one))
      expectClose(runOperator('Gelu', [x], {}, { version: 20 })[0], [list.length], expected, 1e-7)
      expectClose(runOperator('Gelu', [x], {}, { domain: 'com.microsoft' })[0], [list.length], expected, 1e-7)
      const byTanh = Array.from(
        floatsOf(x),
        (one) => 0.5 * one * (1 + Math.tanh(0.7978845608028654 * (one + 0.044715 * one ** 3))),
      )
      expectClose(runOperator('Gelu', [x], { approximate: 'tanh' }, { version: 20 })[0], [list.length], byTanh, 1e-7)
    })

    it('Erf is twice the normal distribution of √2·x, less 1', () => {
      const expected = Array.from(floatsOf(x), (one) => 2 * normal(one * Math.SQRT2) - 1)
      expectClose(runOperator('Erf', [x])[0], [list.length], expected, 1e-7)
    })

    it('reductions have their axes as an input from opset 18 on', () => {
      const values = tensor([2, 3, 4])
      const expected = [...places([2, 4])].map(([a, c]) =>
        Math.max(...[0, 1, 2].map((b) => floatsOf(values)[(a * 3 + b) * 4 + c])),
      )
      expectClose(
        runOperator('ReduceMax', [values, integers(1)], { keepdims: 0 }, { version: 18 })[0],
        [2, 4],
        expected,
      )
      expectClose(runOperator('ReduceMax', [values], { axes: [-2], keepdims: 0 }, { version: 13 })[0], [2, 4], expected)
      const sums = [...floatsOf(values)].reduce((sum, one) => sum + Math.exp(one), 0)
      expectClose(runOperator('ReduceLogSumExp', [values], {}, { version: 18 })[0], [1, 1, 1], [Math.log(sums)])
      expect(
        runOperator('ReduceSum', [value(Int32Array.of(2 ** 31 - 1, 1), [2])], {}, { types: ['int32'] })[0].values,
      ).toEqual([-(2 ** 31)])
    })

    it('Split makes num_outputs parts, the last one smaller', () => {
      const parts = runOperator(
        'Split',
        [tensor([7])],
        { num_outputs: 3 },
        { version: 18, types: ['float32', 'float32', 'float32'] },
      )
      expect(parts.map(({ dims }) => dims)).toEqual([[3], [3], [1]])
      expect(parts.flatMap(({ values }) => values)).toEqual([...numbers(7)])
    })

    it.each(['constant', 'edge', 'reflect'])('Pad in mode %s, of some axes, also before opset 11', (mode) => {
      const values = tensor([3, 4])
      const expected = [...places([3, 7])].map(([row, column]) => {
        const i = column - 2
        const from =
          mode === 'edge' ? Math.min(Math.max(i, 0), 3) : mode === 'reflect' ? (i < 0 ? -i : i > 3 ? 6 - i : i) : i
        return at(floatsOf(values), [3, 4], [row, from]) ?? 9
      })
      const nine = value(Float32Array.of(9), [])
      const [made] = runOperator('Pad', [values, integers(2, 1), nine, integers(-1)], { mode }, { version: 18 })
      expectClose(made, [3, 7], expected, 0)
      const [old] = runOperator('Pad', [values], { mode, pads: [0, 2, 0, 1], value: { float: 9 } }, { version: 7 })
      expectClose(old, [3, 7], expected, 0)
      const [less] = runOperator('Pad', [values, integers(-1, -2, 0, 1), nine], { mode })
      const cut = [...places([2, 3])].map(([row, column]) => {
        const own = at(floatsOf(values), [3, 4], [row + 1, column + 2])
        return (
          own ??
          (mode === 'edge'
            ? at(floatsOf(values), [3, 4], [row + 1, 3])!
            : mode === 'reflect'
              ? at(floatsOf(values), [3, 4], [row + 1, 2])!
              : 9)
        )
      })
      expectClose(less, [2, 3], cut, 0)
    })

    it('Softmax takes all axes from the first one on together before opset 13', () => {
      const values = tensor([2, 3, 2])
      const softmax = (own: readonly number[]) =>
        own.map((one) => Math.exp(one) / own.reduce((sum, v) => sum + Math.exp(v), 0))
      const all = [...floatsOf(values)]
      expectClose(
        runOperator('Softmax', [values], {}, { version: 11 })[0],
        [2, 3, 2],
        [...softmax(all.slice(0, 6)), ...softmax(all.slice(6))],
      )
      const last = Array.from({ length: 6 }, (_, i) => softmax(all.slice(2 * i, 2 * i + 2))).flat()
      expectClose(runOperator('Softmax', [values], {}, { version: 13 })[0], [2, 3, 2], last)
      const logs = [...softmax(all.slice(0, 6)), ...softmax(all.slice(6))].map(Math.log)
      expectClose(runOperator('LogSoftmax', [values], {}, { version: 7 })[0], [2, 3, 2], logs)
    })
  })

  describe('products', () => {
    const label = fc.constantFrom('a', 'b', 'c', 'd')
    const sizes: Record<string, number> = { a: 2, b: 3, c: 4, d: 1 }

    it('Einsum sums over what the result does not name', () => {
      const term = fc.array(label, { maxLength: 3 })
      fc.assert(
        fc.property(term, term, fc.boolean(), fc.uniqueArray(label, { maxLength: 3 }), (one, two, single, wanted) => {
          const terms = single ? [one] : [one, two]
          const all = [...new Set(terms.flat())]
          const result = wanted.filter((name) => all.includes(name))
          const shapes = terms.map((names) => names.map((name) => sizes[name]))
          const operands = shapes.map((shape, i) => tensor(shape, i + 1))
          const shape = result.map((name) => sizes[name])
          const summed = all.filter((name) => !result.includes(name))
          const expected = [...places(shape)].map((outer) => {
            let sum = 0
            for (const inner of places(summed.map((name) => sizes[name]))) {
              const index = Object.fromEntries([
                ...result.map((name, i) => [name, outer[i]]),
                ...summed.map((name, i) => [name, inner[i]]),
              ])
              sum += operands.reduce(
                (product, operand, i) =>
                  product *
                  at(
                    floatsOf(operand),
                    shapes[i],
                    terms[i].map((name) => index[name]),
                  )!,
                1,
              )
            }
            return sum
          })
          const equation = `${terms.map((names) => names.join('')).join(', ')} -> ${result.join('')}`
          expectClose(runOperator('Einsum', operands, { equation })[0], shape, expected)
        }),
        { numRuns: 80 },
      )
    })

    it('FusedMatMul turns the last two axes and has a factor', () => {
      const [x, y] = [tensor([2, 3, 4]), tensor([5, 3], 2)]
      const expected = [...places([2, 4, 5])].map(
        ([n, m, k]) =>
          2 *
          [0, 1, 2].reduce(
            (sum, i) => sum + at(floatsOf(x), [2, 3, 4], [n, i, m])! * at(floatsOf(y), [5, 3], [k, i])!,
            0,
          ),
      )
      const attributes = { transA: 1, transB: 1, alpha: { float: 2 } }
      expectClose(runOperator('FusedMatMul', [x, y], attributes, { domain: 'com.microsoft' })[0], [2, 4, 5], expected)
    })

    it('MatMul of integers wraps', () => {
      const [x, y] = [value(Int32Array.of(2 ** 30, 3), [1, 2]), value(Int32Array.of(4, 5), [2])]
      expect(runOperator('MatMul', [x, y], {}, { types: ['int32'] })[0]).toEqual({ dims: [1], values: [15] })
    })
  })

  it('the step of a single window decides nothing, and axes are taken where older opsets have them', () => {
    const x = value(Float32Array.of(1, 2, 3), [1, 1, 1, 3])
    const w = value(Float32Array.of(10, 1), [1, 1, 1, 2])
    expect(runOperator('Conv', [x, w], { strides: [2 ** 31 - 1, 1] })[0]).toEqual({
      dims: [1, 1, 1, 2],
      values: [12, 23],
    })
    const [pooled] = runOperator('MaxPool', [x], { kernel_shape: [1, 3], strides: [2 ** 31 - 1, 2 ** 31 - 1] })
    expect(pooled).toEqual({ dims: [1, 1, 1, 1], values: [3] })
    const most = runOperator('ReduceMax', [value(Float32Array.of(1, 4, 3, 2), [2, 2])], { axes: [1] }, { version: 19 })
    expect(most[0]).toEqual({ dims: [2, 1], values: [4, 3] })
  })

  it('ArgMax, TopK, OneHot, CumSum and GatherElements find and take values along any axis', () => {
    const values = tensor([3, 4, 2])
    const line = (a: number, c: number) => [0, 1, 2, 3].map((b) => floatsOf(values)[(a * 4 + b) * 2 + c])
    const lines = [...places([3, 2])].map(([a, c]) => line(a, c))
    const [arg] = runOperator('ArgMax', [values], { axis: 1, keepdims: 0 }, { types: ['int64'] })
    expect(arg).toEqual({ dims: [3, 2], values: lines.map((own) => own.indexOf(Math.max(...own))) })
    const [top, where] = runOperator(
      'TopK',
      [values, integers(2)],
      { axis: 1, largest: 0 },
      { types: ['float32', 'int64'] },
    )
    const expected = [...places([3, 2, 2])].map(([a, k, c]) => line(a, c).sort((p, q) => p - q)[k])
    expectClose(top, [3, 2, 2], expected, 0)
    expect(where.values).toEqual([...places([3, 2, 2])].map(([a, , c], i) => line(a, c).indexOf(expected[i])))
    const equal = value(Float32Array.of(1, 2, 1, 2), [4])
    const ties = runOperator('TopK', [equal, integers(4)], {}, { types: ['float32', 'int64'] })
    expect(ties.map((one) => one.values)).toEqual([
      [2, 2, 1, 1],
      [1, 3, 0, 2],
    ])
    const back = runOperator('TopK', [values], { k: 1, axis: 1 }, { version: 7, types: ['float32'] })[0]
    expect(back.values).toEqual(lines.map((own) => Math.max(...own)))
    const [sums] = runOperator('CumSum', [values, value(Int32Array.of(1), [])], { reverse: 1, exclusive: 1 })
    expectClose(
      sums,
      [3, 4, 2],
      [...places([3, 4, 2])].map(([a, b, c]) =>
        line(a, c)
          .slice(b + 1)
          .reduce((sum, one) => sum + one, 0),
      ),
    )
    const hot = runOperator(
      'OneHot',
      [integers(2, -1, 5), value(BigInt64Array.of(3n), []), value(Float32Array.of(0, 7), [2])],
      { axis: 0 },
    )
    expect(hot[0]).toEqual({ dims: [3, 3], values: [0, 0, 0, 0, 0, 0, 7, 7, 0] })
  })
})
