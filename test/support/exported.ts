/** The models of test/fixtures/models: their files, their recorded cases, and rows of a batch by themselves. */
import { readdirSync, readFileSync } from 'node:fs'
import { type Model, type ModelTensor, type ModelValue, readSafetensors, type Tensor } from 'native-rnn'

const folder = new URL('../fixtures/models/', import.meta.url)
const recorded = readSafetensors(readFileSync(new URL('recorded.safetensors', folder)))

/** Their names. */
export const exported = readdirSync(folder).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -5)] : []))

export const bytesOf = (name: string): Uint8Array => readFileSync(new URL(`${name}.onnx`, folder))

export const casesOf = (name: string): string[] => [
  ...new Set(Object.keys(recorded).flatMap((key) => (key.startsWith(`${name}/`) ? [key.split('/')[1]] : []))),
]

/** What PyTorch gave, by output. */
export function outputsOf(model: Model, name: string, which: string): Record<string, Tensor> {
  return Object.fromEntries(
    model.outputs.map((output) => [output.name, recorded[`${name}/${which}/out/${output.name}`]]),
  )
}

/** The inputs of a case in the types that the model asks for. */
export function inputsOf(model: Model, name: string, which: string): Record<string, ModelTensor> {
  return Object.fromEntries(
    model.inputs.map((input) => {
      const { data, shape } = recorded[`${name}/${which}/in/${input.name}`]
      return [input.name, { data: typed(data, input.type), shape }]
    }),
  )
}

function typed(data: Float32Array, type: string): ModelTensor['data'] {
  if (type === 'int64') return BigInt64Array.from(data, BigInt)
  return type === 'bool' ? Uint8Array.from(data) : data
}

/** One row of every tensor, by the axis that the file calls `batch`; a tensor without one stays whole. */
export function rowOf(
  values: readonly ModelValue[],
  tensors: Readonly<Record<string, ModelTensor>>,
  row: number,
): Record<string, ModelTensor> {
  return Object.fromEntries(
    values.map(({ name, shape }) => [name, slice(tensors[name], shape.indexOf('batch'), row, 1)]),
  )
}

/** `count` places of one axis. */
export function slice({ data, shape }: ModelTensor, axis: number, from: number, count: number): ModelTensor {
  if (axis < 0) return { data, shape }
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1)
  const sizes = shape.map((size, i) => (i === axis ? count : size))
  const cut = data.slice(0, outer * count * inner)
  for (let i = 0; i < outer; i++) {
    const start = (i * shape[axis] + from) * inner
    cut.set(data.subarray(start, start + count * inner) as never, i * count * inner)
  }
  return { data: cut, shape: sizes }
}
