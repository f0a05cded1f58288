/** What a backend is: the interface between the checked API above and the engines below; knows no numbers. */

export type BackendName = 'avx512' | 'avx2' | 'neon' | 'portable' | 'typescript'

/** The cells of the engine: one file each in `lib/fallback/cells/` and `native/cells/`. */
export type CellName = 'rnnTanh' | 'rnnRelu' | 'gru' | 'gruResetBefore' | 'lstm' | 'lstmPeephole'

/** `reverse` (backward in time only) exists in ONNX alone; PyTorch has the other two. */
export type Direction = 'forward' | 'reverse' | 'bidirectional'

/** Everything about a network but its weights. All fields are checked before a backend sees them. */
export interface NetworkSpec {
  readonly cell: CellName
  readonly inputSize: number
  readonly hiddenSize: number
  /** 0: no projection. */
  readonly projSize: number
  readonly numLayers: number
  readonly bias: boolean
  readonly direction: Direction
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
}

/** One checked forward pass: every array has exactly the length that the sizes ask for. */
export interface ForwardCall {
  readonly x: Float32Array // (T, B, I), or (B, T, I) where batchFirst
  readonly T: number
  readonly B: number
  readonly batchFirst: boolean
  readonly h0?: Float32Array // (D·L, B, O)
  readonly c0?: Float32Array // (D·L, B, H)
  readonly lengths?: Int32Array // (B), each 0 … T
  readonly returnOutput: boolean
}

export interface ForwardResult {
  readonly output?: Float32Array // (T, B, D·O), or (B, T, D·O) where batchFirst
  readonly hn: Float32Array // (D·L, B, O)
  readonly cn?: Float32Array // (D·L, B, H); LSTM only
}

/** The live state of B sequences; `step` reads `input`, advances the state and fills `output`. */
export interface StreamCore {
  readonly input: Float32Array // B·I
  readonly output: Float32Array // B·O
  readonly step: () => void
  /** Many steps: x (T, B, I) → (T, B, O). */
  run(x: Float32Array, T: number): Float32Array
  /** Copies of the state: h (L, B, O), c (L, B, H). */
  readState(): { h: Float32Array; c?: Float32Array }
  /** Replaces the state; what is left out becomes zeros. */
  writeState(h?: Float32Array, c?: Float32Array): void
  dispose(): void
}

/** A network whose weights are loaded. Never mutated: new weights make a new network. */
export interface Network {
  forward(call: ForwardCall): ForwardResult
  /** The plain weights, index layer · D + direction; fresh copies. */
  weights(): CellWeights[]
  stream(batchSize: number): StreamCore
  /** Frees what the network holds. Streams and running calls keep what they need. */
  dispose(): void
}

/** y = x · Wᵀ + b on rows. */
export interface LinearCore {
  forward(x: Float32Array, rows: number): Float32Array // (rows, in) → (rows, out)
  dispose(): void
}

export interface Backend {
  readonly name: BackendName
  network(spec: NetworkSpec, weights: readonly CellWeights[]): Network
  linear(inFeatures: number, outFeatures: number, weight: Float32Array, bias?: Float32Array): LinearCore
}
