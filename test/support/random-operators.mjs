// Every operator of a random graph: what it takes, what its attributes are, and which sizes and bounds its result has. Knows ONNX's
// shapes by itself, apart from the package.

import { GraphBuilder } from './random-graph.mjs'

const count = (dims) => dims.reduce((product, size) => product * size, 1)
const replaced = (dims, axis, size) => dims.map((one, i) => (i === axis ? size : one))
const largest = ({ low, high }) => Math.max(Math.abs(low), Math.abs(high))
const within = (size) => ({ low: -size, high: size })

/** A list that is an attribute in old versions and an input in newer ones. */
function list(g, since, name, values) {
  return g.version >= since
    ? { inputs: [g.integers(values)], attributes: {} }
    : { inputs: [], attributes: { [name]: values } }
}

/** One float in, one out, place by place. `range` makes bounds of bounds; `test` says which values it may have. */
const pointwise = (
  opType,
  range,
  { test, since = 7, attributes = () => ({}), isExact = false, most = 16, domain } = {},
) => ({
  since,
  add(g) {
    const x = g.tame(g.float({ test }), most)
    const [low, high] = range(x.low, x.high)
    const exact = isExact && x.isExact
    g.emit(opType, [x], attributes(g), { dims: x.dims, low, high, isExact: exact }, domain)
  },
})

const monotone = (f) => (low, high) => [f(low), f(high)]
const some = (g) => ({ float: g.of([0.25, 0.5, 1.5]) })
const exact = (one) => one.isExact
const unit = () => [-1, 1]

const pointwises = {
  Abs: pointwise('Abs', (low, high) => [low > 0 ? low : 0, Math.max(Math.abs(low), Math.abs(high))], { isExact: true }),
  Neg: pointwise('Neg', (low, high) => [-high, -low], { isExact: true }),
  Relu: pointwise(
    'Relu',
    monotone((x) => Math.max(0, x)),
    { isExact: true },
  ),
  Ceil: pointwise('Ceil', monotone(Math.ceil), { test: exact, isExact: true }),
  Floor: pointwise('Floor', monotone(Math.floor), { test: exact, isExact: true }),
  Round: pointwise('Round', monotone(Math.round), { test: exact, isExact: true, since: 11 }),
  Sign: pointwise('Sign', unit, { test: exact, isExact: true, since: 9 }),
  Identity: pointwise('Identity', (low, high) => [low, high], { isExact: true }),
  Dropout: pointwise('Dropout', (low, high) => [low, high], { isExact: true }),
  Sigmoid: pointwise('Sigmoid', () => [0, 1]),
  Tanh: pointwise('Tanh', unit),
  Erf: pointwise('Erf', unit, { since: 9 }),
  Sin: pointwise('Sin', unit),
  Cos: pointwise('Cos', unit),
  Softplus: pointwise('Softplus', (_, high) => [0, Math.max(0, high) + 1]),
  Softsign: pointwise('Softsign', unit),
  HardSigmoid: pointwise('HardSigmoid', () => [0, 1], { attributes: (g) => (g.flag() ? { alpha: some(g) } : {}) }),
  HardSwish: pointwise('HardSwish', (_, high) => [-1, Math.max(0, high)], { since: 14 }),
  Elu: pointwise('Elu', (_, high) => [-2, Math.max(0, high)], {
    attributes: (g) => (g.flag() ? { alpha: some(g) } : {}),
  }),
  Selu: pointwise('Selu', (_, high) => [-2, Math.max(0, 1.06 * high)]),
  LeakyRelu: pointwise('LeakyRelu', (low, high) => [Math.min(0, 2 * low), Math.max(0, high)], {
    attributes: (g) => ({ alpha: some(g) }),
  }),
  Gelu: pointwise('Gelu', (_, high) => [-1, Math.max(0, high)], {
    since: 20,
    attributes: (g) => (g.flag() ? { approximate: g.of(['tanh', 'none']) } : {}),
  }),
  'com.microsoft.Gelu': pointwise('Gelu', (_, high) => [-1, Math.max(0, high)], { domain: 'com.microsoft' }),
  Exp: pointwise('Exp', monotone(Math.exp), { most: 4 }),
}

