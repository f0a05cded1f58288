// Reductions and softmax.

import { count, largest, list, positive, within } from './common.mjs'

const softmaxed = (opType, range) => ({
  since: 7,
  add(g) {
    const x = g.tame(g.float())
    const axis = g.version >= 13 ? g.axis(x).written : x.dims.length - 1
    if (g.version < 13 && x.dims.length - 1 < g.first) return
    g.emit(opType, [x], { axis }, { dims: x.dims, ...range(x) })
  },
})

/** `range` of the bounds of x and how many values go together. */
const reduced = (opType, since, range, prepare = (g) => g.tame(g.float())) => ({
  since: 7,
  add(g) {
    const x = prepare(g)
    if (x.dims.length === 0) return
    const axes = [...new Set([g.axis(x), ...(g.flag() ? [g.axis(x)] : [])].map(({ axis }) => axis))].sort()
    const keepdims = g.below(2)
    const dims = x.dims.flatMap((size, i) => (axes.includes(i) ? (keepdims ? [1] : []) : [size]))
    const n = count(axes.map((axis) => x.dims[axis]))
    const { inputs, attributes } = list(g, since, 'axes', axes)
    const [low, high] = range(x, n)
    g.emit(
      opType,
      [x, ...inputs],
      { ...attributes, keepdims },
      { dims, low, high, isExact: x.isExact && /M(ax|in)$/.test(opType) },
    )
  },
})

export const reductions = {
  Softmax: softmaxed('Softmax', () => ({ low: 0, high: 1 })),
  LogSoftmax: softmaxed('LogSoftmax', (x) => within(2 * largest(x) + 3)),
  ReduceSum: reduced('ReduceSum', 13, (x, n) => [n * Math.min(0, x.low), n * Math.max(0, x.high)]),
  ReduceMean: reduced('ReduceMean', 18, (x) => [x.low, x.high]),
  ReduceMax: reduced('ReduceMax', 18, (x) => [x.low, x.high]),
  ReduceMin: reduced('ReduceMin', 18, (x) => [x.low, x.high]),
  ReduceL1: reduced('ReduceL1', 18, (x, n) => [0, n * largest(x)]),
  ReduceL2: reduced(
    'ReduceL2',
    18,
    (x, n) => [0, Math.sqrt(n) * largest(x)],
    (g) => positive(g, 0.5),
  ),
  ReduceSumSquare: reduced('ReduceSumSquare', 18, (x, n) => [0, n * largest(x) ** 2]),
  ReduceLogSumExp: reduced('ReduceLogSumExp', 18, (x, n) => [x.low, x.high + Math.log(n)]),
  ReduceProd: reduced(
    'ReduceProd',
    18,
    (x, n) => [-(largest(x) ** Math.min(n, 30)), largest(x) ** Math.min(n, 30)],
    (g) => {
      const x = g.float()
      return g.emit('Sigmoid', [g.tame(x)], {}, { dims: x.dims, low: 0, high: 1 })
    },
  ),
}
