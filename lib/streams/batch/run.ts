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
 *      └── end, more left ──┘      it moves a copy of the state, which becomes the stream's when all is done
 */
export class Run<K extends BatchTypes> extends Step<K> {
  readonly #frames: Frames<K>
  /** The frame that is next, or runs. */
  #at = 0
  /** Of its copy of the state; given back when it ends. */
  #slot: number

  constructor(lane: Place, memory: BatchMemory<K>, output: K['output'], told: Told<K>, frames: Frames<K>) {
    super(lane, memory, output, told)
    this.#frames = frames
    this.#slot = memory.takeState(memory.zeroState)
  }

  override get slot(): number {
    return this.#slot
  }

  override bind(memory: BatchMemory<K>): void {
    const slot = memory.takeState(memory.zeroState)
    this.memory.giveState(this.#slot)
    super.bind(memory)
    this.#slot = slot
  }

  override get goesOn(): boolean {
    return this.#at + 1 < this.#frames.count
  }

  override begin(): void {
    super.begin()
    if (this.#at === 0) this.memory.copyState(this.lane.slot, this.memory, this.#slot)
    this.#frames.write(this.memory, this.frame, this.#at)
  }

  override keep(row: number): void {
    this.memory.copyOutput(row, this.output, this.#at)
  }

  override end(error: unknown): number {
    // Taken back: nothing is left of it.
    if (this.state === 'settled') return 0
    const { goesOn } = this
    const hasFailed = (error ?? this.failure) !== undefined
    if (goesOn && !hasFailed) {
      this.go('running', 'waiting')
      this.#at++
      return 0
    }
    super.end(error)
    if (!hasFailed) this.memory.copyState(this.#slot, this.memory, this.lane.slot)
    this.memory.giveState(this.#slot)
    if (!goesOn) return 0
    this.memory.giveFrame(this.frame)
    return 1
  }

  override abandon(): 'new' | 'waiting' | 'running' | undefined {
    const was = super.abandon()
    if (was) this.memory.giveState(this.#slot)
    return was
  }
}
