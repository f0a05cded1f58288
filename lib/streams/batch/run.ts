/** Many frames that a stream was asked for in one call: a step that comes again. One of them is in a batch at a time. Knows no queue. */
import type { BatchMemory, BatchTypes } from './memory.ts'
import { type Place, Step, type Told } from './step.ts'

/** Its frames, by number from 0. */
export interface Frames<K extends BatchTypes> {
  readonly count: number
  /** Copies a frame to a slot. Makes no memory. */
  write(memory: K['memory'], slot: number, at: number): void
}

/**
 *   waiting ── begin ──▶ running ── end, the last or failed ──▶ ended          as of a step, and beside that:
 *      ▲                    │
 *      └── end, more left ──┘      a run that fails or is taken back puts the state back that it began with
 */
export class Run<K extends BatchTypes> extends Step<K> {
  readonly #frames: Frames<K>
  /** The frame that is next, or runs. */
  #at = 0
  /** A slot for the state before the run; given back when it cannot be needed any more. */
  #before: number
  #hasBegun = false

  constructor(lane: Place, memory: BatchMemory<K>, output: K['output'], told: Told<K>, frames: Frames<K>) {
    super(lane, memory, output, told)
    this.#frames = frames
    this.#before = memory.takeState(memory.zeroState)
  }

  override bind(memory: BatchMemory<K>): void {
    const before = memory.takeState(memory.zeroState)
    this.memory.giveState(this.#before)
    super.bind(memory)
    this.#before = before
  }

  override get goesOn(): boolean {
    return this.#at + 1 < this.#frames.count
  }

  override begin(): void {
    super.begin()
    if (!this.#hasBegun) this.memory.copyState(this.lane.slot, this.memory, this.#before)
    this.#hasBegun = true
    this.#frames.write(this.memory, this.frame, this.#at)
  }

  override keep(row: number): void {
    this.memory.copyOutput(row, this.output, this.#at)
  }

  override end(failed: boolean): number {
    const { goesOn } = this
    if (this.state === 'settled') {
      if (goesOn) this.memory.giveFrame(this.frame)
      return 0
    }
    if (failed || this.failure !== undefined) {
      super.end(failed)
      this.#undo()
      if (goesOn) this.memory.giveFrame(this.frame)
      return goesOn ? 1 : 0
    }
    if (goesOn) {
      this.go('running', 'waiting')
      this.#at++
    } else {
      super.end(failed)
      this.memory.giveState(this.#before)
    }
    return 0
  }

  override abandon(): 'new' | 'waiting' | 'running' | undefined {
    const was = super.abandon()
    if (was) this.#undo()
    return was
  }

  #undo(): void {
    if (this.#hasBegun) this.memory.copyState(this.#before, this.memory, this.lane.slot)
    this.memory.giveState(this.#before)
  }
}
