/** Random graphs of a few operators each, drawn from a seed, with one axis of the input open: some keep what lies along it apart, and some do not. */
import { Model } from 'native-rnn'
import { modelFile, weight } from './model-files.ts'
import type { Bytes, TestAttribute, TestNode, TestTensor } from './onnx-writer.ts'

export interface RandomGraph {
  readonly file: Bytes
  /** The input `x`: sizes, and a name on the open axis. The output is `y`. */
  readonly shape: readonly (number | string)[]
  /** Operators by name, for messages. */
  readonly text: string
}

/** Numbers from 0 to below 1. */
function randomOf(seed: number): () => number {
  let state = seed * 7919 + 13
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 2147483648
  }
}

/** What one more operator is drawn with. */
interface Draw {
  readonly shape: readonly number[]
  /** An axis of it. */
  readonly axis: number
  readonly below: (n: number) => number
  readonly pick: <Value>(values: readonly Value[]) => Value
  readonly weights: Record<string, TestTensor>
  readonly lists: Record<string, readonly number[]>
  /** Another value of the graph. */
  readonly other: string
}

/** A node; its input that goes on is `in`. */
type Drawn = readonly [opType: string, inputs: readonly string[], attributes?: Record<string, TestAttribute>]

/** A new constant. */
const constant = ({ weights }: Draw, ...shape: number[]) => {
  const name = `w${Object.keys(weights).length}`
  weights[name] = weight(Object.keys(weights).length, ...shape)
  return name
}
const integers = ({ lists }: Draw, values: readonly number[]) => {
  const name = `l${Object.keys(lists).length}`
  lists[name] = values
  return name
}

const spatial = ({ shape }: Draw) => shape.slice(2)
const kernels = (draw: Draw) => spatial(draw).map(() => 1 + draw.below(3))
const layer = (draw: Draw, directions = 1) => [
  'in',
  constant(draw, directions, 8, draw.shape.at(-1)!),
  constant(draw, directions, 8, 2),
]
const at = ({ shape, axis }: Draw, here: number, elsewhere: number) =>
  shape.map((_, i) => (i === axis ? here : elsewhere))

const families: readonly ((draw: Draw) => Drawn)[] = [
  ({ pick }) => [pick(['Relu', 'Tanh', 'Abs', 'Sigmoid']), ['in']],
  (draw) => ['Add', ['in', constant(draw, draw.shape.at(-1)!)]],
  ({ pick, other }) => [pick(['Add', 'Sub', 'Max']), ['in', other]],
  ({ axis, other }) => ['Concat', ['in', other], { axis }],
  (draw) => ['MatMul', ['in', constant(draw, draw.shape.at(-1)!, 3)]],
  (draw) => ['MatMul', [constant(draw, 3, draw.shape.at(-2) ?? 1), 'in']],
  (draw) => ['Gemm', ['in', constant(draw, draw.shape.at(-1)!, 3), constant(draw, 3)]],
  (draw) => ['Gemm', ['in', constant(draw, draw.shape[0], 3)], { transA: 1 }],
  (draw) => ['Einsum', ['in', constant(draw, draw.shape.at(-1)!, 3)], { equation: '...k,kn->...n' }],
  ({ pick }) => ['Einsum', ['in', 'in'], { equation: pick(['abc,abd->acd', 'abc,dbc->adb', '...ab,...cb->...ac']) }],
  ({ shape, below }) => {
    const order = shape.map((_, i) => ({ i, key: below(1000) })).sort((a, b) => a.key - b.key)
    return ['Transpose', ['in'], { perm: order.map(({ i }) => i) }]
  },
  ({ axis, below, pick }) => [
    pick(['ReduceMean', 'ReduceMax', 'ReduceL2']),
    ['in'],
    { axes: [axis], keepdims: below(2) },
  ],
  ({ axis, pick }) => [pick(['Softmax', 'LogSoftmax']), ['in'], { axis }],
  (draw) => ['Reshape', ['in', integers(draw, at(draw, -1, 0))]],
  (draw) => ['Reshape', ['in', integers(draw, [-1, ...draw.shape.slice(1 + draw.below(2))])]],
  (draw) => ['Reshape', ['in', integers(draw, draw.pick([[-1, 6], [6, -1], [-1, 2, 3], [2, -1, 3], [0, -1], [-1]]))]],
  (draw) => ['Unsqueeze', ['in', integers(draw, [draw.below(draw.shape.length + 1)])]],
  () => ['Squeeze', ['in']],
  ({ axis }) => ['Flatten', ['in'], { axis }],
  ({ axis }) => ['Concat', ['in', 'in'], { axis }],
  (draw) => [
    'Slice',
    ['in', ...[[draw.below(2)], [draw.pick([-1, 3, 2 ** 31])], [draw.axis]].map((one) => integers(draw, one))],
  ],
  (draw) => ['Gather', ['in', integers(draw, draw.pick([[0], [0, 1], [-1]]))], { axis: draw.axis }],
  (draw) => ['Tile', ['in', integers(draw, at(draw, 2, 1))]],
  (draw) => ['Pad', ['in', integers(draw, [...at(draw, 1, 0), ...at(draw, 0, 0)])]],
  (draw) => ['LayerNormalization', ['in', constant(draw, draw.shape.at(-1)!)], { axis: -1 }],
  (draw) => ['InstanceNormalization', ['in', constant(draw, draw.shape[1]), constant(draw, draw.shape[1])]],
  (draw) => ['CumSum', ['in', integers(draw, [draw.axis])]],
  ({ pick, ...draw }) => [pick(['MaxPool', 'AveragePool']), ['in'], { kernel_shape: kernels({ pick, ...draw }) }],
  () => ['GlobalAveragePool', ['in']],
  (draw) => ['Conv', ['in', constant(draw, 3, draw.shape[1] ?? 1, ...kernels(draw))]],
  (draw) => {
    const [kernel, stride] = [kernels(draw), draw.pick([1, 1, 2])]
    const pads = [...kernel.map((size) => size - 1), ...kernel.map(() => 0)]
    const strides = kernel.map(() => stride)
    return ['Conv', ['in', constant(draw, 3, draw.shape[1] ?? 1, ...kernel)], { pads, strides }]
  },
  (draw) => ['ConvTranspose', ['in', constant(draw, draw.shape[1] ?? 1, 2, ...kernels(draw))]],
  (draw) => ['LSTM', layer(draw), { hidden_size: 2, layout: draw.below(2) }],
  (draw) => ['LSTM', layer(draw), { hidden_size: 2 }],
  (draw) => ['LSTM', layer(draw, 2), { hidden_size: 2, direction: 'bidirectional' }],
  ({ axis }) => ['Split', ['in'], { axis }],
]

