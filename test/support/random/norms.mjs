// Normalisations; their epsilon is large, so that little is divided by next to nothing.

import { count, largest, within } from './common.mjs'

/** Gamma or beta: near 1, or small. */
const scale = (g, dims, around) =>
  g.constant('float32', dims, { make: () => around + ((g.noise() % 9) - 4) / 16, low: -2, high: 2 })
const epsilon = { float: 0.25 }

export const norms = {
  BatchNormalization: {
    since: 9,
    add(g) {
      const x = g.tame(g.float({ ranks: [2, 3, 4] }))
      const C = [x.dims[1]]
      const variance = g.constant('float32', C, { make: () => 0.5 + (g.noise() % 9) / 8 })
      g.emit(
        'BatchNormalization',
        [x, scale(g, C, 1), scale(g, C, 0), g.weights(C), variance],
        { epsilon },
        { dims: x.dims, ...within(4 * largest(x) + 4) },
      )
    },
  },
  InstanceNormalization: {
    since: 7,
    add(g) {
      const x = g.tame(g.float({ ranks: [3, 4] }))
      const C = [x.dims[1]]
      g.emit(
        'InstanceNormalization',
        [x, scale(g, C, 1), scale(g, C, 0)],
        { epsilon },
        { dims: x.dims, ...within(2 * Math.sqrt(count(x.dims.slice(2))) + 2) },
      )
    },
  },
  LayerNormalization: {
    since: 17,
    add(g) {
      const x = g.tame(g.float({ ranks: [2, 3, 4] }))
      const { axis, written } = g.axis(x)
      const dims = x.dims.slice(axis)
      const inputs = [x, scale(g, dims, 1), ...(g.flag() ? [scale(g, dims, 0)] : [])]
      g.emit(
        'LayerNormalization',
        inputs,
        { epsilon, axis: written },
        { dims: x.dims, ...within(2 * Math.sqrt(count(dims)) + 2) },
      )
    },
  },
  GroupNormalization: {
    since: 21,
    add(g) {
      const x = g.tame(g.float({ ranks: [3, 4] }))
      const C = x.dims[1]
      const num_groups = g.of([1, C])
      g.emit(
        'GroupNormalization',
        [x, scale(g, [C], 1), scale(g, [C], 0)],
        { epsilon, num_groups },
        { dims: x.dims, ...within(2 * Math.sqrt(count(x.dims.slice(1))) + 2) },
      )
    },
  },
  SkipLayerNormalization: {
    since: 7,
    add(g) {
      const x = g.tame(g.float({ ranks: [3] }))
      const skip = g.tame(
        g.any(
          'float32',
          (one) => `${one.dims}` === `${x.dims}`,
          () => x.dims,
        ),
      )
      const H = [x.dims[2]]
      g.emit(
        'SkipLayerNormalization',
        [x, skip, scale(g, H, 1), scale(g, H, 0)],
        { epsilon },
        { dims: x.dims, ...within(2 * Math.sqrt(H[0]) + 2) },
        'com.microsoft',
      )
    },
  },
}
