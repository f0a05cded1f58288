// What operators of random graphs have alike: sizes, bounds, and the two forms that a list has.

export const count = (dims) => dims.reduce((product, size) => product * size, 1)
export const replaced = (dims, axis, size) => dims.map((one, i) => (i === axis ? size : one))
export const largest = ({ low, high }) => Math.max(Math.abs(low), Math.abs(high))
export const within = (size) => ({ low: -size, high: size })

/** A list that is an attribute in old versions and an input in newer ones. */
export function list(g, since, name, values) {
  return g.version >= since
    ? { inputs: [g.integers(values)], attributes: {} }
    : { inputs: [], attributes: { [name]: values } }
}

export const monotone = (f) => (low, high) => [f(low), f(high)]
export const some = (g) => ({ float: g.of([0.25, 0.5, 1.5]) })
export const exact = (one) => one.isExact

/** A value that is at least `least`: of absolute values, a constant is added. */
export function positive(g, least, most = 16) {
  const x = g.tame(g.float(), most)
  const size = g.emit('Abs', [x], {}, { dims: x.dims, low: 0, high: largest(x), isExact: x.isExact })
  const more = g.constant('float32', [], { make: () => least })
  return g.emit('Add', [size, more], {}, { dims: x.dims, low: least, high: largest(x) + least })
}
