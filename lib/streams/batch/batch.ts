/** The steps that run together: which row each has, and what becomes of it when they have ended. Knows no queue, and runs nobody's code but `tell`. */
import type { BatchCore } from '../../backends/interface.ts'
import type { ReadyLanes } from './lane.ts'
import type { BatchMemory } from './slots.ts'
import type { Step } from './step.ts'

export class Batch {
  count = 0
  #first: Step | undefined
  #last: Step | undefined

  /** Takes the next step of each ready lane, up to `most`. */
  constructor(ready: ReadyLanes, most: number) {
    while (this.count < most && ready.first) {
      const step = ready.first.take()
      if (this.#last) this.#last.next = step
      else this.#first = step
      this.#last = step
      this.count++
    }
  }

  /** The core's rows are this batch's for as long as this lasts: the core copies what it needs of them, and of the frames. */
  launch(core: BatchCore, memory: BatchMemory, ended: (ticket: number, error?: Error) => void): void {
    try {
      memory.prepareOutputs(this.count)
      const { rows } = core
      let at = 0
      for (let step = this.#first; step; step = after(step)) {
        rows[at++] = step.lane.slot
        rows[at++] = step.frame
      }
      core.launch(this.count, ended)
    } finally {
      for (let step = this.#first; step; step = after(step)) memory.giveFrame(step.frame)
    }
  }

  /** Moves the states of all but those that were taken back meanwhile, and keeps their outputs. */
  collect(core: BatchCore, memory: BatchMemory, ticket: number, failed: boolean): void {
    const { rows } = core
    let row = 0
    for (let step = this.#first; step; step = after(step)) {
      rows[2 * row++] = step.state === 'running' ? step.lane.slot : -1
    }
    core.collect(ticket)
    if (failed) return
    row = 0
    for (let step = this.#first; step; step = after(step)) {
      if (step.state === 'running') memory.copyOutput(row, step.output)
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

const after = (step: Step) => step.next as Step | undefined
