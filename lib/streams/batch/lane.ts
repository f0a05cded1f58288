/** One stream's place in a batcher's queue: what it has asked for, in order. Knows no batches. */

/** A state to begin with; what is left out is zeros. */
export interface LaneState {
  readonly h?: Float32Array
  readonly c?: Float32Array
}

/** One step that waits or runs, or a reset that waits for its turn. */
export interface Entry {
  readonly lane: Lane
  readonly reset?: LaneState
  readonly frame: number
  /** Where the step's result goes: made when the step is asked for, as at the end there is nobody to throw at. */
  readonly output: Float32Array
  readonly resolve: (output: Float32Array) => void
  readonly reject: (reason: unknown) => void
  next: Entry | undefined
  /** Nobody waits for it, and no state moves for it. */
  aborted: boolean
  /** Ends the wait for its signal. */
  stopListening: (() => void) | undefined
}

export class Lane {
  readonly slot: number
  first: Entry | undefined
  last: Entry | undefined
  running: Entry | undefined
  /** Whether it stands among the ready ones, and since when. */
  ready = false
  since = 0
  closed = false

  constructor(slot: number) {
    this.slot = slot
  }

  /** Something new of this lane, that stands nowhere yet. */
  entry(given: Pick<Entry, 'frame' | 'output' | 'resolve' | 'reject' | 'reset'>): Entry {
    const { frame, output, resolve, reject, reset } = given
    return {
      lane: this,
      reset,
      frame,
      output,
      resolve,
      reject,
      next: undefined,
      aborted: false,
      stopListening: undefined,
    }
  }

  append(entry: Entry): void {
    if (this.last) this.last.next = entry
    else this.first = entry
    this.last = entry
  }

  /** A reset that comes after what was asked for before. */
  appendReset(reset: LaneState): void {
    this.append(this.entry({ reset, frame: -1, output: nothing, resolve: ignore, reject: ignore }))
  }

  removeFirst(): void {
    this.first = this.first?.next
    if (!this.first) this.last = undefined
  }

  /** Makes the first entry of a lane that does not run a step that is not aborted, or none: resets before it take effect. */
  settleHead(write: (slot: number, state: LaneState) => void): void {
    for (let entry = this.first; entry && (entry.aborted || entry.reset); entry = this.first) {
      if (entry.reset) write(this.slot, entry.reset)
      this.removeFirst()
    }
  }
}

const nothing = new Float32Array(0)

function ignore(): void {}
