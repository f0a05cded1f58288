// A random graph under construction: its values with their shapes and bounds, its nodes, and the file that it becomes. It knows no
// operator; the files beside have these.

import { node, value } from '../run-graph.mjs'
import { modelFile } from '../run-model.mjs'

/**
 * @typedef {object} Value what the builder knows of a value
 * @property {string} name
 * @property {string} type NumPy's name
 * @property {readonly number[]} dims
 * @property {number} low no value lies below
 * @property {number} high
 * @property {boolean} isExact whether every implementation must give the same bits: such values may be compared, rounded and sorted
 * @property {boolean} [isConstant]
 */

const arrays = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
}

const count = (dims) => dims.reduce((product, size) => product * size, 1)

/** What values of a type are made of: a random number of 16 bits. Floats are multiples of 1/8, so that sums of few are exact. */
const makers = {
  float32: { low: -4, high: 4, make: (n) => ((n % 65) - 32) / 8 },
  bool: { low: 0, high: 1, make: (n) => n % 2 },
  uint8: { low: 0, high: 9, make: (n) => n % 10 },
  other: { low: -5, high: 5, make: (n) => (n % 11) - 5 },
}

/** Values of a type, in order `make`s; bigints for int64. */
export function filled(type, dims, make) {
  const array = new arrays[type](count(dims))
  for (let i = 0; i < array.length; i++) array[i] = type === 'int64' ? BigInt(make(i)) : make(i)
  return value(array, [...dims], type)
}

const versions = [9, 11, 13, 17, 18, 21]

export class GraphBuilder {
  /** @type {Value[]} */
  values = []
  nodes = []
  inputs = new Map()
  constants = new Map()
  /** Names of values that a node reads. */
  read = new Set()
  #choices
  #at = 0
  #noise = 1
  #names = 0
  #isOpen = false

  /**
   * @param {readonly number[]} choices every decision takes the next one; after their end each is 0, so that fewer make a smaller graph
   * @param {readonly string[]} names the operators that it may have
   * @param {number} [rows] in a graph whose axis 0 is a batch: how many rows there are. No operator mixes them.
   */
  constructor(choices, names, rows) {
    this.#choices = choices
    this.names = names
    this.rows = rows
    this.version = versions[this.below(versions.length)]
  }