const shapes = [
  [5, 6],
  [2, 3],
  [3, 4, 2],
  [2, 3, 5],
]

/** A graph of up to five operators, each of which can run; `size` is what its open axis is drawn with. */
export function randomGraph(seed: number, open: string, size: number): RandomGraph {
  const random = randomOf(seed)
  const below = (n: number) => Math.floor(random() * n)
  const pick = <Value>(values: readonly Value[]) => values[below(values.length)]
  const declared: (number | string)[] = [...pick(shapes)]
  declared.splice(below(declared.length + 1), 0, open)
  const sized = declared.map((one) => (typeof one === 'string' ? size : one))
  const x = { data: weight(seed, ...sized).data as Float32Array, shape: sized }
  let nodes: TestNode[] = []
  const [weights, lists]: [Draw['weights'], Draw['lists']] = [{}, {}]
  const values: { name: string; shape: readonly number[] }[] = [{ name: 'x', shape: sized }]
  const fileOf = (all: readonly TestNode[]) =>
    modelFile({
      nodes: [...all, { opType: 'Identity', inputs: [all.at(-1)?.outputs?.[0] ?? 'x'], outputs: ['y'] }],
      inputs: { x: { shape: declared } },
      outputs: { y: {} },
      weights,
      lists,
    })
  for (let more = 1 + below(5); more > 0; more--) {
    const from = random() < 0.8 ? values.at(-1)! : pick(values)
    const { shape } = from
    const draw = { shape, axis: below(shape.length), below, pick, weights, lists, other: pick(values).name }
    const [opType, inputs, attributes = {}] = pick(families)(draw)
    const name = `v${values.length}`
    const own = inputs.map((one) => (one === 'in' ? from.name : one))
    const all = [...nodes, { opType, name, inputs: own, outputs: [name], attributes }]
    try {
      const { y } = Model.read(fileOf(all), { backend: 'typescript' }).run({ x })
      if (y.data.length === 0 || y.data.length > 20_000 || y.shape.length > 6) continue
      nodes = all
      values.push({ name, shape: y.shape })
    } catch {
      // It does not fit what it was put behind.
    }
  }
  const text = nodes.map(({ opType, inputs }) => `${opType}(${inputs})`).join(' ')
  return { file: fileOf(nodes), shape: declared, text: `seed ${seed}: [${declared}] ${text}` }
}
