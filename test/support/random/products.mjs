// Matrix products.

import { largest, some, within } from './common.mjs'

export const products = {
  MatMul: {
    since: 7,
    add(g, opType = 'MatMul') {
      const x = g.tame(g.float({ ranks: [2, 3, 4] }), 4)
      const [K, N] = [x.dims.at(-1), g.size()]
      const leading = x.dims.slice(0, -2)
      const isBatched = g.below(3) === 0 && leading.length >= g.first
      const shape = [...(isBatched ? leading : []), K, N]
      const w = isBatched
        ? g.any(
            'float32',
            (one) => `${one.dims}` === `${shape}`,
            () => shape,
          )
        : g.weights([K, N])
      if (largest(w) > 64) return
      const dims = isBatched || x.dims.length > 2 ? [...leading, x.dims.at(-2), N] : [x.dims[0], N]
      const alpha = opType === 'FusedMatMul' ? { alpha: some(g) } : {}
      g.emit(
        opType,
        [x, w],
        alpha,
        { dims, ...within(2 * K * largest(x) * largest(w)) },
        opType === 'MatMul' ? '' : 'com.microsoft',
      )
    },
  },
  FusedMatMul: { since: 7, add: (g) => products.MatMul.add(g, 'FusedMatMul') },
  Gemm: {
    since: 7,
    add(g) {
      const x = g.tame(g.float({ ranks: [2] }), 4)
      const transA = g.rows === undefined && g.flag()
      const transB = g.flag()
      const [M, K] = transA ? [...x.dims].reverse() : x.dims
      const N = g.size()
      const w = g.weights(transB ? [N, K] : [K, N])
      const c = g.of([undefined, [N], [1, N], [1]])
      const inputs = [x, w, ...(c || g.version < 11 ? [g.weights(c ?? [N])] : [])]
      const attributes = {
        ...(transA && { transA: 1 }),
        ...(transB && { transB: 1 }),
        ...(g.flag() && { alpha: some(g), beta: some(g) }),
      }
      g.emit('Gemm', inputs, attributes, { dims: [M, N], ...within(2 * K * largest(x) + 2) })
    },
  },
  Einsum: {
    since: 12,
    add(g) {
      const x = g.tame(g.float({ ranks: [3] }), 4)
      const [b, i, k] = x.dims
      const [equation, shape, dims] = g.of([
        ['bik,kj->bij', [k, 3], [b, i, 3]],
        ['bik,bjk->bij', [b, 2, k], [b, i, 2]],
        ['bik,bik->bi', [b, i, k], [b, i]],
        ['bik,kj->bji', [k, 4], [b, 4, i]],
      ])
      const y =
        shape[0] === b && shape.length === 3
          ? g.any(
              'float32',
              (one) => `${one.dims}` === `${shape}`,
              () => shape,
            )
          : g.weights(shape)
      if (largest(y) > 64) return
      g.emit('Einsum', [x, y], { equation }, { dims, ...within(k * largest(x) * largest(y)) })
    },
  },
}
