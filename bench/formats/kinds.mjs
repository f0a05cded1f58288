/** The ways to keep weights that are timed, float32 first; how many bytes a weight has, and how far results may be off float32's. */
export const kinds = [
  { name: 'f32', precision: {}, bytes: 4, tolerance: 0 },
  { name: 'f16', precision: { weights: 'f16' }, bytes: 2, tolerance: 2e-3 },
  { name: 'bf16', precision: { weights: 'bf16' }, bytes: 2, tolerance: 1e-2 },
  { name: 'int8', precision: { weights: 'int8' }, bytes: 1, tolerance: 2e-2 },
  {
    name: 'int8 × int8',
    precision: { weights: 'int8', activations: 'int8' },
    bytes: 1,
    tolerance: 3e-2,
    integers: true,
  },
]

export const narrow = kinds.slice(1)

/** What rivals, which compute with integers of 8 bits, are held against. */
export const integers = kinds.at(-1)

/** The time of float32 over that of a kind. */
export const gain = ({ times }, { name }) => times.f32.us / times[name].us

export const geometric = (values) =>
  Math.exp(values.reduce((total, value) => total + Math.log(value), 0) / values.length)

/** The sizes that the geometric means are over: weights that lie in no first-level cache. */
export const meanFrom = 256
