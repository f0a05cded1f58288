/** The steps that run together: which row each has, and what becomes of it when they have ended. Knows no queue, and runs nobody's code but `tell`. */
import type { ReadyLanes } from './lane.ts'
import type { BatchMemory, BatchTypes } from './memory.ts'
import type { Step } from './step.ts'

export class Batch<K extends BatchTypes> {
  count = 0
  #first: Step<K> | undefined
  #last: Step<K> | undefined

  /** Takes the next step of each ready lane, up to `most`. */
  constructor(ready: ReadyLanes<K>, most: number) {
    while (this.count < most && ready.first) {
      const step = ready.first.take()
      if (this.#last) this.#last.next = step
      else this.#first = step
      this.#last = step
      this.count++
    }
  }

  /** The memory's rows are this batch's for as long as this lasts: what is needed of them, and of the frames, is copied. */
  launch(memory: BatchMemory<K>, ended: (ticket: number, error?: Error) => void): void {
    try {
      memory.prepareOutputs(this.count)
      const { rows } = memory
      let at = 0
      for (let step = this.#first; step; step = after(step)) {
        rows[at++] = step.lane.slot
        rows[at++] = step.frame
      }
      memory.launch(this.count, ended)
    } finally {
      for (let step = this.#first; step; step = after(step)) memory.giveFrame(step.frame)
    }
  }

  /** Moves the states of all but those that were taken back meanwhile, and keeps their outputs. */
  collect(memory: BatchMemory<K>, ticket: number, failed: boolean): void {
    const { rows } = memory
    let row = 0
    for (let step = this.#first; step; step = after(step)) {
      rows[2 * row++] = step.state === 'running' ? step.lane.slot : -1
    }
    memory.collect(ticket)
    if (failed) return
    row = 0
    for (let step = this.#first; step; step = after(step)) {
      if (step.state === 'running') {
        step.failure = memory.failure(row)
        if (step.failure === undefined) memory.copyOutput(row, step.output)
      }
      row++
    }
  }

  /** From here on each step has ended, and its lane goes on. */
  release(now: number): void {
    for (let step = this.#first; step; step = after(step)) {
      step.end()
      step.lane.release(now)
    }
  }

  tell(failed: boolean, error: unknown): void {
    for (let step = this.#first; step; step = after(step)) step.tell(failed, error)
  }
}

const after = <K extends BatchTypes>(step: Step<K>) => step.next as Step<K> | undefined