/** A value that is at least `least`: of absolute values, a constant is added. */
function positive(g, least, most = 16) {
  const x = g.tame(g.float(), most)
  const size = g.emit('Abs', [x], {}, { dims: x.dims, low: 0, high: largest(x), isExact: x.isExact })
  const more = g.constant('float32', [], { make: () => least })
  return g.emit('Add', [size, more], {}, { dims: x.dims, low: least, high: largest(x) + least })
}

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
const binaries = {
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

const products = {
  MatMul: {
    since: 7,
    add(g, opType = 'MatMul') {
      const x = g.tame(g.float({ ranks: [2, 3, 4] }), 4)
      const [K, N] = [x.dims.at(-1), g.size()]
      const isBatched = g.below(3) === 0
      const leading = x.dims.slice(0, -2)
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

const windows = {
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

/** Gamma or beta: near 1, or small. */
const scale = (g, dims, around) =>
  g.constant('float32', dims, { make: () => around + ((g.noise() % 9) - 4) / 16, low: -2, high: 2 })
const epsilon = { float: 0.25 }

const norms = {
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

const reductions = {
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

const selections = {
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

const keep = ({ type, low, high, isExact }, dims) => ({ type, low, high, isExact, dims })
const anything = (g, most = 4) => {
  const type = g.of(['float32', 'float32', 'int64', 'bool'])
  const fits = (one) => one.dims.length > g.first && one.dims.length <= most
  return g.any(type, fits, () => g.dims(g.first + 1 + g.below(3)))
}

const layouts = {
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

const gates = { RNN: 1, GRU: 3, LSTM: 4 }
const recurrent = (opType) => ({
  since: 7,
  add(g) {
    // (T, B, I): time is axis 0, rows are axis 1.
    if (g.rows !== undefined) return
    const x = g.tame(g.float({ ranks: [3] }), 4)
    const [T, B, I] = x.dims
    const [H, D] = [1 + g.below(6), 1 + g.below(2)]
    const G = gates[opType]
    const inputs = [
      x,
      g.weights([D, G * H, I]),
      g.weights([D, G * H, H], 0.5),
      g.flag() ? g.weights([D, 2 * G * H]) : undefined,
    ]
    if (g.flag()) {
      const state = () =>
        g.any(
          'float32',
          (one) => `${one.dims}` === `${[D, B, H]}` && largest(one) <= 16,
          () => [D, B, H],
        )
      const lengths = g.flag() ? g.constant('int32', [B], { make: () => 1 + (g.noise() % T) }) : undefined
      inputs.push(lengths, state(), ...(opType === 'LSTM' ? [state()] : []))
    }
    const direction = D === 2 ? 'bidirectional' : g.of(['forward', 'reverse'])
    const state = { dims: [D, B, H], ...within(17) }
    const results = [
      { dims: [T, D, B, H], ...within(17) },
      state,
      ...(opType === 'LSTM' ? [{ ...state, ...within(16 + T) }] : []),
    ]
    g.emitAll(
      opType,
      inputs,
      { hidden_size: H, direction, ...(opType === 'GRU' && { linear_before_reset: g.below(2) }) },
      results,
    )
  },
})

/** Every operator by name: from which opset on, and what adds a node of it to a graph. */
export const operators = {
  ...pointwises,
  ...binaries,
  ...products,
  ...windows,
  ...norms,
  ...reductions,
  ...selections,
  ...layouts,
  RNN: recurrent('RNN'),
  GRU: recurrent('GRU'),
  LSTM: recurrent('LSTM'),
}

/**
 * A graph of a list of numbers.
 *
 * @param {readonly number[]} choices
 * @param {{ rows?: number, names?: readonly string[] }} [options] `names`: the operators that it may have
 */
export function randomGraph(choices, { rows, names = Object.keys(operators) } = {}) {
  const g = new GraphBuilder(choices, rows)
  const nodes = 1 + g.below(12)
  for (let tries = 0; g.nodes.length < nodes && tries < 40; tries++) {
    const operator = operators[g.of(names)]
    if (g.version >= operator.since) operator.add(g)
  }
  if (g.nodes.length === 0) operators.Abs.add(g)
  return g.done()
}
