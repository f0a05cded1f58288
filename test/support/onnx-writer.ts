/** Writes ONNX files for tests, field by field, so that a test can write what no exporter would. */

export type Bytes = Uint8Array<ArrayBuffer>

export function concat(parts: readonly Uint8Array[]): Bytes {
  return new Uint8Array(Buffer.concat(parts))
}

/** A signed 64-bit integer as a varint. */
export function varint(value: number | bigint): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Uint8Array.from([...bytes, Number(rest)])
}

export const integer = (id: number, value: number | bigint) => concat([varint(id * 8), varint(value)])
export const bytes = (id: number, value: Uint8Array) => concat([varint(id * 8 + 2), varint(value.length), value])
export const text = (id: number, value: string) => bytes(id, new TextEncoder().encode(value))
export const message = (id: number, parts: readonly Uint8Array[]) => bytes(id, concat(parts))

function littleEndian(values: readonly number[], size: 4 | 8): Bytes {
  const view = new DataView(new ArrayBuffer(values.length * size))
  for (const [i, value] of values.entries()) {
    if (size === 4) view.setFloat32(4 * i, value, true)
    else view.setFloat64(8 * i, value, true)
  }
  return new Uint8Array(view.buffer)
}

export const floats = (id: number, values: readonly number[]) => bytes(id, littleEndian(values, 4))
export const doubles = (id: number, values: readonly number[]) => bytes(id, littleEndian(values, 8))
export const integers = (id: number, values: readonly number[]) => bytes(id, concat(values.map(varint)))
/** One field a value, as the oldest protobuf files have repeated numbers. */
export const singleFloats = (id: number, values: readonly number[]) =>
  concat(values.flatMap((value) => [varint(id * 8 + 5), littleEndian([value], 4)]))
export const singleIntegers = (id: number, values: readonly number[]) =>
  concat(values.map((value) => integer(id, value)))

export interface TestTensor {
  readonly shape: readonly number[]
  readonly data: readonly number[] | Float32Array
}

/** The body of a TensorProto of type FLOAT. */
export function tensorBody(name: string, { shape, data }: TestTensor): Bytes {
  return concat([...shape.map((size) => integer(1, size)), integer(2, 1), text(8, name), floats(4, [...data])])
}

export const initializer = (name: string, tensor: TestTensor) => bytes(5, tensorBody(name, tensor))

/** The body of an AttributeProto. */
export function attributeBody(name: string, value: number | string | readonly string[]): Bytes {
  if (typeof value === 'number') return concat([text(1, name), integer(3, value), integer(20, 2)])
  if (typeof value === 'string') return concat([text(1, name), text(4, value), integer(20, 3)])
  return concat([text(1, name), ...value.map((one) => text(9, one)), integer(20, 8)])
}

export interface TestNode {
  readonly opType: string
  readonly name?: string
  readonly domain?: string
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
  readonly attributes?: Readonly<Record<string, number | string | readonly string[]>>
  /** Bodies of further attributes. */
  readonly more?: readonly Uint8Array[]
}

export function node({
  opType,
  name = '',
  domain = '',
  inputs = [],
  outputs = ['Y'],
  attributes = {},
  more = [],
}: TestNode): Bytes {
  return message(1, [
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    ...(name === '' ? [] : [text(3, name)]),
    text(4, opType),
    ...Object.entries(attributes).map(([key, value]) => bytes(5, attributeBody(key, value))),
    ...more.map((body) => bytes(5, body)),
    ...(domain === '' ? [] : [text(7, domain)]),
  ])
}

/** A model around the fields of a graph. */
export function model(...graph: readonly Uint8Array[]): Bytes {
  return concat([
    integer(1, 8),
    text(2, 'tests'),
    message(7, [...graph, text(2, 'g')]),
    message(8, [text(1, ''), integer(2, 14)]),
  ])
}

/** One RNN of 3 inputs and 2 units: its weights, and the fields of a graph that hold it. */
export const tiny = (() => {
  const W = { shape: [1, 2, 3], data: [0.1, 0.2, 0.3, -0.1, -0.2, -0.3] }
  const R = { shape: [1, 2, 2], data: [0.5, -0.5, 0.25, -0.25] }
  const B = { shape: [1, 4], data: [1, 2, 3, 4] }
  const weights = [initializer('W', W), initializer('R', R)]
  const rnn = node({ opType: 'RNN', name: 'rnn', inputs: ['X', 'W', 'R'] })
  return { W, R, B, weights, rnn }
})()
