/** ONNX's own formulas of RNN, GRU and LSTM in double precision, on ONNX's shapes and gate orders; the slow second opinion. */

export interface Array3 {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

/** A function by ONNX's name, with its factors. */
export interface ReferenceFunction {
  readonly name: string
  readonly alpha?: number
  readonly beta?: number
}

export interface ReferenceNode {
  readonly opType: 'RNN' | 'GRU' | 'LSTM'
  readonly direction: 'forward' | 'reverse' | 'bidirectional'
  readonly linearBeforeReset?: boolean
  /** f g h of each direction; left out: the operator's defaults. */
  readonly functions?: readonly ReferenceFunction[]
  readonly clip?: number
  readonly inputForget?: boolean
  readonly W: Array3
  readonly R: Array3
  readonly B?: Array3
  readonly P?: Array3
}

/** ONNX's table of activations, with the defaults of ONNX's operators; ScaledTanh has none there. */
export const onnxActivations: Record<
  string,
  { f: (x: number, a: number, b: number) => number; a?: number; b?: number }
> = {
  Relu: { f: (x) => Math.max(0, x) },
  Tanh: { f: (x) => Math.tanh(x) },
  Sigmoid: { f: (x) => 1 / (1 + Math.exp(-x)) },
  Affine: { f: (x, a, b) => a * x + b, a: 1, b: 0 },
  LeakyRelu: { f: (x, a) => (x >= 0 ? x : a * x), a: 0.01 },
  ThresholdedRelu: { f: (x, a) => (x >= a ? x : 0), a: 1 },
  ScaledTanh: { f: (x, a, b) => a * Math.tanh(b * x), a: 1, b: 1 },
  HardSigmoid: { f: (x, a, b) => Math.min(Math.max(a * x + b, 0), 1), a: 0.2, b: 0.5 },
  Elu: { f: (x, a) => (x >= 0 ? x : a * (Math.exp(x) - 1)), a: 1 },
  Softsign: { f: (x) => x / (1 + Math.abs(x)) },
  Softplus: { f: (x) => Math.log(1 + Math.exp(x)) },
}

const usual = { RNN: ['Tanh'], GRU: ['Sigmoid', 'Tanh'], LSTM: ['Sigmoid', 'Tanh', 'Tanh'] }

/** f g h of direction d. `closest` gets how near anything that entered a ThresholdedRelu came to its step. */
function functionsOf(node: ReferenceNode, d: number, closest: (distance: number) => void) {
  const names = usual[node.opType]
  return names.map((name, i) => {
    const given = node.functions?.[d * names.length + i] ?? { name }
    const { f, a = 0, b = 0 } = onnxActivations[given.name]
    const alpha = Math.fround(given.alpha ?? a)
    const beta = Math.fround(given.beta ?? b)
    const clip = Math.fround(node.clip ?? Infinity)
    return (x: number) => {
      const bounded = Math.max(-clip, Math.min(clip, x))
      if (given.name === 'ThresholdedRelu') closest(Math.abs(bounded - alpha))
      return f(bounded, alpha, beta)
    }
  })
}

/** One sequence x (T × I) through a node: Y as [t][direction][unit], and the last states by direction. */
export function onnxReference(node: ReferenceNode, x: readonly (readonly number[])[]) {
  const D = node.direction === 'bidirectional' ? 2 : 1
  const runs = Array.from({ length: D }, (_, d) => {
    const backward = node.direction === 'reverse' || d === 1
    const run = oneDirection(node, d, backward ? x.toReversed() : x)
    return { ...run, steps: backward ? run.steps.toReversed() : run.steps }
  })
  return {
    Y: x.map((_, t) => runs.map((run) => run.steps[t])),
    h: runs.map((run) => run.h),
    c: runs.map((run) => run.c),
    /** How near the node came to a place where its result jumps. */
    closest: Math.min(...runs.map((run) => run.closest)),
  }
}

function oneDirection(node: ReferenceNode, d: number, x: readonly (readonly number[])[]) {
  const H = node.R.shape[2]
  const rows = node.R.shape[1]
  const row = (array: Array3, i: number, values: readonly number[]) => {
    const [, N, K] = array.shape
    return values.reduce((sum, value, k) => sum + array.data[(d * N + i) * K + k] * value, 0)
  }
  const Wb = (i: number) => (node.B ? node.B.data[d * 2 * rows + i] : 0)
  const Rb = (i: number) => (node.B ? node.B.data[d * 2 * rows + rows + i] : 0)
  const peep = (i: number) => (node.P ? node.P.data[d * 3 * H + i] : 0)
  let closest = Infinity
  const [f, g, squash] = functionsOf(node, d, (distance) => {
    closest = Math.min(closest, distance)
  })
  const units = Array.from({ length: H }, (_, j) => j)

  let h: number[] = units.map(() => 0)
  let c: number[] = units.map(() => 0)
  const steps: number[][] = []
  for (const entry of x) {
    const previous = h
    const sum = (gate: number, j: number, state = previous) =>
      row(node.W, gate * H + j, entry) + row(node.R, gate * H + j, state) + Wb(gate * H + j) + Rb(gate * H + j)
    if (node.opType === 'RNN') {
      h = units.map((j) => f(sum(0, j)))
    } else if (node.opType === 'GRU') {
      const z = units.map((j) => f(sum(0, j)))
      const r = units.map((j) => f(sum(1, j)))
      const reset = previous.map((value, j) => r[j] * value)
      const n = units.map((j) => {
        const i = 2 * H + j
        if (!node.linearBeforeReset) return g(sum(2, j, reset))
        return g(row(node.W, i, entry) + Wb(i) + r[j] * (row(node.R, i, previous) + Rb(i)))
      })
      h = units.map((j) => (1 - z[j]) * n[j] + z[j] * previous[j])
    } else {
      const before = c
      const input = units.map((j) => f(sum(0, j) + peep(j) * before[j]))
      const forget = units.map((j) => (node.inputForget ? 1 - input[j] : f(sum(2, j) + peep(2 * H + j) * before[j])))
      c = units.map((j) => forget[j] * before[j] + input[j] * g(sum(3, j)))
      h = units.map((j) => f(sum(1, j) + peep(H + j) * c[j]) * squash(c[j]))
    }
    steps.push(h)
  }
  return { steps, h, c, closest }
}
