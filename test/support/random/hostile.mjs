// Random graphs that do not fit: attributes, lists, shapes, types and names of other places, the largest and the smallest numbers among them.

import { GraphBuilder } from './builder.mjs'

const numbers = [
  0,
  -1,
  1,
  2,
  33,
  255,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 40,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]
const floats = [0, -1, 1e-45, 1e38, Infinity, -Infinity, Number.NaN]
const types = ['float32', 'int64', 'int32', 'bool', 'uint8', 'int8', 'float16', 'float64', 'bfloat16', 'uint64']

export class HostileBuilder extends GraphBuilder {
  /** How many of a hundred decisions are spoiled: none in some graphs, so that most of a graph still fits. */
  #spoiled = this.of([2, 5, 15, 40])

  #spoils() {
    return this.below(100) < this.#spoiled
  }

  #number(one) {
    return this.#spoils() ? this.of(numbers) : one
  }

  integers(list) {
    const spoiled = list.map((one) => BigInt(this.#number(one)))
    if (this.#spoils()) spoiled.push(BigInt(this.of(numbers)))
    return this.constant('int64', [spoiled.length], { make: (i) => spoiled[i] })
  }

  constant(type, dims, options) {
    const made = super.constant(type, dims, options)
    const one = this.constants.get(made.name)
    if (this.#spoils()) one.dims = one.dims.map((size) => this.#number(size))
    if (this.#spoils()) one.type = this.of(types)
    if (this.#spoils()) one.bytes = one.bytes.subarray(0, this.below(one.bytes.length + 1))
    return made
  }

  emitAll(opType, inputs, attributes, results, domain) {
    const name = this.#spoils() ? this.of(this.names) : opType
    const spoiled = Object.entries(attributes).map(([key, value]) => [key, this.#attribute(value)])
    const given = inputs.map((one) => (this.#spoils() ? this.of([undefined, ...this.values.slice(-6)]) : one))
    if (this.#spoils()) given.pop()
    const domains = this.#spoils() ? this.of(['', 'com.microsoft', 'other']) : domain
    return super.emitAll(name, given, Object.fromEntries(spoiled), results, domains)
  }

  #attribute(value) {
    if (Array.isArray(value)) return value.map((one) => this.#number(one))
    if (typeof value === 'number') return this.#number(value)
    if (typeof value === 'object' && 'float' in value && this.#spoils()) return { float: this.of(floats) }
    return value
  }

  done() {
    if (this.#spoils()) this.version = this.of([1, 6, 7, 8, 10, 12, 14, 15, 16, 19, 20, 22, 25, 99])
    return super.done()
  }

  /** What an input declares. */
  declared(name, one) {
    const { type, dims } = super.declared(name, one)
    return { name, type: this.#spoils() ? this.of(types) : type, dims: dims.map((size) => this.#number(size)) }
  }
}
