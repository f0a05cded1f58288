/** Small whole models for tests: ONNX files with typed inputs and outputs, written field by field. */
import type { BackendName } from 'native-rnn'
import { backends } from './backends.ts'
import {
  type Bytes,
  bytes,
  concat,
  initializer,
  int64Body,
  integer,
  message,
  node,
  type TestNode,
  type TestTensor,
  text,
} from './onnx-writer.ts'

const typeCodes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const

/** What a graph declares of an input or output; a shape of sizes, names, and undefined for open ones without a name. */
export interface Declared {
  readonly type?: keyof typeof typeCodes
  readonly shape?: readonly (number | string | undefined)[]
}

/** A graph's input (id 11) or output (id 12). */
function valueInfo(id: number, name: string, { type = 'float32', shape }: Declared): Bytes {
  const axis = (size: number | string | undefined) =>
    message(1, typeof size === 'number' ? [integer(1, size)] : size === undefined ? [] : [text(2, size)])
  const shapeField = shape === undefined ? [] : [message(2, shape.map(axis))]
  return message(id, [text(1, name), message(2, [message(1, [integer(1, typeCodes[type]), ...shapeField])])])
}

/** A model of nodes, typed inputs and outputs, float32 initializers, and lists of int64. */
export function modelFile({
  nodes,
  inputs,
  outputs,
  weights = {},
  lists = {},
  more = [],
  opset = 17,
}: {
  nodes: readonly TestNode[]
  inputs: Readonly<Record<string, Declared>>
  outputs: Readonly<Record<string, Declared>>
  weights?: Readonly<Record<string, TestTensor>>
  lists?: Readonly<Record<string, readonly (number | bigint)[]>>
  more?: readonly Uint8Array[]
  opset?: number
}): Bytes {
  const graph = [
    ...nodes.map(node),
    ...Object.entries(weights).map(([name, tensor]) => initializer(name, tensor)),
    ...Object.entries(lists).map(([name, values]) => bytes(5, int64Body(name, values))),
    ...Object.entries(inputs).map(([name, declared]) => valueInfo(11, name, declared)),
    ...Object.entries(outputs).map(([name, declared]) => valueInfo(12, name, declared)),
    ...more,
  ]
  const version = message(8, [text(1, ''), integer(2, opset)])
  return concat([integer(1, 8), text(2, 'tests'), message(7, [...graph, text(2, 'g')]), version])
}

/** y = 2 · x + 1 over any shape. */
export function affine(shape: Declared['shape'] = ['rows', 3]): Bytes {
  return modelFile({
    nodes: [
      { opType: 'Mul', name: 'twice', inputs: ['x', 'two'], outputs: ['doubled'] },
      { opType: 'Add', name: 'plus', inputs: ['doubled', 'one'], outputs: ['y'] },
    ],
    inputs: { x: { shape } },
    outputs: { y: { shape } },
    weights: { two: { shape: [], data: [2] }, one: { shape: [], data: [1] } },
  })
}

/** Weights in no pattern. */
export function weight(seed: number, ...shape: number[]): TestTensor {
  const count = shape.reduce((product, size) => product * size, 1)
  return { shape, data: Float32Array.from({ length: count }, (_, i) => 0.6 * Math.sin(i * 1.3 + seed)) }
}

/** Filters of one channel, (N, 1, taps), that are the same in both directions; with the other sign from `even` on. Of a periodic window tap 0 is 0. */
export function symmetricFilters(seed: number, N: number, taps: number, even: number, isPeriodic: boolean): TestTensor {
  const data = Float32Array.from(weight(seed, N, taps).data)
  for (let n = 0; n < N; n++) {
    const row = data.subarray(n * taps + Number(isPeriodic), (n + 1) * taps)
    if (isPeriodic) data[n * taps] = 0
    const sign = n < even ? 1 : -1
    for (let i = 0; i < row.length; i++) {
      const other = row.length - 1 - i
      if (i > other) row[i] = sign * row[other]
      else if (i === other && sign < 0) row[i] = 0
    }
  }
  return { shape: [N, 1, taps], data }
}

/** A GRU of I inputs and H units with its state as input and output, and a Linear on top: frames (T, batch, I) → scores (T, batch, 2). */
export function recurrent(I = 3, H = 5, seed = 0): Bytes {
  return modelFile({
    nodes: [
      {
        opType: 'GRU',
        name: 'gru',
        inputs: ['frames', 'W', 'R', 'B', '', 'state'],
        outputs: ['Y', 'stateN'],
        attributes: { hidden_size: H, linear_before_reset: 1 },
      },
      { opType: 'Squeeze', name: 'direction', inputs: ['Y', 'second'], outputs: ['hidden'] },
      { opType: 'MatMul', name: 'head', inputs: ['hidden', 'V'], outputs: ['scores'] },
    ],
    inputs: { frames: { shape: ['time', 'batch', I] }, state: { shape: [1, 'batch', H] } },
    outputs: { scores: { shape: ['time', 'batch', 2] }, stateN: { shape: [1, 'batch', H] } },
    weights: {
      W: weight(seed + 1, 1, 3 * H, I),
      R: weight(seed + 2, 1, 3 * H, H),
      B: weight(seed + 3, 1, 6 * H),
      V: weight(seed + 4, H, 2),
    },
    lists: { second: [1] },
  })
}

/** The backends that can run whole models. */
export const modelBackends: readonly BackendName[] = backends
