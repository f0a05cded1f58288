/** Batchers of models are for graphs that keep rows apart: which those are, and that their rows have the bits they have alone. */
import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { type Declared, modelBackends, modelFile, weight } from '../support/model-files.ts'
import type { TestAttribute, TestNode, TestTensor } from '../support/onnx-writer.ts'
import { randomGraph } from '../support/random-graphs.ts'

type Axes = Record<string, number>
interface Graph {
  readonly x: NonNullable<Declared['shape']>
  readonly nodes: readonly TestNode[]
  readonly weights?: Readonly<Record<string, TestTensor>>
  readonly lists?: Readonly<Record<string, readonly number[]>>
}

const op = (
  opType: string,
  inputs: string,
  outputs: string,
  attributes: Record<string, TestAttribute> = {},
): TestNode => ({
  opType,
  name: outputs.split(' ').join('+'),
  inputs: inputs.split(' ').map((name) => (name === '-' ? '' : name)),
  outputs: outputs.split(' ').map((name) => (name === '-' ? '' : name)),
  attributes,
})

const fileOf = ({ x, nodes, weights, lists }: Graph) =>
  modelFile({ nodes, inputs: { x: { shape: x } }, outputs: { y: {} }, weights, lists })

/** With open sizes but the rows as they are declared. */
const sized = (shape: readonly (number | string | undefined)[]) =>
  shape.map((size) => (typeof size === 'number' ? size : 1))

const opened = (graph: Graph, batchAxes?: Axes) =>
  Model.read(fileOf(graph), { backend: 'typescript' }).batcher({
    shapes: { x: sized(graph.x) },
    ...(batchAxes && { batchAxes }),
  })

/** Parts of an axis, one each. */
function rowsOf({ data, shape }: { data: ArrayLike<number | bigint>; shape: readonly number[] }, axis: number) {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1)
  const own = shape.map((size, i) => (i === axis ? 1 : size))
  return Array.from({ length: shape[axis] }, (_, row) => ({
    data: Float32Array.from(data as ArrayLike<number>).filter((_, i) => Math.floor(i / inner) % shape[axis] === row),
    shape: own,
  }))
}

const w = weight(1, 4, 3)
const channels = { s: weight(1, 4) }

