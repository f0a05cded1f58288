/** Reads the tensors of an ONNX file; knows TensorProto's fields and the ways it stores values, here or in another file. */

import { describe, tuple } from '../../errors.ts'
import type { Budget, Refuse } from '../../graph/budget.ts'
import type { StoredTensor } from '../../graph/graph.ts'
import {
  count,
  type ElementType,
  factsOf,
  type GraphData,
  type GraphTensor,
  mostAxes,
  typeOfCode,
} from '../../graph/tensor.ts'
import { bfloat16ToNumber, halfToNumber } from '../../precision/widening.ts'
import { bigEndian } from '../../tensor/bytes.ts'
import { getters } from '../values.ts'
import { type ExternalFiles, externalPlace } from './external.ts'
import type { Field, Message } from './protobuf.ts'

/** The fields that list values: which types they are for, and how many bytes a value has; 0 are varints. */
const listed: Readonly<Record<number, { readonly name: string; readonly bytes: 0 | 4 | 8 }>> = {
  4: { name: 'float_data', bytes: 4 },
  5: { name: 'int32_data', bytes: 0 },
  7: { name: 'int64_data', bytes: 0 },
  10: { name: 'double_data', bytes: 8 },
  11: { name: 'uint64_data', bytes: 0 },
}
const rawData = 9

const listOf: Readonly<Partial<Record<ElementType, number>>> = {
  float32: 4,
  float64: 10,
  int64: 7,
  uint32: 11,
  uint64: 11,
}

const nameOf = (id: number) => (id === rawData ? 'raw_data' : listed[id].name)

/** A tensor that lies in the file; its values stay where they are until somebody wants them. */
export class FileTensor implements StoredTensor {
  readonly #message: Message
  readonly #files: ExternalFiles

  constructor(message: Message, files: ExternalFiles) {
    this.#message = message
    this.#files = files
  }

  /** The values. Nothing of their size is allocated before the file is seen to hold as many as the shape asks. */
  read(budget: Budget): GraphTensor {
    const message = this.#message
    const head = readHead(message)
    const refuse: Refuse = (what) => message.fail(`tensor ${describe(head.name)}: ${what}`, message.start)
    if (head.unsupported !== undefined) refuse(head.unsupported)
    const type = typeOfCode(head.dataType) ?? refuse(`data_type ${head.dataType} is not supported`)
    const shape = head.dims
    if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) refuse(`the shape ${tuple(shape)} is not one`)
    const values = head.external
      ? rawValues(type, [externalPlace(message, this.#files, refuse)])
      : valuesIn(message, storageOf(head.ids, type, refuse), type, refuse)
    const length = count(shape)
    const found = values.count === Math.ceil(length / 2) * 2 && factsOf(type).bits === 4 ? length : values.count
    if (found !== length) refuse(`${found} values where the shape ${tuple(shape)} asks for ${length}`)
    const { array } = factsOf(type)
    budget.spend(length, refuse)
    budget.take(length * array.prototype.BYTES_PER_ELEMENT, refuse)
    const data = new array(length)
    values.read(data)
    return { type, shape, data }
  }
}

/** The number of the field that has a tensor's name. */
export const tensorName = 8

function readHead(message: Message) {
  const dims: number[] = []
  /** The fields that carry values, and how often each comes. */
  const ids: Record<number, number> = {}
  const head = { name: '', dataType: 0, dims, external: false, unsupported: undefined as string | undefined, ids }
  for (const field = message.fields(); field.next(); ) {
    const { id } = field
    if (id === 1) {
      message.integers(field, 'dims', (size) => {
        if (dims.push(Number(size)) > mostAxes) message.fail(`a rank above ${mostAxes}`, field.at)
      })
    } else if (id === 2) head.dataType = message.integer(field, 'data_type')
    else if (id === 3) head.unsupported = 'segmented values are not supported'
    else if (id === tensorName) head.name = message.text(field, 'the name')
    // Entries of external_data alone may be left over from a file whose values were moved into it.
    else if (id === 14) head.external = message.integer(field, 'data_location') !== 0
    else if ((id === rawData || id in listed) && field.end > field.start) ids[id] = (ids[id] ?? 0) + 1
  }
  return head
}

/** The one field that the values stand in. */
function storageOf(ids: Readonly<Record<number, number>>, type: ElementType, refuse: Refuse): number {
  const id = rawData in ids ? rawData : (listOf[type] ?? 5)
  const stray = Object.keys(ids).find((other) => Number(other) !== id)
  if (stray !== undefined) refuse(`${type} values in ${nameOf(Number(stray))}`)
  if (id === rawData && ids[rawData] > 1) refuse('raw_data comes twice')
  return id
}

/** Values that were found, and how to read them. */
interface Values {
  readonly count: number
  read(into: GraphData): void
}

function valuesIn(message: Message, id: number, type: ElementType, refuse: Refuse): Values {
  const name = nameOf(id)
  const each = (visit: (field: Field) => void) => {
    for (const field = message.fields(); field.next(); ) if (field.id === id && field.end > field.start) visit(field)
  }
  if (id === rawData || listed[id].bytes > 0) {
    const size = id === rawData ? Math.max(8, factsOf(type).bits) / 8 : listed[id].bytes
    const spans: Span[] = []
    each((field) => {
      message.checkFixed(field, name, size, id !== rawData)
      spans.push({ bytes: message.bytes, start: field.start, end: field.end })
    })
    return rawValues(type, spans)
  }
  let found = 0
  each((field) => message.integers(field, name, () => found++))
  return {
    count: found,
    read(into) {
      let i = 0
      each((field) =>
        message.integers(field, name, (value) => {
          into[i++] = listedValue(type, value, refuse)
        }),
      )
    },
  }
}

/** Values as they are in memory, of this file or another one. */
interface Span {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

function rawValues(type: ElementType, spans: readonly Span[]): Values {
  const { array, bits } = factsOf(type)
  const get = getters[type]
  const isPlain = !bigEndian && bits === array.prototype.BYTES_PER_ELEMENT * 8
  return {
    count: (spans.reduce((sum, { start, end }) => sum + (end - start), 0) * 8) / bits,
    read(into) {
      let next = 0
      for (const { bytes, start, end } of spans) {
        if (isPlain) {
          new Uint8Array(into.buffer).set(bytes.subarray(start, end), next)
          next += end - start
          continue
        }
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        for (let at = start; at < end && next < into.length; at += bits / 8) into[next++] = get(view, at)
      }
    },
  }
}

/** A value of int32_data and its like, which holds halves as their bits. */
function listedValue(type: ElementType, value: number | bigint, refuse: Refuse): never {
  const { kind, range } = factsOf(type)
  if (kind === 'big') return BigInt(value) as never
  const most = kind === 'float' ? 0xffff : kind === 'bool' ? 255 : range![1]
  const least = kind === 'integer' ? range![0] : 0
  if (value < least || value > most) refuse(`${value} in a list of ${type} is beyond ${least} … ${most}`)
  const number = Number(value)
  if (type === 'float16') return halfToNumber(number) as never
  return (type === 'bfloat16' ? bfloat16ToNumber(number) : number) as never
}
