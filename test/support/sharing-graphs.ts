/** Random whole models: graphs of operators on float values that share what they read, by a seed. */
import { modelFile } from './model-files.ts'
import type { Bytes, TestNode, TestTensor } from './onnx-writer.ts'

/** Numbers of 0 … 1, the same for the same seed. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Value {
  readonly name: string
  readonly shape: readonly number[]
}

export interface RandomGraph {
  readonly file: Bytes
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly nodes: readonly TestNode[]
}

const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)
/** Values of more than this are not read by operators that make more of them. */
const largest = 4000

/** A graph on its way. */
class Graph {
  readonly values: Value[] = []
  readonly nodes: TestNode[] = []
  readonly weights: Record<string, TestTensor> = {}
  readonly lists: Record<string, readonly number[]> = {}
  readonly #next: () => number

  constructor(next: () => number) {
    this.#next = next
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  from(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  /** A value, a late one more likely than an early one. */
  value(fits: (value: Value) => boolean = () => true): Value | undefined {
    const found = this.values.filter(fits)
    return found.length === 0 ? undefined : found[Math.floor(found.length * Math.sqrt(this.#next()))]
  }

  weight(...shape: number[]): string {
    const name = `w${Object.keys(this.weights).length}`
    this.weights[name] = { shape, data: Float32Array.from({ length: count(shape) }, () => this.#next() - 0.5) }
    return name
  }

  list(...values: number[]): string {
    const name = `l${Object.keys(this.lists).length}`
    this.lists[name] = values
    return name
  }

  add(opType: string, inputs: readonly string[], shapes: readonly (readonly number[])[], attributes = {}): Value[] {
    const made = shapes.map((shape, i) => ({ name: `v${this.nodes.length}_${i}`, shape }))
    this.nodes.push({ opType, inputs: [...inputs], outputs: made.map(({ name }) => name), attributes })
    this.values.push(...made)
    return made
  }
}

type Grow = (graph: Graph) => void

const unary: Grow = (g) => {
  const x = g.value()!
  g.add(g.of(['Relu', 'Sigmoid', 'Tanh', 'Neg', 'Abs', 'LeakyRelu', 'Softsign', 'Identity']), [x.name], [x.shape])
}

const binary: Grow = (g) => {
  const x = g.value()!
  const y = g.value(
    ({ shape }) => shape.length === x.shape.length && shape.every((size, i) => [1, x.shape[i]].includes(size)),
  )!
  const other = g.below(3) === 0 ? g.weight(...x.shape.map((size) => g.of([1, size]))) : y.name
  const operands = g.below(2) ? [x.name, other] : [other, x.name]
  g.add(g.of(['Add', 'Sub', 'Mul', 'Max', 'Min']), operands, [x.shape])
}

const transpose: Grow = (g) => {
  const x = g.value()!
  const perm = x.shape.map((_, axis) => axis)
  for (let i = perm.length - 1; i > 0; i--) {
    const k = g.below(i + 1)
    ;[perm[i], perm[k]] = [perm[k], perm[i]]
  }
  g.add('Transpose', [x.name], [perm.map((axis) => x.shape[axis])], { perm })
}

const reshape: Grow = (g) => {
  const x = g.value()!
  const shape = [...x.shape]
  const at = g.below(shape.length)
  const divisor = [2, 3, 4].find((one) => shape[at] % one === 0)
  if (g.below(2) && divisor && shape.length < 5) shape.splice(at, 1, divisor, shape[at] / divisor)
  else if (at > 0) shape.splice(at - 1, 2, shape[at - 1] * shape[at])
  else shape.splice(g.below(shape.length + 1), 0, 1)
  if (shape.length < 6) g.add('Reshape', [x.name, g.list(...shape)], [shape])
}

const slice: Grow = (g) => {
  const x = g.value()!
  const axis = g.below(x.shape.length)
  const size = x.shape[axis]
  const [first, length] = [g.below(size), g.from(1, size)]
  const step = g.of([1, 1, 2, -1])
  const end = step > 0 ? Math.min(size, first + length) : -size - 1
  const made = step > 0 ? Math.ceil((end - first) / step) : first + 1
  const inputs = [x.name, g.list(first), g.list(end), g.list(axis), g.list(step)]
  g.add('Slice', inputs, [x.shape.map((one, i) => (i === axis ? made : one))])
}

const split: Grow = (g) => {
  const x = g.value(({ shape }) => shape.some((size) => size > 1))
  if (!x) return
  const axis = x.shape.findIndex((size) => size > 1)
  const first = g.from(1, x.shape[axis] - 1)
  const parts = [first, x.shape[axis] - first]
  const shapes = parts.map((size) => x.shape.map((one, i) => (i === axis ? size : one)))
  g.add('Split', [x.name, g.list(...parts)], shapes, { axis })
}

const concat: Grow = (g) => {
  const x = g.value(({ shape }) => count(shape) < largest)
  if (!x) return
  const axis = g.below(x.shape.length)
  const beside = ({ shape }: Value) =>
    shape.length === x.shape.length &&
    count(shape) < largest &&
    shape.every((size, i) => i === axis || size === x.shape[i])
  const parts = Array.from({ length: g.from(1, 3) }, () => g.value(beside)!)
  const size = parts.reduce((sum, { shape }) => sum + shape[axis], 0)
  const names = parts.map(({ name }) => name)
  g.add('Concat', names, [x.shape.map((one, i) => (i === axis ? size : one))], { axis })
}

const pad: Grow = (g) => {
  const x = g.value(({ shape }) => count(shape) < largest)
  if (!x) return
  const mode = g.of(['constant', 'reflect', 'edge'])
  const pads = [0, 1].flatMap(() =>
    x.shape.map((size) => Math.min(g.of([0, 0, 1, 2]), mode === 'reflect' ? size - 1 : 2)),
  )
  const rank = x.shape.length
  g.add('Pad', [x.name, g.list(...pads)], [x.shape.map((size, i) => size + pads[i] + pads[i + rank])], { mode })
}

const conv: Grow = (g) => {
  const x = g.value(({ shape }) => (shape.length === 3 || shape.length === 4) && count(shape) < largest)
  if (!x) return
  const [B, C, ...space] = x.shape
  const groups = g.of([1, 1, C])
  const outputs = groups * g.of([1, 2, 3, 16])
  const axes = space.map((size) => {
    const [kernel, dilation, stride] = [g.from(1, 3), g.of([1, 1, 2]), g.of([1, 1, 2])]
    const before = g.below(3)
    const room = size + before + 1 - (kernel - 1) * dilation - 1
    return { kernel, dilation, stride, before, output: Math.floor(room / stride) + 1, fits: room >= 0 }
  })
  if (outputs > 48 || axes.some(({ fits }) => !fits)) return
  const attributes = {
    group: groups,
    dilations: axes.map(({ dilation }) => dilation),
    strides: axes.map(({ stride }) => stride),
    pads: [...axes.map(({ before }) => before), ...axes.map(() => 1)],
  }
  const inputs = [x.name, g.weight(outputs, C / groups, ...axes.map(({ kernel }) => kernel))]
  if (g.below(2)) inputs.push(g.weight(outputs))
  const shape = [B, outputs, ...axes.map(({ output }) => output)]
  let [made] = g.add('Conv', inputs, [shape], attributes)
  if (g.below(3) === 0) [made] = g.add('Mul', [made.name, g.weight(1, outputs, ...space.map(() => 1))], [shape])
  if (g.below(2)) g.add(g.of(['Relu', 'Sigmoid']), [made.name], [shape])
}

const pool: Grow = (g) => {
  const x = g.value(
    ({ shape }) => (shape.length === 3 || shape.length === 4) && shape.slice(2).every((size) => size > 1),
  )
  if (!x) return
  const space = x.shape.slice(2)
  const shape = [x.shape[0], x.shape[1], ...space.map((size) => size - 1)]
  g.add(g.of(['MaxPool', 'AveragePool']), [x.name], [shape], { kernel_shape: space.map(() => 2) })
}

const product: Grow = (g) => {
  const x = g.value(({ shape }) => shape.length > 1 && count(shape) < largest)
  if (!x) return
  const K = x.shape[x.shape.length - 1]
  const N = g.of([1, 3, 8, 16])
  const other = g.value(({ shape }) => shape.length === 2 && shape[0] === K)
  const right = other && g.below(2) ? other : { name: g.weight(K, N), shape: [K, N] }
  const shape = [...x.shape.slice(0, -1), right.shape[1]]
  const [made] = g.add('MatMul', [x.name, right.name], [shape])
  if (g.below(2)) g.add('Add', [made.name, g.weight(right.shape[1])], [shape])
}

const turnedProduct: Grow = (g) => {
  const x = g.value(({ shape }) => shape.length > 1 && count(shape) < largest)
  if (!x) return
  const M = g.of([1, 4, 16])
  const [K, N] = x.shape.slice(-2)
  g.add('MatMul', [g.weight(M, K), x.name], [[...x.shape.slice(0, -2), M, N]])
}

const along: Grow = (g) => {
  const x = g.value()!
  const axis = g.below(x.shape.length)
  if (g.below(2)) g.add('Softmax', [x.name], [x.shape], { axis })
  else g.add('ReduceMean', [x.name], [x.shape.map((size, i) => (i === axis ? 1 : size))], { axes: [axis] })
}

const norm: Grow = (g) => {
  const x = g.value(({ shape }) => shape[shape.length - 1] > 1)
  if (!x) return
  const size = x.shape[x.shape.length - 1]
  g.add('LayerNormalization', [x.name, g.weight(size), g.weight(size)], [x.shape])
}

const gather: Grow = (g) => {
  const x = g.value()!
  const axis = g.below(x.shape.length)
  const places = Array.from({ length: g.from(1, 3) }, () => g.below(x.shape[axis]))
  const shape = x.shape.map((size, i) => (i === axis ? places.length : size))
  g.add('Gather', [x.name, g.list(...places)], [shape], { axis })
}

const tile: Grow = (g) => {
  const x = g.value(({ shape }) => count(shape) < largest / 4)
  if (!x) return
  const repeats = x.shape.map(() => g.of([1, 1, 2]))
  g.add('Tile', [x.name, g.list(...repeats)], [x.shape.map((size, i) => size * repeats[i])])
}

const recurrent: Grow = (g) => {
  const x = g.value(({ shape }) => shape.length === 3)
  if (!x) return
  const [T, B, I] = x.shape
  const H = g.of([2, 5])
  const D = g.of([1, 2])
  const inputs = [x.name, g.weight(D, 3 * H, I), g.weight(D, 3 * H, H)]
  const direction = D === 2 ? 'bidirectional' : 'forward'
  g.add(
    'GRU',
    inputs,
    [
      [T, D, B, H],
      [D, B, H],
    ],
    { hidden_size: H, linear_before_reset: 1, direction },
  )
}

const grows: readonly Grow[] = [
  ...[unary, binary, transpose, reshape, slice, split, concat, pad, conv, pool, product, turnedProduct],
  ...[along, norm, gather, tile, recurrent, unary, binary, transpose, concat],
]

/** A graph of about so many nodes. Outputs are some of its values, inputs among them. */
export function randomGraph(seed: number, nodes = 12): RandomGraph {
  const g = new Graph(numbersFrom(seed))
  const [B, C, T] = [g.from(1, 3), g.from(1, 5), g.from(1, 9)]
  const inputs = [
    { name: 'a', shape: [B, C, T] },
    { name: 'b', shape: [B, C, T] },
    { name: 'c', shape: [T, C] },
  ]
  g.values.push(...inputs)
  while (g.nodes.length < nodes) g.of(grows)(g)
  const last = g.values.slice(-2)
  const outputs = [...new Set([...last, g.value()!, g.value()!])].map((value, i) => ({ value, name: `out${i}` }))
  for (const { value, name } of outputs) {
    g.nodes.push({ opType: 'Identity', inputs: [value.name], outputs: [name], attributes: {} })
  }
  const declared = (list: readonly Value[]) => Object.fromEntries(list.map(({ name, shape }) => [name, { shape }]))
  const made = outputs.map(({ name, value }) => ({ name, shape: value.shape }))
  const { weights, lists } = g
  const file = modelFile({ nodes: g.nodes, inputs: declared(inputs), outputs: declared(made), weights, lists })
  return { file, inputs, outputs: made, nodes: g.nodes }
}
