// What chooses or counts along an axis.

import { exact, largest, replaced, within } from './common.mjs'

const best = (opType) => ({
  since: 7,
  add(g) {
    const x = g.float({ test: exact })
    const { axis, written } = g.axis(x)
    const keepdims = g.below(2)
    const last = g.version >= 12 && g.flag() ? { select_last_index: 1 } : {}
    const dims = x.dims.flatMap((size, i) => (i === axis ? (keepdims ? [1] : []) : [size]))
    g.emit(
      opType,
      [x],
      { axis: written, keepdims, ...last },
      { type: 'int64', dims, low: 0, high: x.dims[axis], isExact: true },
    )
  },
})

/** Indices below a size, given when it runs or in the file, some from the end. */
function indices(g, dims, size, { fromEnd = g.version >= 11 } = {}) {
  const make = () => (g.noise() % size) - (fromEnd && g.noise() % 4 === 0 ? size : 0)
  const type = g.of(['int64', 'int32'])
  return g.rows === undefined && g.flag()
    ? g.input(type, dims, { make, ...within(size) })
    : g.constant(type, dims, { make, ...within(size) })
}

export const selections = {
  ArgMax: best('ArgMax'),
  ArgMin: best('ArgMin'),
  TopK: {
    since: 10,
    add(g) {
      const x = g.float({ test: exact })
      const { axis, written } = g.axis(x)
      const k = 1 + g.below(x.dims[axis])
      const dims = replaced(x.dims, axis, k)
      const attributes = { axis: written, ...(g.version >= 11 && { largest: g.below(2) }) }
      const same = { dims, isExact: true, low: x.low, high: x.high }
      g.emitAll('TopK', [x, g.integers([k])], attributes, [
        same,
        { ...same, type: 'int64', low: 0, high: x.dims[axis] },
      ])
    },
  },
  CumSum: {
    since: 11,
    add(g) {
      const x = g.tame(g.float())
      const { axis, written } = g.axis(x)
      const at = g.constant('int64', [], { make: () => written })
      g.emit(
        'CumSum',
        [x, at],
        { exclusive: g.below(2), reverse: g.below(2) },
        { dims: x.dims, ...within(x.dims[axis] * largest(x)) },
      )
    },
  },
  OneHot: {
    since: 11,
    add(g) {
      const depth = 2 + g.below(4)
      const places = g.any(
        'int64',
        (one) => one.dims.length >= 1 && one.dims.length < 4,
        () => g.dims(g.first + 1),
      )
      const { axis, written } = g.axis(places, 1)
      const dims = [...places.dims.slice(0, axis), depth, ...places.dims.slice(axis)]
      const values = g.constant('float32', [2], { make: (i) => [0.5, 2][i], low: 0.5, high: 2 })
      g.emit(
        'OneHot',
        [places, g.constant('int64', [], { make: () => depth }), values],
        { axis: written },
        { dims, low: 0.5, high: 2, isExact: true },
      )
    },
  },
  Gather: {
    since: 7,
    add(g) {
      const x = g.any(
        g.of(['float32', 'int64']),
        (one) => one.dims.length > g.first && one.dims.length < 4,
        () => g.dims(g.first + 1 + g.below(2)),
      )
      const { axis, written } = g.axis(x)
      const chosen = g.of([[], [3], [2, 2]])
      const dims = [...x.dims.slice(0, axis), ...chosen, ...x.dims.slice(axis + 1)]
      const { type, low, high, isExact } = x
      g.emit('Gather', [x, indices(g, chosen, x.dims[axis])], { axis: written }, { type, low, high, isExact, dims })
    },
  },
  GatherElements: {
    since: 11,
    add(g) {
      const x = g.float()
      const { axis, written } = g.axis(x)
      const dims = replaced(x.dims, axis, 1 + g.below(4))
      const { low, high, isExact } = x
      if (g.rows !== undefined) return
      g.emit('GatherElements', [x, indices(g, dims, x.dims[axis])], { axis: written }, { low, high, isExact, dims })
    },
  },
}
