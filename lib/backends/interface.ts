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

/** Told the end of a call that ran beside this thread: its result, or why there is none. */
export type Settle = (result: ForwardResult | Error) => void

/**
 * Live states that step together, by slots: the batcher fills arrays, launches, and collects when it is told the end. Arrays are
 * replaced when more room is reserved; what was in them stays.
 */
export interface BatchCore {
  readonly frames: Float32Array // (frame slots, I)
  readonly h: Float32Array // (state slots, L, O)
  readonly c: Float32Array // (state slots, L, H); empty where there is no cell state
  readonly outputs: Float32Array // (rows, O)
  readonly rows: Int32Array // (rows, 2): state slot, frame slot
  /** Makes room for so many slots and rows. */
  reserve(frames: number, states: number, rows: number): void
  /**
   * Starts one step of the first `count` of `rows`. Frames and states are copied before it returns; no state moves. `ended` gets a
   * ticket, and where the step failed the error.
   */
  launch(count: number, ended: (ticket: number, error?: Error) => void): void
  /** Once for each ticket: writes the new state of every row whose state slot in `rows` is not negative, and the outputs of these rows. */
  collect(ticket: number): void
}

/** A network whose weights are loaded. Never mutated: new weights make a new network. */
export interface Network {
  forward(call: ForwardCall): ForwardResult
  /** The plain weights, index layer · D + direction; fresh copies. */
  weights(): CellWeights[]
  stream(batchSize: number): StreamCore
  /**
   * Starts a pass beside this thread's own work, its inputs copied. `settle` is told once, in a later turn. The function that comes back
   * calls the pass off: settle is then never told.
   */
  forwardAsync(call: ForwardCall, settle: Settle): () => void
  batch(): BatchCore
  /** The weights in shared memory, for `Backend.adopt` in any thread. */
  share(): unknown
  /** Frees what the network holds. Streams and running calls keep what they need. */
  dispose(): void
}

/** y = x · Wᵀ + b on rows. */
export interface LinearCore {
  forward(x: Float32Array, rows: number): Float32Array // (rows, in) → (rows, out)
  dispose(): void
}

/** Writes random numbers in [−bound, bound) to target[begin] … target[end − 1], and moves the state of the generator on. */
export type Fill = (state: Int32Array, target: Float32Array, begin: number, end: number, bound: number) => void

export interface Backend {
  readonly name: BackendName
  network(spec: NetworkSpec, weights: readonly CellWeights[]): Network
  /** A network on what `share()` of the same backend gave; undefined where that does not fit the specification. */
  adopt(spec: NetworkSpec, shared: unknown): Network | undefined
  linear(inFeatures: number, outFeatures: number, weight: Float32Array, bias?: Float32Array): LinearCore
  /** Random weights faster than JavaScript makes them, where the backend can; the same numbers. */
  readonly fill?: Fill
}