describe('a batcher', () => {
  const mixing: [string, Graph, RegExp][] = [
    [
      'a sum over rows',
      { x: ['rows', 4], nodes: [op('ReduceSum', 'x zero', 'y')], lists: { zero: [0] } },
      /"y" \(ReduceSum\): it reduces the rows \(axis 0\)/,
    ],
    [
      'a softmax over rows',
      { x: ['rows', 4], nodes: [op('Softmax', 'x', 'y', { axis: 0 })] },
      /\(Softmax\): it divides by a sum over the rows/,
    ],
    [
      'the greatest of all rows',
      { x: ['rows', 4], nodes: [op('ArgMax', 'x', 'a', { axis: 0 }), op('Cast', 'a', 'y', { to: 1 })] },
      /\(ArgMax\): it looks for the greatest or least of the rows/,
    ],
    [
      'a product that sums over rows',
      { x: ['rows', 4], nodes: [op('Transpose', 'x', 't'), op('MatMul', 't x', 'y')] },
      /"y" \(MatMul\): it sums over the rows/,
    ],
    [
      'a product of all rows with all',
      { x: ['rows', 4], nodes: [op('Transpose', 'x', 't'), op('MatMul', 'x t', 'y')] },
      /"y" \(MatMul\): its inputs have the rows on different axes/,
    ],
    [
      'rows beside each other',
      {
        x: ['rows', 4],
        nodes: [op('Unsqueeze', 'x zero', 'a'), op('Unsqueeze', 'x one', 'b'), op('Sub', 'a b', 'y')],
        lists: { zero: [0], one: [1] },
      },
      /\(Sub\): its inputs have the rows on different axes/,
    ],
    [
      'an append',
      { x: ['rows', 4], nodes: [op('Concat', 'x x', 'y', { axis: 0 })] },
      /\(Concat\): it appends to the rows/,
    ],
    [
      'the first row',
      { x: ['rows', 4], nodes: [op('Gather', 'x zero', 'y')], lists: { zero: [0] } },
      /\(Gather\): it picks from the rows/,
    ],
    [
      'rows turned round',
      { x: ['rows', 4], nodes: [op('Slice', 'x a b zero a', 'y')], lists: { a: [-1], b: [-1000], zero: [0] } },
      /\(Slice\): it takes a part of the rows/,
    ],
    [
      'the first thousand',
      { x: ['rows', 4], nodes: [op('Slice', 'x zero many zero', 'y')], lists: { zero: [0], many: [1000] } },
      /\(Slice\): it takes a part of the rows/,
    ],
    [
      'a reshape that cuts rows',
      { x: ['rows', 4], nodes: [op('Reshape', 'x wanted', 'y')], lists: { wanted: [4, -1] } },
      /\(Reshape\): it makes \[4,3\] of \[3,4\], which cuts the axis of the rows/,
    ],
    [
      'rows merged for good',
      { x: ['rows', 3, 4], nodes: [op('Reshape', 'x wanted', 'y')], lists: { wanted: [-1, 4] } },
      /the output "y": it has them merged with another axis/,
    ],
    [
      'a norm over rows',
      { x: ['rows', 4], nodes: [op('LayerNormalization', 'x s', 'y', { axis: 0 })], weights: { s: weight(1, 1, 4) } },
      /\(LayerNormalization\): it normalizes over the rows/,
    ],
    [
      'a layer along rows',
      {
        x: ['rows', 1, 3],
        nodes: [op('RNN', 'x W R', 'y', { hidden_size: 4 })],
        weights: { W: weight(1, 1, 4, 3), R: weight(2, 1, 4, 4) },
      },
      /\(RNN\): it runs along the rows/,
    ],
    [
      'a window over rows',
      { x: [1, 4, 'rows'], nodes: [op('MaxPool', 'x', 'y', { kernel_shape: [1], strides: [2] })] },
      /\(MaxPool\): its window slides over the rows/,
    ],
    [
      'a number of rows',
      {
        x: ['rows', 4],
        nodes: [
          op('Shape', 'x', 's'),
          op('Gather', 's zero', 'n'),
          op('Cast', 'n', 'f', { to: 1 }),
          op('Div', 'x f', 'y'),
        ],
        lists: { zero: [0] },
      },
      /\(Div\): its constant input 1 depends on how many rows there are/,
    ],
    [
      'a number for each row by its place',
      {
        x: ['rows', 4],
        nodes: [
          op('Shape', 'x', 's'),
          op('Slice', 's zero one', 'n'),
          op('Slice', 'table zero n zero', 't'),
          op('Add', 'x t', 'y'),
        ],
        weights: { table: weight(1, 64, 4) },
        lists: { zero: [0], one: [1] },
      },
      /\(Add\): its input 1 has another value for each of the rows, by their place/,
    ],
    [
      'an axis that one row loses',
      { x: ['rows', 4], nodes: [op('Squeeze', 'x', 'y')] },
      /\(Squeeze\): of 3 rows it gives \[3,4\], and of 1 \[4\]/,
    ],
  ]
  it.each(mixing)('refuses %s', (_, graph, words) => {
    const batchAxes = graph.x.indexOf('rows') > 0 ? { x: graph.x.indexOf('rows') } : undefined
    expectError(() => opened(graph, batchAxes), 'ERR_RNN_OPTION', words)
  })

  const apart: [string, Graph][] = [
    [
      'a Linear, a norm and a softmax',
      {
        x: ['rows', 4],
        nodes: [
          op('Gemm', 'x w b', 'a'),
          op('LayerNormalization', 'a b', 'c', { axis: -1 }),
          op('Softmax', 'c', 'y', { axis: -1 }),
        ],
        weights: { w, b: weight(2, 3) },
      },
    ],
    [
      'rows merged with time and parted again',
      {
        x: ['rows', 3, 4],
        nodes: [op('Reshape', 'x flat', 'a'), op('Gemm', 'a w', 'b'), op('Reshape', 'b wanted', 'y')],
        weights: { w },
        lists: { flat: [-1, 4], wanted: [-1, 3, 3] },
      },
    ],
    [
      'heads of attention',
      {
        x: ['rows', 3, 4],
        nodes: [
          op('Reshape', 'x heads', 'a'),
          op('Transpose', 'a', 'q', { perm: [0, 2, 1, 3] }),
          op('Reshape', 'q all', 'q3'),
          op('Transpose', 'q3', 'k3', { perm: [0, 2, 1] }),
          op('MatMul', 'q3 k3', 's'),
          op('Softmax', 's', 'p', { axis: -1 }),
          op('MatMul', 'p q3', 'o'),
          op('Reshape', 'o back', 'o4'),
          op('Transpose', 'o4', 'o5', { perm: [0, 2, 1, 3] }),
          op('Reshape', 'o5 wanted', 'y'),
        ],
        lists: { heads: [0, 0, 2, 2], all: [-1, 3, 2], back: [-1, 2, 3, 2], wanted: [0, 0, 4] },
      },
    ],
    [
      'zeros for each row, by Shape',
      {
        x: ['rows', 3, 4],
        nodes: [
          op('Shape', 'x', 's'),
          op('Slice', 's zero one', 'n'),
          op('Concat', 'one n five', 'h', { axis: 0 }),
          op('ConstantOfShape', 'h', 'h0'),
          op('Transpose', 'x', 't', { perm: [1, 0, 2] }),
          op('GRU', 't W R - - h0', 'y', { hidden_size: 5 }),
        ],
        weights: { W: weight(1, 1, 15, 4), R: weight(2, 1, 15, 5) },
        lists: { zero: [0], one: [1], five: [5] },
      },
    ],
    [
      'a batch norm and pools',
      {
        x: ['rows', 4, 6],
        nodes: [
          op('BatchNormalization', 'x s s s one', 'a'),
          op('MaxPool', 'a', 'b', { kernel_shape: [2], strides: [2] }),
          op('InstanceNormalization', 'b s s', 'c'),
          op('GlobalAveragePool', 'c', 'y'),
        ],
        weights: { ...channels, one: { shape: [4], data: [1, 1, 1, 1] } },
      },
    ],
  ]
  it.each(apart)('takes %s', (_, graph) => {
    void opened(graph).close()
    for (const backend of modelBackends) {
      const model = Model.read(fileOf(graph), { backend })
      const shape = graph.x.map((size) => (size === 'rows' ? 5 : (size as number)))
      const x = { data: weight(3, ...shape).data as Float32Array, shape }
      const { y } = model.run({ x })
      const axis = y.shape.findIndex(
        (size, i) =>
          size !== model.run({ x: { data: x.data.subarray(0, x.data.length / 5), shape: sized(graph.x) } }).y.shape[i],
      )
      for (const [row, want] of rowsOf(y as never, axis).entries()) {
        expect(model.run({ x: rowsOf(x, 0)[row] }).y.data).toEqual(want.data)
      }
    }
  })

  it('keeps rows apart in every graph that it takes', () => {
    let taken = 0
    for (let seed = 0; seed < 150; seed++) {
      const graph = randomGraph(seed, 'rows', 4)
      const place = graph.shape.indexOf('rows')
      try {
        void Model.read(graph.file, { backend: 'typescript' })
          .batcher({ shapes: { x: sized(graph.shape) }, batchAxes: { x: place } })
          .close()
      } catch (error) {
        expect((error as { code: string }).code, graph.text).toMatch(/^ERR_RNN_(OPTION|SHAPE)$/)
        continue
      }
      taken++
      const shape = graph.shape.map((size) => (size === 'rows' ? 4 : (size as number)))
      const x = { data: weight(seed, ...shape).data as Float32Array, shape }
      for (const backend of modelBackends) {
        const model = Model.read(graph.file, { backend })
        const whole = model.run({ x }).y
        for (const [row, own] of rowsOf(x, place).entries()) {
          const { y } = model.run({ x: own })
          const axis = whole.shape.findIndex((size, i) => size !== y.shape[i])
          expect(y.data, `${graph.text} on ${backend}`).toEqual(rowsOf(whole as never, axis)[row].data)
        }
      }
    }
    expect(taken).toBeGreaterThan(30)
  })
})
