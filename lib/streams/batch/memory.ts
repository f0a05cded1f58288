/** What a queue needs to know of the states, frames and outputs that it moves: of a layer's and a model's alike. */

import type { BackendName } from '../../spec/spec.ts'

/** One kind of batcher: a frame goes in, an output comes out, a state is kept between. */
export interface BatchTypes {
  frame: unknown
  /** A state to begin with: parts may be left out. */
  state: unknown
  /** A state in full: one to begin with, too. */
  saved: this['state']
  output: unknown
  /** The memory itself, with what only those know of it who have made it. */
  memory: unknown
}

/** What a lane does to its slot of the memory. */
export interface LaneMemory<K extends BatchTypes> {
  writeState(slot: number, state: K['state']): void
  giveState(slot: number): void
  /** A copy that no caller can change. */
  copyOfState(state: K['state']): K['state']
  /** Copies one slot's state to another one's, which may be of another memory of the same sizes. Makes no memory. */
  copyState(slot: number, to: K['memory'], target: number): void
}

/** Slots of states and frames, rows of the batch that starts, and outputs of the batch that was collected last. */
export interface BatchMemory<K extends BatchTypes> extends LaneMemory<K> {
  /** The name of what computes. */
  readonly backend: BackendName
  /** A state and a frame without values. */
  readonly zeroState: K['state']
  readonly zeroFrame: K['frame']
  /** (rows, 2): state slot, frame slot. */
  readonly rows: Int32Array
  /** A slot with this state in it. */
  takeState(state: K['state']): number
  /** Copies. */
  readState(slot: number): K['saved']
  /** The bytes of a state, with a fingerprint of what computes. */
  encode(state: K['saved']): Uint8Array
  /** Throws for what is no frame. */
  checkFrame(frame: unknown): void
  /** A slot with a copy of this frame in it. */
  takeFrame(frame: K['frame']): number
  giveFrame(slot: number): void
  newOutput(): K['output']
  /** Makes what `copyOutput` needs for so many rows: when a batch has ended there is nobody to throw at. */
  prepareOutputs(rows: number): void
  /**
   * Starts one step of the first `count` of `rows`. Frames and states are copied before it returns; no state moves. `ended` gets a
   * ticket, and where the step failed the error.
   */
  launch(count: number, ended: (ticket: number, error?: Error) => void): void
  /** Once for each ticket: writes the new state of every row whose state slot in `rows` is not negative. */
  collect(ticket: number): void
  /** Why a row of the batch that was collected last has nothing, where others of it have: undefined for one that has. */
  failure(row: number): unknown
  /** Copies what a row of the batch that was collected last has given to the place `at` of an output: a step's only one, or one of a run's. */
  copyOutput(row: number, output: K['output'], at: number): void
  /** Frees all of it, and what it computes with; called once, when nobody needs it any more. */
  dispose(): void
}
