/** Matrices of weights as they are kept, each in one piece of float32 memory, so that threads can share it; it alone knows how they lie there. */

import { bytesOver, ceil, copyOf, fround, halvesOver, zeros } from '../intrinsics/captured.ts'
import type { WeightType } from '../spec/weight-types.ts'
import { bfloat16Bits, halfBits, quantized, scaleOf } from './rounding.ts'
import { rowScales, setScales } from './scales.ts'
import { bfloat16ToNumber, halfToNumber } from './widening.ts'

/** Floats of memory for a matrix: of int8 a scale for each row, then the integers; of halves two a float. */
export function keptLength(type: WeightType, rows: number, columns: number): number {
  const count = rows * columns
  if (type === 'f32') return count
  return type === 'int8' ? rows + ceil(count / 4) : ceil(count / 2)
}

/** Rounds a matrix to a format; float32 is the array itself. What was integers with scales is the same integers again. */
export function keep(type: WeightType, values: Float32Array, rows: number, columns: number): Float32Array {
  if (type === 'f32') return values
  const memory = zeros(keptLength(type, rows, columns))
  const count = rows * columns
  if (type === 'int8') {
    const integers = bytesOver(memory, rows, count)
    const scales = rowScales(values)
    for (let row = 0; row < rows; row++) {
      const scale = scales ? scales[row] : scaleOf(values, row * columns, columns)
      memory[row] = scale
      for (let k = row * columns; k < (row + 1) * columns; k++) integers[k] = quantized(values[k], scale)
    }
    return memory
  }
  const halves = halvesOver(memory, 0, count)
  const bits = type === 'f16' ? halfBits : bfloat16Bits
  for (let i = 0; i < count; i++) halves[i] = bits(values[i])
  return memory
}

/** A matrix in memory that {@link keep} filled. */
export class KeptMatrix {
  readonly type: WeightType
  readonly rows: number
  readonly columns: number
  /** The memory; of float32 the values. */
  readonly memory: Float32Array
  readonly #integers: Uint8Array | undefined
  readonly #halves: Uint16Array | undefined
  readonly #widened: Float32Array | undefined

  constructor(type: WeightType, memory: Float32Array, rows: number, columns: number) {
    const count = rows * columns
    this.type = type
    this.memory = memory
    this.rows = rows
    this.columns = columns
    if (type === 'int8') this.#integers = bytesOver(memory, rows, count)
    else if (type !== 'f32') {
      this.#halves = halvesOver(memory, 0, count)
      this.#widened = widened(type)
    }
  }

  /** The same of values that are rounded now. */
  static of(type: WeightType, values: Float32Array, rows: number, columns: number): KeptMatrix {
    return new KeptMatrix(type, keep(type, values, rows, columns), rows, columns)
  }

  /** Bytes of the weights, scales included, without what rounds the memory up. */
  get bytes(): number {
    const count = this.rows * this.columns
    if (this.type === 'f32') return 4 * count
    return this.type === 'int8' ? 4 * this.rows + count : 2 * count
  }

  /** What the integers of a row are multiplied by; 1 where there are none. */
  scale(row: number): number {
    return this.#integers ? this.memory[row] : 1
  }

  /** What the integers of each row are multiplied by. */
  scales(): Float32Array {
    const scales = zeros(this.rows)
    for (let row = 0; row < this.rows; row++) scales[row] = this.scale(row)
    return scales
  }

  /** All values as numbers without their scales; a copy. */
  integers(): Float32Array {
    const values = zeros(this.rows * this.columns)
    this.read(0, this.rows, values)
    return values
  }

  /** Rows as numbers without their scales, at the beginning of `target`. */
  read(first: number, count: number, target: Float32Array): void {
    const from = first * this.columns
    const values = count * this.columns
    const integers = this.#integers
    const halves = this.#halves
    if (integers) for (let i = 0; i < values; i++) target[i] = (integers[from + i] << 24) >> 24
    else if (halves) {
      const table = this.#widened!
      for (let i = 0; i < values; i++) target[i] = table[halves[from + i]]
    } else for (let i = 0; i < values; i++) target[i] = this.memory[from + i]
  }

  /** All values as float32 numbers; a copy. */
  plain(): Float32Array {
    const { rows, columns, memory } = this
    if (this.type === 'f32') return copyOf(memory)
    const values = this.integers()
    if (this.type !== 'int8') return values
    for (let row = 0; row < rows; row++) {
      for (let k = row * columns; k < (row + 1) * columns; k++) values[k] = fround(memory[row] * values[k])
    }
    setScales(values, this.scales())
    return values
  }
}

const tables: { f16?: Float32Array; bf16?: Float32Array } = { __proto__: null } as object

/** What each of the 2^16 patterns means; made when a format is first used. */
function widened(type: 'f16' | 'bf16'): Float32Array {
  const known = tables[type]
  if (known) return known
  const table = zeros(2 ** 16)
  const toNumber = type === 'bf16' ? bfloat16ToNumber : halfToNumber
  for (let bits = 0; bits < 2 ** 16; bits++) table[bits] = toNumber(bits)
  tables[type] = table
  return table
}
