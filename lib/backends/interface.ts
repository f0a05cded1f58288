/** What a backend is: the interface between the checked API above and the engines below; knows no numbers. */

import type { Plan } from '../graph/plan.ts'
import type { ElementType, GraphData, GraphTensor } from '../graph/tensor.ts'
import type { OperatorKind } from '../spec/operator-traits.ts'
import type { BackendName, CellWeights, NetworkSpec } from '../spec/spec.ts'
import type { Precision } from '../spec/weight-types.ts'
import type { Fill } from '../weights/random.ts'
import type { PackedMemory } from './packed-memory.ts'

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
  /** Where results are written; for what is left out memory is made. hn and cn may be h0 and c0, nothing else overlaps. */
  readonly into?: Partial<ForwardResult>
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

/** Called when a call beside this thread has ended: with its result, or with why there is none. */
export type Settle = (result: ForwardResult | Error) => void

/**
 * Live states that step together, by slots: the batcher fills arrays, launches, and collects when a launch has ended. Arrays are
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
  /** The weights as they are kept, widened to float32, index layer · D + direction; fresh copies. */
  weights(): CellWeights[]
  /** Bytes that the weights take as they are kept, scales and biases included. */
  readonly weightBytes: number
  stream(batchSize: number): StreamCore
  /**
   * Starts a pass beside this thread's own work, its inputs copied. `settle` is called once, in a later turn of the event loop. The
   * function that comes back cancels the pass: settle is then never called. The arrays of `into` are written when the pass has ended,
   * right before `settle` is called; `check` is called before that, and what it throws is what the pass ends with.
   */
  forwardAsync(call: ForwardCall, settle: Settle, check: () => void): () => void
  batch(): BatchCore
  /** The weights in shared memory, for `Backend.adopt` in any thread. */
  share(): unknown
  /** Frees what the network holds. Streams and running calls keep what they need. */
  dispose(): void
}

/** A layer without a state, on rows; `spec/operator-traits.ts` says how long they are. */
export interface OperatorCore {
  /** `into`: the array for the result, which does not overlap x; without it memory is made. */
  run(x: Float32Array, rows: number, into?: Float32Array): Float32Array
  /** The weights as they are kept, widened to float32, in the order in which they were given, zeros for a bias that was left out; fresh copies. */
  weights(): Float32Array[]
  /** Bytes that the weights take as they are kept, scales and biases included. */
  readonly weightBytes: number
  dispose(): void
}

/** Weights of a model as a backend keeps them: made once, used by all its programs, and carried to other threads. */
export interface WeightStore {
  /**
   * Packed weights made of a constant of the model, under a key that says how. `make` is asked once for each, and nobody writes to what
   * it gives afterwards. Where another thread has packed them, `adopt` gets what it shared.
   */
  packed<Memory extends PackedMemory>(
    constant: GraphTensor,
    key: string,
    make: () => Memory,
    adopt: (shared: Float32Array) => Memory,
  ): Memory
  /** The number of a constant of the model, the same in every thread; undefined for what plans compute by themselves. */
  numberOf(constant: GraphTensor): number | undefined
}

/** A plan made ready to run. Never mutated. */
export interface Program {
  /** Memory for one run at a time. */
  instance(): ProgramInstance
  dispose(): void
}

/** Rows that lie by slot in a memory of their own: a row is `outer` stretches of `inner` values; 0: one stretch, that of all rows. */
export interface SlotRows {
  readonly outer: number
  readonly inner: number
  /** Of the program. */
  readonly rows: number
  /** The bytes of the memory. */
  readonly memory: Uint8Array
  /** The slots of the first `count` rows: at `first`, and every `stride` integers from there. */
  readonly order: Int32Array
  readonly first: number
  readonly stride: number
  readonly count: number
}

/** Inputs and outputs of one run, and what runs them. The arrays are the same for its whole life, each of the type of its value. */
export interface ProgramInstance {
  /** In the plan's order, each as long as its shape asks. */
  readonly inputs: readonly GraphData[]
  readonly outputs: readonly GraphData[]
  /** Reads `inputs`, fills `outputs`, carries states. A failed run changes no input. */
  run(): void
  /**
   * The same beside this thread; nobody may write to `inputs` before `settle` is called, in a later turn of the event loop. The function
   * that comes back cancels it: settle is then never called, and the instance cannot be used again.
   */
  start(settle: (error?: Error) => void): () => void
  /** Copies slots to the rows of an input; rows from `count` on get the slot of the first. Backends without leave it to JavaScript. */
  gather?(input: number, rows: SlotRows): void
  /** Copies the rows of an input, which is a state, or of an output to their slots, where these are not negative. Where `gather` is. */
  scatter?(from: 'inputs' | 'outputs', place: number, rows: SlotRows): void
  dispose(): void
}

export interface Backend {
  readonly name: BackendName
  /** `weights` are plain float32 whatever the specification asks for: the backend rounds them. None rounds to infinity. */
  network(spec: NetworkSpec, weights: readonly CellWeights[]): Network
  /** A network on what `share()` of the same backend gave; undefined where that does not fit the specification. */
  adopt(spec: NetworkSpec, shared: unknown): Network | undefined
  /** An operator of checked sizes and weights, undefined where one is left out. */
  operator(
    kind: OperatorKind,
    sizes: readonly number[],
    weights: readonly (Float32Array | undefined)[],
    precision: Precision,
  ): OperatorCore
  /**
   * A plan as this backend runs it. An operator that it cannot run is refused with the step's label. The precision holds for the weights of
   * recurrent layers, Gemm, MatMul and Conv.
   */
  program(plan: Plan, store: WeightStore, threads: number, precision: Precision): Program
  /** Whether a program may have inputs of a type; left out where it may of any. */
  readonly takes?: (type: ElementType) => boolean
  /** Random weights faster than JavaScript makes them, where the backend can; the same numbers. */
  readonly fill?: Fill
}
