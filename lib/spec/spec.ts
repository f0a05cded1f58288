/** What a network is: the names of cells, directions and backends, sizes, and the shape of its plain weights. Facts only. */
import type { CellFunctions } from './cell-functions.ts'
import type { CellName } from './cell-traits.ts'
import type { ActivationType, WeightType } from './weight-types.ts'

export type { CellName, ClassName } from './cell-traits.ts'

/** The engines: instruction sets of the native one, best first, WebAssembly, and TypeScript. */
export type BackendName = 'avx512' | 'avx2' | 'neon' | 'portable' | 'wasm' | 'typescript'

/** `reverse` (backward in time only) exists in ONNX alone; PyTorch has the other two. */
export type Direction = 'forward' | 'reverse' | 'bidirectional'

/** Everything about a network but its weights. All fields are checked before a backend sees them. */
export interface NetworkSpec {
  readonly cell: CellName
  /** Of a cell that has its functions beside it, and only of such. */
  readonly functions?: CellFunctions
  readonly inputSize: number
  readonly hiddenSize: number
  /** 0: no projection. */
  readonly projSize: number
  readonly numLayers: number
  readonly bias: boolean
  readonly direction: Direction
  /** How matrices of weights are kept. Biases and peepholes stay float32. */
  readonly weights: WeightType
  /** What meets them in a product: 'int8' only beside weights of int8. */
  readonly activations: ActivationType
  /** The most threads one call may use. */
  readonly threads: number
}

/** The plain, PyTorch-shaped weights of one layer in one direction; G gates, K inputs, O = projSize or hiddenSize. */
export interface CellWeights {
  readonly weightIh: Float32Array // (G·H, K)
  readonly weightHh: Float32Array // (G·H, O)
  readonly biasIh?: Float32Array // (G·H)
  readonly biasHh?: Float32Array // (G·H)
  readonly weightHr?: Float32Array // (P, H)
  readonly peephole?: Float32Array // (3·H): ci, cf, co
  /** Of int8, and only between a backend and compiled code: the scales of the rows; left out where they follow from the weights. */
  readonly scalesIh?: Float32Array // (G·H)
  readonly scalesHh?: Float32Array // (G·H)
  readonly scalesHr?: Float32Array // (P)
}

/** D: how many directions one layer runs in. */
export function directionsOf(spec: Pick<NetworkSpec, 'direction'>): number {
  return spec.direction === 'bidirectional' ? 2 : 1
}

/** O: what one direction outputs. */
export function outputSizeOf(spec: NetworkSpec): number {
  return spec.projSize || spec.hiddenSize
}
