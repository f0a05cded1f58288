// Arithmetic, comparisons and logic of two values and more, and what is sound for positive ones only.

import { largest, monotone, positive, within } from './common.mjs'

const ofPositive = (opType, range, least = 0.5) => ({
  since: 7,
  add(g) {
    const x = positive(g, least)
    const [low, high] = range(x.low, x.high)
    g.emit(opType, [x], {}, { dims: x.dims, low, high })
  },
})

/** A value that broadcasts with another, and the sizes of what they make together. */
function partner(g, x, type = x.type) {
  const same = (one) => `${one.dims}` === `${x.dims}`
  const kind = g.below(4)
  if (kind === 0) return { y: g.any(type, same, () => x.dims), dims: x.dims }
  // Fewer axes, or some of size 1, in the file; a batch has its rows in axis 0.
  const from = g.below(x.dims.length + 1)
  const dims = x.dims.slice(from).map((size, i) => (from + i < g.first || g.flag() ? 1 : size))
  if (kind === 1 || g.rows !== undefined) return { y: g.constant(type, dims), dims: x.dims }
  const y = g.any(
    type,
    (one) => `${one.dims}` === `${dims}`,
    () => dims,
  )
  return { y, dims: x.dims }
}

const ranges = {
  Add: (a, b) => [a.low + b.low, a.high + b.high],
  Sub: (a, b) => [a.low - b.high, a.high - b.low],
  Mul: (a, b) => [-largest(a) * largest(b), largest(a) * largest(b)],
  Min: (a, b) => [Math.min(a.low, b.low), Math.min(a.high, b.high)],
  Max: (a, b) => [Math.max(a.low, b.low), Math.max(a.high, b.high)],
  Mean: (a, b) => [Math.min(a.low, b.low), Math.max(a.high, b.high)],
}
ranges.Sum = ranges.Add

const two = (opType, { types = ['float32'] } = {}) => ({
  since: opType === 'Min' || opType === 'Max' ? 8 : 7,
  add(g) {
    const type = g.of(types)
    const x =
      type === 'float32'
        ? g.tame(g.float())
        : g.any(
            type,
            (one) => one.dims.length >= g.first && largest(one) < 1e6,
            () => g.dims(g.first + 1),
          )
    const { y, dims } = partner(g, x)
    const [a, b] = g.flag() ? [x, y] : [y, x]
    const [low, high] = ranges[opType](a, b)
    const isFloat = type === 'float32'
    g.emit(
      opType,
      [a, b],
      {},
      {
        type,
        dims,
        low,
        high,
        isExact: !isFloat || (a.isExact && b.isExact && opType !== 'Mean' && largest({ low, high }) < 1e4),
      },
    )
  },
})

const compared = (opType, since, types) => ({
  since,
  add(g) {
    const type = g.of(types)
    const x = g.any(
      type,
      (one) => one.isExact && one.dims.length >= g.first,
      () => g.dims(g.first + 1),
    )
    const { y, dims } = partner(g, x)
    if (!y.isExact) return
    g.emit(opType, [x, y], {}, { type: 'bool', dims, isExact: true })
  },
})

const numbers = ['float32', 'float32', 'int64', 'int32']
export const binaries = {
  Add: two('Add', { types: numbers }),
  Sub: two('Sub', { types: numbers }),
  Mul: two('Mul', { types: numbers }),
  Min: two('Min'),
  Max: two('Max'),
  Mean: two('Mean'),
  Sum: two('Sum'),
  Equal: compared('Equal', 11, numbers),
  Less: compared('Less', 9, numbers),
  Greater: compared('Greater', 9, numbers),
  LessOrEqual: compared('LessOrEqual', 12, numbers),
  GreaterOrEqual: compared('GreaterOrEqual', 12, numbers),
  And: compared('And', 7, ['bool']),
  Or: compared('Or', 7, ['bool']),
  Xor: compared('Xor', 7, ['bool']),
  Not: {
    since: 7,
    add(g) {
      const x = g.any(
        'bool',
        (one) => one.dims.length >= g.first,
        () => g.dims(g.first + 1),
      )
      g.emit('Not', [x], {}, { type: 'bool', dims: x.dims, isExact: true })
    },
  },
  Log: ofPositive('Log', monotone(Math.log)),
  Sqrt: ofPositive('Sqrt', monotone(Math.sqrt)),
  Reciprocal: ofPositive('Reciprocal', (low, high) => [1 / high, 1 / low]),
  Pow: {
    since: 12,
    add(g) {
      const x = positive(g, 0.5, 4)
      const by = g.constant('float32', [], { make: () => g.of([2, 0.5, 3, -1, 1.5]), ...within(3) })
      g.emit('Pow', [x, by], {}, { dims: x.dims, low: 0, high: (x.high + 1) ** 3 })
    },
  },
  Div: {
    since: 7,
    add(g) {
      const x = g.tame(g.float())
      const y = positive(g, 1)
      const fits = `${x.dims}` === `${y.dims}`
      const by = fits ? y : g.constant('float32', [], { make: () => 1.5, low: 1.5, high: 1.5 })
      g.emit('Div', [x, by], {}, { dims: x.dims, ...within(largest(x)) })
    },
  },
  Mod: {
    since: 10,
    add(g) {
      const type = g.of(['int64', 'int32', 'float32'])
      const x = g.any(
        type,
        (one) => one.isExact && one.dims.length >= g.first,
        () => g.dims(g.first + 1),
      )
      const by = g.constant(type, [], { make: () => g.of([3, -3, 2]) })
      g.emit(
        'Mod',
        [x, by],
        { fmod: type === 'float32' ? 1 : g.below(2) },
        { type, dims: x.dims, ...within(3), isExact: true },
      )
    },
  },
  PRelu: {
    since: 9,
    add(g) {
      const x = g.tame(g.float())
      const slope = g.constant('float32', g.flag() ? [] : x.dims.slice(-1))
      g.emit('PRelu', [x, slope], {}, { dims: x.dims, ...within(4 * largest(x)) })
    },
  },
  Where: {
    since: 9,
    add(g) {
      const x = g.float()
      const { y } = partner(g, x)
      const condition = g.any(
        'bool',
        (one) => `${one.dims}` === `${x.dims}`,
        () => x.dims,
      )
      const isExact = x.isExact && y.isExact
      g.emit(
        'Where',
        [condition, x, y],
        {},
        { dims: x.dims, low: Math.min(x.low, y.low), high: Math.max(x.high, y.high), isExact },
      )
    },
  },
  Clip: {
    since: 7,
    add(g) {
      const x = g.float()
      const [low, high] = [-g.below(3) / 2, 0.5 + g.below(3) / 2]
      const bound = (one) => g.constant('float32', [], { make: () => one })
      const given = g.version >= 11 ? [g.flag() ? bound(low) : undefined, bound(high)] : []
      const attributes = g.version >= 11 ? {} : { min: { float: low }, max: { float: high } }
      const bottom = g.version >= 11 && given[0] === undefined ? Math.min(x.low, high) : low
      g.emit('Clip', [x, ...given], attributes, { dims: x.dims, low: bottom, high, isExact: x.isExact })
    },
  },
}
