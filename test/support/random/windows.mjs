// Convolutions and pools over one or two axes.

import { count, largest, within } from './common.mjs'

/** A window over 1 or 2 axes: attributes, and the sizes that it gives; undefined where it does not fit. */
function windowed(g, sizes, { isPool = false } = {}) {
  const ones = sizes.map(() => 1)
  const kernel = sizes.map(() => 1 + g.below(3))
  const strides = g.flag() ? sizes.map(() => 1 + g.below(2)) : ones
  const dilations = !isPool && g.below(3) === 1 ? sizes.map(() => 1 + g.below(2)) : ones
  const extent = kernel.map((one, i) => (one - 1) * dilations[i] + 1)
  // onnxruntime takes no window that is shorter than its step.
  const isCovering = kernel.every((one, i) => one >= strides[i])
  if (g.below(6) === 1 && dilations === ones && isCovering) {
    const auto_pad = g.of(['SAME_UPPER', 'SAME_LOWER'])
    return {
      kernel,
      attributes: { kernel_shape: kernel, strides, auto_pad },
      sizes: sizes.map((size, i) => Math.ceil(size / strides[i])),
    }
  }
  const pad = () => sizes.map((_, i) => (g.flag() ? Math.min(g.below(3), kernel[i] - 1) : 0))
  const [before, after] = [pad(), pad()]
  const left = sizes.map((size, i) => size + before[i] + after[i] - extent[i])
  if (left.some((size) => size < 0)) return undefined
  const attributes = {
    kernel_shape: kernel,
    strides,
    pads: [...before, ...after],
    ...(dilations !== ones && { dilations }),
  }
  return {
    kernel,
    attributes,
    strides,
    dilations,
    before,
    after,
    sizes: left.map((size, i) => Math.floor(size / strides[i]) + 1),
  }
}

const pooled = (opType) => ({
  since: 7,
  add(g) {
    const x = g.float({ ranks: [3, 4] })
    const found = windowed(g, x.dims.slice(2), { isPool: true })
    if (!found) return
    const more = opType === 'AveragePool' && g.flag() ? { count_include_pad: 1 } : {}
    const isExact = opType === 'MaxPool' && x.isExact
    g.emit(
      opType,
      [x],
      { ...found.attributes, ...more },
      { dims: [...x.dims.slice(0, 2), ...found.sizes], low: Math.min(0, x.low), high: Math.max(0, x.high), isExact },
    )
  },
})

const overSpace = (opType) => ({
  since: 7,
  add(g) {
    const x = g.float({ ranks: [3, 4] })
    const isExact = opType === 'GlobalMaxPool' && x.isExact
    g.emit(opType, [x], {}, { dims: x.dims.map((size, i) => (i < 2 ? size : 1)), low: x.low, high: x.high, isExact })
  },
})

export const windows = {
  MaxPool: pooled('MaxPool'),
  AveragePool: pooled('AveragePool'),
  GlobalAveragePool: overSpace('GlobalAveragePool'),
  GlobalMaxPool: overSpace('GlobalMaxPool'),
  Conv: {
    since: 7,
    add(g) {
      const x = g.tame(g.float({ ranks: [3, 4] }), 4)
      const found = windowed(g, x.dims.slice(2))
      if (!found) return
      const C = x.dims[1]
      const group = g.of([1, 1, C])
      const M = group * (1 + g.below(3))
      const inputs = [x, g.weights([M, C / group, ...found.kernel]), ...(g.flag() ? [g.weights([M])] : [])]
      const high = (C / group) * count(found.kernel) * largest(x) + 1
      const y = g.emit(
        'Conv',
        inputs,
        { ...found.attributes, group },
        { dims: [x.dims[0], M, ...found.sizes], ...within(high) },
      )
      if (g.flag()) g.emit('Relu', [y], {}, { dims: y.dims, low: 0, high })
    },
  },
  ConvTranspose: {
    since: 7,
    add(g) {
      const x = g.tame(g.float({ ranks: [3, 4] }), 4)
      const found = windowed(g, x.dims.slice(2))
      if (!found?.before) return
      const { kernel, strides, dilations, before, after } = found
      const sizes = x.dims
        .slice(2)
        .map((size, i) => strides[i] * (size - 1) + (kernel[i] - 1) * dilations[i] + 1 - before[i] - after[i])
      if (sizes.some((size) => size < 1)) return
      const C = x.dims[1]
      const group = g.of([1, 1, C])
      const M = 1 + g.below(3)
      const inputs = [x, g.weights([C, M, ...kernel]), ...(g.flag() ? [g.weights([group * M])] : [])]
      const dims = [x.dims[0], group * M, ...sizes]
      g.emit(
        'ConvTranspose',
        inputs,
        { ...found.attributes, group },
        { dims, ...within(C * count(kernel) * largest(x) + 1) },
      )
    },
  },
}