  /** An integer from 0 to n − 1. */
  below(n) {
    return (this.#choices[this.#at++] ?? 0) % n
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  of(list) {
    return list[this.below(list.length)]
  }

  flag() {
    return this.below(2) === 1
  }

  /** The first axis that an operator may touch. */
  get first() {
    return this.rows === undefined ? 0 : 1
  }

  size() {
    return this.of([1, 2, 3, 4, 5, 3, 2, 7, 17])
  }

  /** Sizes for a rank. */
  dims(rank) {
    return Array.from({ length: rank }, (_, axis) => (axis === 0 && this.rows ? this.rows : this.size()))
  }

  noise() {
    this.#noise = (Math.imul(this.#noise, 1664525) + 1013904223) >>> 0
    return this.#noise >>> 15
  }

  name() {
    return `v${this.#names++}`
  }

  /** A value that is given when the graph runs; `make` gives its values in order. */
  input(type, dims, { make, low, high } = {}) {
    return this.#given(this.inputs, type, dims, make, low, high)
  }

  /** A value that stands in the file. */
  constant(type, dims, { make, low, high } = {}) {
    return { ...this.#given(this.constants, type, dims, make, low, high), isConstant: true }
  }

  #given(map, type, dims, make, low, high) {
    const maker = makers[type] ?? makers.other
    const one = filled(type, dims, make ?? (() => maker.make(this.noise())))
    const name = this.name()
    map.set(name, one)
    const made = { name, type, dims: [...dims], low: low ?? maker.low, high: high ?? maker.high, isExact: true }
    if (map === this.inputs) this.values.push(made)
    return made
  }

  /** int64 in the file. */
  integers(list) {
    return this.constant('int64', [list.length], { make: (i) => list[i] })
  }

  /** Weights: floats in ±size. */
  weights(dims, size = 1) {
    return this.constant('float32', dims, {
      make: () => (((this.noise() % 255) - 127) / 128) * size,
      low: -size,
      high: size,
    })
  }

  /** A value that there is and that passes the test, or a new input of these sizes. */
  any(type, test, dims) {
    const fits = this.values.filter((one) => one.type === type && test(one))
    if (fits.length > 0 && this.below(5) > 0) return fits[fits.length - 1 - this.below(Math.min(fits.length, 4))]
    return this.input(type, dims())
  }

  /** A float whose rank is one of these. */
  float({ ranks = [1, 2, 3, 4], test = () => true } = {}) {
    // In a batch one axis is left to be touched.
    const allowed = ranks.filter((rank) => rank > this.first)
    return this.any(
      'float32',
      (one) => allowed.includes(one.dims.length) && test(one),
      () => this.dims(this.of(allowed)),
    )
  }

  /** A value whose bounds are within ±most: itself, or scaled by a power of 2. */
  tame(one, most = 16) {
    const size = Math.max(Math.abs(one.low), Math.abs(one.high))
    if (size <= most) return one
    const factor = 2 ** Math.floor(Math.log2(most / size))
    const scale = this.constant('float32', [], { make: () => factor })
    return this.emit('Mul', [one, scale], {}, { ...one, low: one.low * factor, high: one.high * factor })
  }

  /** An axis that may be touched, as ONNX has it: from the front or from the end. */
  axis({ dims }, past = 0) {
    const axis = this.first + this.below(dims.length + past - this.first)
    return { axis, written: this.flag() && this.version >= 11 ? axis - dims.length - past : axis }
  }

  /** Adds a node with one result. */
  emit(opType, inputs, attributes, result, domain = '') {
    return this.emitAll(opType, inputs, attributes, [result], domain)[0]
  }

  /** Adds a node. A result says type (float32 where left out), dims and bounds. */
  emitAll(opType, inputs, attributes, results, domain = '') {
    const made = results.map((result) => {
      const { low, high } = makers[result.type ?? 'float32'] ?? makers.other
      return { type: 'float32', isExact: false, low, high, ...result, isConstant: false, name: this.name() }
    })
    for (const one of inputs) if (one) this.read.add(one.name)
    this.nodes.push(
      node(
        opType,
        inputs.map((one) => one?.name ?? ''),
        made.map(({ name }) => name),
        attributes,
        domain,
      ),
    )
    this.values.push(...made)
    return made
  }

  /** The graph's results: what no node reads, and now and then one more. */
  outputs() {
    const computed = this.values.filter(({ name }) => !this.inputs.has(name))
    const more = computed.length > 1 && this.below(4) === 1 ? [this.of(computed)] : []
    return computed.filter((one) => !this.read.has(one.name) || more.includes(one))
  }

  /**
   * The file, and what to give it.
   *
   * @returns {{ file: Uint8Array, inputs: Map<string, import('../run-graph.mjs').GraphValue>, outputs: Value[] }}
   */
  done() {
    const outputs = this.outputs()
    this.#isOpen = this.rows !== undefined || this.flag()
    const inputs = [...this.inputs].map(([name, one]) => this.declared(name, one))
    const { nodes, version, constants } = this
    return { file: modelFile({ nodes, version, inputs, constants, outputs }), inputs: this.inputs, outputs }
  }

  /** What the file says of an input: its sizes, or names in their place. */
  declared(name, { type, dims }) {
    return { name, type, dims: this.#isOpen ? this.#opened(name, dims) : dims }
  }

  #opened(name, dims) {
    return dims.map((size, axis) => (axis < this.first ? 'N' : this.rows === undefined ? `${name}_${axis}` : size))
  }
}
