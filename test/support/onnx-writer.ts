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

/** The body of a TensorProto of any type, its values as raw bytes; `more` are other fields. */
export function rawTensorBody(
  name: string,
  type: number,
  shape: readonly number[],
  raw: Uint8Array | undefined,
  more: readonly Uint8Array[] = [],
): Bytes {
  const values = raw === undefined ? [] : [bytes(9, raw)]
  return concat([...shape.map((size) => integer(1, size)), integer(2, type), text(8, name), ...values, ...more])
}

/** int64 values. */
export function int64Body(
  name: string,
  values: readonly (number | bigint)[],
  shape: readonly number[] = [values.length],
): Bytes {
  return rawTensorBody(name, 7, shape, new Uint8Array(BigInt64Array.from(values, BigInt).buffer))
}

/** The entries that say where values lie in another file. */
export const externalData = (entries: Record<string, string>) =>
  concat(Object.entries(entries).map(([key, value]) => message(13, [text(1, key), text(2, value)])))

export type TestAttribute =
  | number
  | string
  | readonly string[]
  | readonly number[]
  | { readonly tensor: Uint8Array }
  | { readonly graph: readonly Uint8Array[] }
  | { readonly ref: string }
  | { readonly float: number }

/** The body of an AttributeProto. */
export function attributeBody(name: string, value: TestAttribute): Bytes {
  const of = (type: number, ...fields: Uint8Array[]) => concat([text(1, name), ...fields, integer(20, type)])
  if (typeof value === 'number') return of(2, integer(3, value))
  if (typeof value === 'string') return of(3, text(4, value))
  if (Array.isArray(value)) {
    const list: readonly (string | number)[] = value
    if (typeof list[0] === 'number') return of(7, ...(list as number[]).map((one) => integer(8, one)))
    return of(8, ...(list as string[]).map((one) => text(9, one)))
  }
  const other = value as { tensor?: Uint8Array; graph?: readonly Uint8Array[]; ref?: string; float?: number }
  if (other.tensor) return of(4, bytes(5, other.tensor))
  if (other.graph) return of(5, message(6, other.graph))
  if (other.ref) return of(2, text(21, other.ref))
  return of(1, singleFloats(2, [other.float!]))
}

/** A graph's input or output. */
export const graphInput = (name: string) => message(11, [text(1, name)])
export const graphOutput = (name: string) => message(12, [text(1, name)])

/** A function of the model; its nodes are bodies of NodeProto. */
export function modelFunction(
  domain: string,
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  nodes: readonly Uint8Array[],
  more: readonly Uint8Array[] = [],
): Bytes {
  return message(25, [
    text(1, name),
    ...inputs.map((one) => text(4, one)),
    ...outputs.map((one) => text(5, one)),
    ...nodes.map((one) => bytes(7, one)),
    text(10, domain),
    message(9, [text(1, ''), integer(2, 17)]),
    ...more,
  ])
}

export interface TestNode {
  readonly opType: string
  readonly name?: string
  readonly domain?: string
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
  readonly attributes?: Readonly<Record<string, TestAttribute>>
  /** Bodies of further attributes. */
  readonly more?: readonly Uint8Array[]
}

export const node = (given: TestNode) => bytes(1, nodeBody(given))

/** The body of a NodeProto. */
export function nodeBody({
  opType,
  name = '',
  domain = '',
  inputs = [],
  outputs = ['Y'],
  attributes = {},
  more = [],
}: TestNode): Bytes {
  return concat([
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
