// What moves values, and changes shapes and types.

import { count, largest, list, replaced, within } from './common.mjs'

const keep = ({ type, low, high, isExact }, dims) => ({ type, low, high, isExact, dims })
const anything = (g, most = 4) => {
  const type = g.of(['float32', 'float32', 'int64', 'bool'])
  const fits = (one) => one.dims.length > g.first && one.dims.length <= most
  return g.any(type, fits, () => g.dims(g.first + 1 + g.below(3)))
}

export const layouts = {
  Transpose: {
    since: 7,
    add(g) {
      const x = anything(g)
      const perm = x.dims.map((_, i) => i)
      for (let i = perm.length - 1; i > g.first; i--) {
        const j = g.first + g.below(i + 1 - g.first)
        ;[perm[i], perm[j]] = [perm[j], perm[i]]
      }
      g.emit(
        'Transpose',
        [x],
        { perm },
        keep(
          x,
          perm.map((axis) => x.dims[axis]),
        ),
      )
    },
  },
  Reshape: {
    since: 7,
    add(g) {
      const x = anything(g)
      const kept = x.dims.slice(0, g.first)
      const rest = count(x.dims.slice(g.first))
      const [shape, dims] = g.of([
        [
          [...kept.map(() => 0), -1],
          [...kept, rest],
        ],
        [
          [...kept.map(() => 0), 1, -1],
          [...kept, 1, rest],
        ],
        [
          [...x.dims.map(() => 0), 1],
          [...x.dims, 1],
        ],
        [
          [...kept.map(() => 0), rest, 1, 1],
          [...kept, rest, 1, 1],
        ],
      ])
      if (dims.length > 5) return
      g.emit('Reshape', [x, g.integers(shape)], {}, keep(x, dims))
    },
  },
  Flatten: {
    since: 9,
    add(g) {
      const x = anything(g)
      const axis = g.rows === undefined ? g.below(x.dims.length + 1) : 1
      g.emit('Flatten', [x], { axis }, keep(x, [count(x.dims.slice(0, axis)), count(x.dims.slice(axis))]))
    },
  },
  Unsqueeze: {
    since: 7,
    add(g) {
      const x = anything(g, 3)
      const axis = g.first + g.below(x.dims.length + 1 - g.first)
      const { inputs, attributes } = list(g, 13, 'axes', [axis])
      g.emit('Unsqueeze', [x, ...inputs], attributes, keep(x, [...x.dims.slice(0, axis), 1, ...x.dims.slice(axis)]))
    },
  },
  Squeeze: {
    since: 7,
    add(g) {
      const hasOne = (one) => one.type !== 'bool' && one.dims.includes(1, g.first)
      const x = g.any('float32', hasOne, () => [...g.dims(g.first + 1), 1])
      const axis = x.dims.indexOf(1, g.first)
      const { inputs, attributes } = list(g, 13, 'axes', [axis])
      g.emit(
        'Squeeze',
        [x, ...inputs],
        attributes,
        keep(
          x,
          x.dims.filter((_, i) => i !== axis),
        ),
      )
    },
  },
  Concat: {
    since: 7,
    add(g) {
      const x = anything(g)
      const { axis, written } = g.axis(x)
      const fits = (one) =>
        one.dims.length === x.dims.length && one.dims.every((size, i) => i === axis || size === x.dims[i])
      const y = g.any(x.type, fits, () => x.dims)
      const all = g.flag() ? [x, y] : [y, x, y]
      const dims = replaced(
        x.dims,
        axis,
        all.reduce((sum, one) => sum + one.dims[axis], 0),
      )
      const bounds = { low: Math.min(x.low, y.low), high: Math.max(x.high, y.high), isExact: x.isExact && y.isExact }
      g.emit('Concat', all, { axis: written }, { type: x.type, dims, ...bounds })
    },
  },
  Split: {
    since: 7,
    add(g) {
      const x = anything(g)
      const { axis, written } = g.axis(x)
      if (x.dims[axis] < 2) return
      const first = 1 + g.below(x.dims[axis] - 1)
      const parts = [first, x.dims[axis] - first]
      const { inputs, attributes } = list(g, 13, 'split', parts)
      g.emitAll(
        'Split',
        [x, ...inputs],
        { ...attributes, axis: written },
        parts.map((size) => keep(x, replaced(x.dims, axis, size))),
      )
    },
  },
  Slice: {
    since: 7,
    add(g) {
      const x = anything(g)
      const { axis } = g.axis(x)
      const size = x.dims[axis]
      const step = g.version >= 10 ? g.of([1, 1, 2, -1]) : 1
      const start = g.below(size)
      const end = step > 0 ? Math.min(size, start + 1 + g.below(size)) : -(2 ** 31)
      const length = step > 0 ? Math.ceil((end - start) / step) : start + 1
      const lists = { starts: [start], ends: [end], axes: [axis], ...(g.version >= 10 && { steps: [step] }) }
      const isInput = g.version >= 10
      const inputs = isInput ? Object.values(lists).map((one) => g.integers(one)) : []
      g.emit('Slice', [x, ...inputs], isInput ? {} : lists, keep(x, replaced(x.dims, axis, length)))
    },
  },
  Expand: {
    since: 8,
    add(g) {
      const x = anything(g)
      const dims = x.dims.map((size, i) => (size === 1 && i >= g.first ? 1 + g.below(4) : size))
      const asked = dims.map((size, i) => (i < g.first ? 1 : size))
      g.emit('Expand', [x, g.integers(asked)], {}, keep(x, dims))
    },
  },
  Tile: {
    since: 7,
    add(g) {
      const x = anything(g)
      const times = x.dims.map((_, i) => (i < g.first ? 1 : 1 + g.below(2)))
      g.emit(
        'Tile',
        [x, g.integers(times)],
        {},
        keep(
          x,
          x.dims.map((size, i) => size * times[i]),
        ),
      )
    },
  },
  Pad: {
    since: 7,
    add(g) {
      const x = g.float()
      const mode = g.of(['constant', 'reflect', 'edge'])
      const pad = () =>
        x.dims.map((size, i) => (i < g.first || g.flag() ? 0 : Math.min(2, mode === 'reflect' ? size - 1 : 2)))
      const [before, after] = [pad(), pad()]
      const { inputs, attributes } = list(g, 11, 'pads', [...before, ...after])
      const dims = x.dims.map((size, i) => size + before[i] + after[i])
      g.emit(
        'Pad',
        [x, ...inputs],
        { ...attributes, mode },
        { ...keep(x, dims), low: Math.min(0, x.low), high: Math.max(0, x.high) },
      )
    },
  },
  Shape: {
    since: 7,
    add(g) {
      const x = anything(g)
      if (g.rows !== undefined) return
      g.emit('Shape', [x], {}, { type: 'int64', dims: [x.dims.length], low: 1, high: 100, isExact: true })
    },
  },
  Size: {
    since: 7,
    add(g) {
      const x = anything(g)
      if (g.rows !== undefined) return
      g.emit('Size', [x], {}, { type: 'int64', dims: [], low: 1, high: 1e6, isExact: true })
    },
  },
  Cast: {
    since: 9,
    add(g) {
      const x = g.any(
        g.of(['float32', 'int64', 'bool', 'int32', 'uint8']),
        (one) => one.isExact && one.dims.length >= g.first && largest(one) < 1e6,
        () => g.dims(g.first + 1),
      )
      const [type, to] = g.of([
        ['float32', 1],
        ['int64', 7],
        ['int32', 6],
        ['bool', 9],
      ])
      const isBool = type === 'bool'
      g.emit(
        'Cast',
        [x],
        { to },
        { type, dims: x.dims, low: isBool ? 0 : x.low, high: isBool ? 1 : x.high, isExact: true },
      )
    },
  },
  CastLike: {
    since: 17,
    add(g) {
      const x = g.any(
        'int64',
        (one) => one.dims.length >= g.first && largest(one) < 1e6,
        () => g.dims(g.first + 1),
      )
      g.emit('CastLike', [x, g.constant('float32', [1])], {}, { dims: x.dims, low: x.low, high: x.high, isExact: true })
    },
  },
  ConstantOfShape: {
    since: 9,
    add(g) {
      const x = g.float()
      if (g.rows !== undefined) return
      const shape = g.emit('Shape', [x], {}, { type: 'int64', dims: [x.dims.length], low: 1, high: 100, isExact: true })
      g.emit('ConstantOfShape', [shape], {}, { dims: x.dims, low: 0, high: 0, isExact: true })
    },
  },
  Range: {
    since: 11,
    add(g) {
      if (g.rows !== undefined) return
      const n = 1 + g.below(9)
      const one = (number) => g.constant('float32', [], { make: () => number })
      g.emit('Range', [one(1), one(1 + n / 2), one(0.5)], {}, { dims: [n], low: 1, high: 6, isExact: true })
    },
  },
  DequantizeLinear: {
    since: 10,
    add(g) {
      const type = g.of(['uint8', 'int8'])
      const x = g.any(
        type,
        (one) => one.dims.length >= g.first,
        () => g.dims(g.first + 1),
      )
      const step = g.constant('float32', [], { make: () => 0.125, low: 0.125, high: 0.125 })
      g.emit(
        'DequantizeLinear',
        [x, step, g.constant(type, [], { make: () => 3 })],
        {},
        { dims: x.dims, ...within(2), isExact: true },
      )
    },
  },
}
