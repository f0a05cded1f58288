/** ONNX's own formulas of RNN, GRU and LSTM in double precision, on ONNX's shapes and gate orders; the slow second opinion. */

export interface Array3 {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

export interface ReferenceNode {
  readonly opType: 'RNN' | 'GRU' | 'LSTM'
  readonly direction: 'forward' | 'reverse' | 'bidirectional'
  readonly linearBeforeReset?: boolean
  readonly relu?: boolean
  readonly W: Array3
  readonly R: Array3
  readonly B?: Array3
  readonly P?: Array3
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

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
  const units = Array.from({ length: H }, (_, j) => j)

  let h: number[] = units.map(() => 0)
  let c: number[] = units.map(() => 0)
  const steps: number[][] = []
  for (const input of x) {
    const previous = h
    const sum = (gate: number, j: number, state = previous) =>
      row(node.W, gate * H + j, input) + row(node.R, gate * H + j, state) + Wb(gate * H + j) + Rb(gate * H + j)
    if (node.opType === 'RNN') {
      h = units.map((j) => (node.relu ? Math.max(0, sum(0, j)) : Math.tanh(sum(0, j))))
    } else if (node.opType === 'GRU') {
      const z = units.map((j) => sigmoid(sum(0, j)))
      const r = units.map((j) => sigmoid(sum(1, j)))
      const reset = previous.map((value, j) => r[j] * value)
      const n = units.map((j) => {
        const i = 2 * H + j
        if (!node.linearBeforeReset) return Math.tanh(sum(2, j, reset))
        return Math.tanh(row(node.W, i, input) + Wb(i) + r[j] * (row(node.R, i, previous) + Rb(i)))
      })
      h = units.map((j) => (1 - z[j]) * n[j] + z[j] * previous[j])
    } else {
      const before = c
      const i = units.map((j) => sigmoid(sum(0, j) + peep(j) * before[j]))
      const f = units.map((j) => sigmoid(sum(2, j) + peep(2 * H + j) * before[j]))
      c = units.map((j) => f[j] * before[j] + i[j] * Math.tanh(sum(3, j)))
      h = units.map((j) => sigmoid(sum(1, j) + peep(H + j) * c[j]) * Math.tanh(c[j]))
    }
    steps.push(h)
  }
  return { steps, h, c }
}
