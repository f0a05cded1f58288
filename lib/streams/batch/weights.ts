/** One set of weights of a batcher, with the memory of those who step on it; counted by the batcher and by its streams. Knows no queue. */
import { LaneList, type Linked } from './lane-list.ts'
import type { BatchMemory, BatchTypes } from './memory.ts'
import type { Step } from './step.ts'

/** A lane as lists have it. */
export interface ListedLane<K extends BatchTypes> extends Linked<ListedLane<K>> {
  take(): Step<K>
}

/** What weights are made of. */
export interface WeightsParts<K extends BatchTypes> {
  readonly memory: K['memory'] & BatchMemory<K>
  readonly backend: string
  /** Batches that may run at once. */
  readonly maxRunning: number
  /** Frees all of it; called once, when nobody needs it any more. */
  dispose(): void
}

export class Weights<K extends BatchTypes> {
  readonly memory: K['memory'] & BatchMemory<K>
  readonly backend: string
  readonly maxRunning: number
  /** The lanes whose next step is on these weights. */
  readonly ready = new LaneList<ListedLane<K>>()
  /** Batches that run. */
  running = 0
  /** The next one of the queue's. */
  next: Weights<K> | undefined
  #users = 1
  readonly #parts: WeightsParts<K>

  /** The new object counts as its first user. */
  constructor(parts: WeightsParts<K>) {
    this.memory = parts.memory
    this.backend = parts.backend
    this.maxRunning = parts.maxRunning
    this.#parts = parts
  }

  get isUsed(): boolean {
    return this.#users > 0
  }

  retain(): this {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users === 0) this.#parts.dispose()
  }
}
