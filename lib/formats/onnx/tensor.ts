/** Reads the tensors of an ONNX file; knows TensorProto's fields and the ways it stores floating-point values. */

import { describe, tuple } from '../../errors.ts'
import type { ReadTensor } from '../../tensor/read.ts'
import { elements } from '../../tensor/shape.ts'
import { bfloat16ToNumber, halfToNumber } from '../float16.ts'
import type { Field, Message } from './protobuf.ts'

/** A tensor that lies in the file; its values stay where they are until `tensorValues` reads them. */
export interface FileTensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly dataType: number
  readonly message: Message
  /** The fields that carry values. */
  readonly data: readonly Field[]
  /** Why the values cannot be read, where they cannot. */
  readonly unsupported?: string
}

/** TensorProto, without its values. */
export function readFileTensor(message: Message): FileTensor {
  let name = ''
  let dataType = 0
  let unsupported: string | undefined
  const dims: number[] = []
  const data: Field[] = []
  for (const field of message.fields()) {
    if (field.id === 1) message.integers(field, 'dims', dims)
    else if (field.id === 2) dataType = message.integer(field, 'data_type')
    else if (field.id === 3) unsupported = 'segmented values are not supported'
    else if (field.id === 8) name = message.text(field, 'the name')
    else if (field.id === 13 || (field.id === 14 && message.integer(field, 'data_location') !== 0)) {
      unsupported = 'external_data is not supported: the values lie in another file'
    } else if (field.id === 4 || field.id === 5 || field.id === 9 || field.id === 10) data.push(field)
  }
  return { name, dims, dataType, message, data, unsupported }
}

/** SparseTensorProto: its name is that of its values. */
export function readSparseFileTensor(message: Message): FileTensor {
  let name = ''
  for (const field of message.fields()) {
    if (field.id === 1) name = readFileTensor(message.message(field, 'the values of a sparse initializer')).name
  }
  return { name, dims: [], dataType: 0, message, data: [], unsupported: 'sparse tensors are not supported' }
}

/** How the values of one data type are stored: bytes a value, and the field that lists them where raw_data does not. */
interface Storage {
  readonly name: string
  readonly size: 2 | 4 | 8
  readonly field: 4 | 5 | 10
  readonly get: (view: DataView, at: number) => number
}

const storages: Readonly<Record<number, Storage>> = {
  1: { name: 'FLOAT', size: 4, field: 4, get: (view, at) => view.getFloat32(at, true) },
  10: { name: 'FLOAT16', size: 2, field: 5, get: (view, at) => halfToNumber(view.getUint16(at, true)) },
  11: { name: 'DOUBLE', size: 8, field: 10, get: (view, at) => view.getFloat64(at, true) },
  16: { name: 'BFLOAT16', size: 2, field: 5, get: (view, at) => bfloat16ToNumber(view.getUint16(at, true)) },
}

const dataFields = { 4: 'float_data', 5: 'int32_data', 9: 'raw_data', 10: 'double_data' } as const
const rawData = 9

type Span = readonly [start: number, end: number]

/** The values as float32. Nothing of their size is allocated before the file is seen to hold as many as the shape asks. */
export function tensorValues(tensor: FileTensor): ReadTensor {
  const { message, dims, dataType, unsupported } = tensor
  const fail: (what: string) => never = (what) =>
    message.fail(`tensor ${describe(tensor.name)}: ${what}`, message.start)
  if (unsupported !== undefined) fail(unsupported)
  const storage = storages[dataType]
  if (storage === undefined) fail(`data_type ${dataType} is not among FLOAT, FLOAT16, BFLOAT16 and DOUBLE`)
  const { view, spans } = storedValues(tensor, storage, fail)

  if (dims.length > 8) fail(`a rank of ${dims.length}`)
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) fail(`the shape ${tuple(dims)} is not one`)
  const wanted = elements(dims)
  const found = spans.reduce((sum, [start, end]) => sum + (end - start), 0) / storage.size
  if (found !== wanted) fail(`${found} values where the shape ${tuple(dims)} asks for ${wanted}`)
  const values = new Float32Array(wanted)
  let i = 0
  for (const [start, end] of spans) {
    for (let at = start; at < end; at += storage.size) values[i++] = storage.get(view, at)
  }
  return { data: values, shape: [...dims] }
}

function storedValues(
  tensor: FileTensor,
  storage: Storage,
  fail: (what: string) => never,
): { view: DataView; spans: Span[] } {
  const { message } = tensor
  const data = tensor.data.filter((field) => field.end > field.start)
  const id = data.some((field) => field.id === rawData) ? rawData : storage.field
  const stray = data.find((field) => field.id !== id)
  if (stray !== undefined) fail(`${storage.name} values in ${dataFields[stray.id as keyof typeof dataFields]}`)
  if (id === rawData && data.length > 1) fail('raw_data comes twice')

  if (id !== 5) {
    const view = new DataView(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength)
    return { view, spans: data.map((field) => message.fixed(field, dataFields[id], storage.size, id !== rawData)) }
  }
  // Two-byte values as integers: put back into bytes, so that both ways of storing are read alike.
  const integers: number[] = []
  for (const field of data) message.integers(field, 'int32_data', integers)
  const view = new DataView(new ArrayBuffer(2 * integers.length))
  for (const [i, value] of integers.entries()) {
    if (value < 0 || value > 0xffff) fail(`${value} in int32_data is not 16 bits wide`)
    view.setUint16(2 * i, value, true)
  }
  return { view, spans: [[0, view.byteLength]] }
}
