/** ONNX's activation functions in double precision, as the operator's text writes them, but for what would lose digits or overflow. */
import { abs, exp, expm1, log1p, max, min, tanh } from '../../intrinsics/captured.ts'
import type { ActivationName } from '../../spec/activations.ts'
import type { CellFunction, CellFunctions } from '../../spec/cell-functions.ts'
import { relu, sigmoid } from './math.ts'

/** The functions of one direction; each bounds what it gets. */
export interface Functions {
  readonly f: (x: number) => number
  readonly g: (x: number) => number
  readonly h: (x: number) => number
  readonly inputForget: boolean
}

type Make = (alpha: number, beta: number) => (x: number) => number

const activations: Readonly<Record<ActivationName, Make>> = {
  tanh: () => tanh,
  sigmoid: () => sigmoid,
  relu: () => relu,
  affine: (alpha, beta) => (x) => alpha * x + beta,
  leakyRelu: (alpha) => (x) => (x < 0 ? alpha * x : x),
  thresholdedRelu: (alpha) => (x) => (x < alpha ? 0 : x),
  scaledTanh: (alpha, beta) => (x) => alpha * tanh(beta * x),
  hardSigmoid: (alpha, beta) => (x) => min(max(alpha * x + beta, 0), 1),
  elu: (alpha) => (x) => (x < 0 ? alpha * expm1(x) : x),
  softsign: () => (x) => x / (1 + abs(x)),
  // log(1 + e^x), where e^x does not overflow and is not lost beside the 1.
  softplus: () => (x) => max(x, 0) + log1p(exp(-abs(x))),
}

function make({ name, alpha, beta }: CellFunction, clip: number): (x: number) => number {
  const activation = activations[name](alpha, beta)
  return clip === Infinity ? activation : (x) => activation(min(max(x, -clip), clip))
}

/** The functions of direction d. */
export function functionsOf({ directions, clip, inputForget }: CellFunctions, d: number): Functions {
  const f = make(directions[d][0], clip)
  const g = directions[d].length > 1 ? make(directions[d][1], clip) : f
  const h = directions[d].length > 2 ? make(directions[d][2], clip) : f
  return { f, g, h, inputForget }
}

/** Those that PyTorch's GRU and LSTM have. */
export const usual: Functions = { f: sigmoid, g: tanh, h: tanh, inputForget: false }
