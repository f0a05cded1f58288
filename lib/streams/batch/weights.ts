/** One set of weights of a batcher, with the memory of those who step on it; counted by the batcher and by its streams. Knows no queue. */
import { processors } from '../../platform/process.ts'
import type { BackendName } from '../../spec/spec.ts'
import { LaneList, type Linked } from './lane-list.ts'
import type { BatchMemory, BatchTypes } from './memory.ts'
import type { Step } from './step.ts'

/** A lane as lists have it. */
export interface ListedLane<K extends BatchTypes> extends Linked<ListedLane<K>> {
  take(): Step<K>
}

/** A memory with what only those know of it who have made it. */
export type WholeMemory<K extends BatchTypes> = K['memory'] & BatchMemory<K>

export class Weights<K extends BatchTypes> {
  readonly memory: WholeMemory<K>
  /** Batches that may run at once. */
  readonly maxRunning: number
  /** The lanes whose next step is on these weights. */
  readonly ready = new LaneList<ListedLane<K>>()
  /** Batches that run. */
  running = 0
  /** The next one of the queue's. */
  next: Weights<K> | undefined
  #users = 1

  /** The new object counts as its first user. */
  constructor(memory: WholeMemory<K>) {
    this.memory = memory
    this.maxRunning = maxRunningOn(memory.backend)
  }

  get isUsed(): boolean {
    return this.#users > 0
  }

  retain(): this {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users === 0) this.memory.dispose()
  }
}

/** How many batches may run at once. */
function maxRunningOn(backend: BackendName): number {
  // Full batches run beside each other, one a processor, and one more waits, so that no thread is idle between two; where there is no thread
  // but JavaScript's own, they would only wait for each other.
  return backend === 'typescript' || backend === 'wasm' ? 1 : processors() + 1
}
