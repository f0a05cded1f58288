// Operators of one float, place by place.

import { exact, monotone, some } from './common.mjs'

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

const unit = () => [-1, 1]

export const pointwises = {
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
