/**
 * The queue behind a batcher: whose step goes into which batch, when it runs, and what an abort takes out again.
 *
 *   lane      ready  running  goes on                               entry    aborted  reset  what becomes of it
 *   idle      no     none     step: waiting                         step     no       –      in a lane, then in a batch
 *   waiting   yes    none     #fill: running; all aborted: idle     aborted  yes      –      skipped; in a batch it moves no state
 *   running   no     entry    #release: waiting, or idle if empty   reset    –        yes    written once it is the lane's first
 *
 * `first` begins the list of what waits, `since` is when the lane began to wait. Where a lane does not run, settleHead has made `first`
 * a step that is not aborted, or none. `closed` goes with each state: the slot is given back once, by the first of close, #fill and
 * #release that finds the lane idle.
 */

import process from 'node:process'
import { clearTimeout, setTimeout } from 'node:timers'
import type { BatchCore } from '../../backends/interface.ts'
import { onAbort } from '../../calls/abort-signal.ts'
import { RNNError } from '../../errors.ts'
import { copyOf } from '../../intrinsics/captured.ts'
import { now } from '../../runtime.ts'
import type { NetworkSpec } from '../../spec/spec.ts'
import { type BatchTrace, batchChannel, isTraced } from '../../tracing.ts'
import { type Entry, Lane, type LaneState } from './lane.ts'
import { BatchMemory } from './slots.ts'

/** How a queue forms batches. */
export interface QueueOptions {
  readonly maxBatch: number
  readonly maxDelayMs: number
  readonly maxQueue: number
  /** Batches that may run at once. */
  readonly maxRunning: number
}

/** What the traces say besides numbers. */
export interface QueueNames {
  readonly layer: BatchTrace['layer']
  readonly backend: string
}

export class BatchQueue {
  /** Steps that wait. */
  queued = 0
  batches = 0
  steps = 0
  readonly #core: BatchCore
  readonly #options: QueueOptions
  readonly #names: QueueNames
  readonly #memory: BatchMemory

  #ready: Lane[] = []
  #nextReady = 0
  #running = 0
  #scheduled = false
  #hurry = false
  #timer: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []

  constructor(core: BatchCore, spec: NetworkSpec, options: QueueOptions, names: QueueNames) {
    this.#core = core
    this.#options = options
    this.#names = names
    this.#memory = new BatchMemory(core, spec, options)
  }

  open(state: LaneState): Lane {
    return new Lane(this.#memory.takeState(state))
  }

  /** The lane's slot is free again once everything it asked for is done. */
  close(lane: Lane): void {
    lane.closed = true
    if (!lane.running && !lane.ready) this.#memory.giveState(lane.slot)
  }

  /** Copies the frame and queues the step. */
  step(lane: Lane, frame: Float32Array, signal: AbortSignal | undefined): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      if (this.queued >= this.#options.maxQueue) throw this.#overloaded()
      const output = this.#memory.newOutput()
      const entry = lane.entry({ frame: this.#memory.takeFrame(frame), output, resolve, reject })
      this.queued++
      if (signal) this.#listen(entry, signal)
      this.#append(lane, entry)
    })
  }

  /** The state after the newest step that is done: copies. */
  state({ slot }: Lane): { h: Float32Array; c?: Float32Array } {
    return this.#memory.readState(slot)
  }

  /** Replaces the state, after the steps that were asked for before. */
  reset(lane: Lane, state: LaneState): void {
    if (!lane.running && !lane.first) {
      this.#memory.writeState(lane.slot, state)
      return
    }
    lane.appendReset({ h: state.h && copyOf(state.h), c: state.c && copyOf(state.c) })
    this.#makeReady(lane)
  }

  /** Resolves when nothing waits and nothing runs. `hurry`: from now on batches do not wait to fill. */
  drain(hurry: boolean): Promise<void> {
    if (hurry) {
      this.#hurry = true
      this.#schedule()
    }
    return new Promise((resolve) => {
      this.#idle[this.#idle.length] = resolve
      this.#resolveIdle()
    })
  }

  #overloaded(): RNNError {
    return new RNNError(
      'ERR_RNN_OVERLOADED',
      `the queue is full: ${this.queued} steps wait, and maxQueue is ${this.#options.maxQueue}`,
    )
  }

  #listen(entry: Entry, signal: AbortSignal): void {
    entry.stopListening = onAbort(signal, () => {
      const { lane } = entry
      entry.aborted = true
      if (lane.running !== entry) {
        this.queued--
        this.#memory.giveFrame(entry.frame)
        if (!lane.running) this.#settle(lane)
        // No step may be left for the delay to hold back: see `#pump`.
        if (this.queued === 0 && this.#timer && !this.#scheduled) this.#schedule()
        this.#resolveIdle()
      }
      entry.reject(signal.reason)
    })
  }

  #append(lane: Lane, entry: Entry): void {
    lane.append(entry)
    this.#makeReady(lane)
  }

  /** What a lane has asked for goes into a batch as soon as nothing of the lane is in one. */
  #makeReady(lane: Lane): void {
    if (lane.ready || lane.running) return
    this.#push(lane)
    if (!this.#scheduled) this.#schedule()
  }

  #push(lane: Lane): void {
    lane.ready = true
    if (this.#options.maxDelayMs > 0) lane.since = now()
    this.#ready[this.#ready.length] = lane
  }

  /** At the end of this turn of JavaScript, so that all steps of the turn go into the same batch. */
  #schedule(): void {
    this.#scheduled = true
    process.nextTick(flush, this)
  }

  flush(): void {
    this.#scheduled = false
    this.#pump()
  }

  /** Launches what may run now: anything when nothing runs, full batches only beside others. */
  #pump(): void {
    const { maxBatch, maxDelayMs, maxRunning } = this.#options
    for (;;) {
      const waiting = this.#ready.length - this.#nextReady
      if (waiting === 0) {
        this.#stopTimer()
        return
      }
      if (waiting < maxBatch) {
        if (this.#running > 0) return
        if (maxDelayMs > 0 && this.queued > 0 && !this.#hurry && this.#wait(maxDelayMs)) return
      } else if (this.#running >= maxRunning) return
      this.#launch()
    }
  }

  /** Whether the step that has waited longest may wait on; a timer then comes back to it. */
  #wait(maxDelayMs: number): boolean {
    const left = this.#ready[this.#nextReady].since + maxDelayMs - now()
    if (left <= 0) return false
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#pump()
    }, left)
    return true
  }

  /** A timer that nobody waits for would hold the process until the delay is over. */
  #stopTimer(): void {
    if (!this.#timer) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #launch(): void {
    const batch = this.#fill()
    const count = batch.length
    if (count === 0) return
    const trace = isTraced(batchChannel) ? { ...this.#names, steps: count, queued: this.queued } : undefined
    try {
      if (trace) batchChannel.start.publish(trace)
      this.#core.launch(count, (ticket, error) => this.#ended(batch, ticket, error, trace))
      this.#running++
      this.batches++
    } catch (error) {
      for (let row = 0; row < count; row++) {
        const entry = batch[row]
        entry.stopListening?.()
        entry.reject(error)
        this.#release(entry)
      }
      this.#resolveIdle()
    } finally {
      if (trace) batchChannel.end.publish(trace)
    }
  }

  /** Takes the next step of each ready lane, up to a batch of them, into the core's rows. */
  #fill(): Entry[] {
    const { maxBatch } = this.#options
    const { rows } = this.#core
    const batch: Entry[] = []
    while (batch.length < maxBatch && this.#nextReady < this.#ready.length) {
      const lane = this.#ready[this.#nextReady++]
      lane.ready = false
      const entry = lane.first
      if (!entry) {
        // All that it had was aborted.
        if (lane.closed) this.#memory.giveState(lane.slot)
        continue
      }
      lane.removeFirst()
      lane.running = entry
      rows[2 * batch.length] = lane.slot
      rows[2 * batch.length + 1] = entry.frame
      batch[batch.length] = entry
      // Launching copies the frame, so its slot is free for the steps that come after this turn.
      this.#memory.giveFrame(entry.frame)
    }
    if (this.#nextReady === this.#ready.length) {
      this.#ready = []
      this.#nextReady = 0
    } else if (this.#nextReady > 4096) {
      const left: Lane[] = []
      for (let i = this.#nextReady; i < this.#ready.length; i++) left[left.length] = this.#ready[i]
      this.#ready = left
      this.#nextReady = 0
    }
    this.queued -= batch.length
    return batch
  }

  #settle(lane: Lane): void {
    lane.settleHead((slot, state) => this.#memory.writeState(slot, state))
  }

  #ended(batch: Entry[], ticket: number, error: Error | undefined, trace: BatchTrace | undefined): void {
    if (trace && error) batchChannel.error.publish(Object.assign(trace, { error }))
    if (trace) batchChannel.asyncStart.publish(trace)
    const core = this.#core
    for (let row = 0; row < batch.length; row++) {
      core.rows[2 * row] = batch[row].aborted ? -1 : batch[row].lane.slot
    }
    core.collect(ticket)
    this.#running--
    this.steps += batch.length
    for (let row = 0; row < batch.length; row++) {
      const entry = batch[row]
      if (!entry.aborted && !error) this.#memory.copyOutput(row, entry.output)
      this.#release(entry)
    }
    // The next batch runs while JavaScript looks at the results of this one.
    this.#pump()
    for (let row = 0; row < batch.length; row++) {
      const entry = batch[row]
      if (entry.stopListening) entry.stopListening()
      if (entry.aborted) continue
      if (error) entry.reject(error)
      else entry.resolve(entry.output)
    }
    if (trace) batchChannel.asyncEnd.publish(trace)
    this.#resolveIdle()
  }

  /** The lane of a step that runs no more goes on. */
  #release({ lane }: Entry): void {
    lane.running = undefined
    this.#settle(lane)
    if (lane.first) this.#push(lane)
    else if (lane.closed) this.#memory.giveState(lane.slot)
  }

  #resolveIdle(): void {
    if (this.queued > 0 || this.#running > 0 || this.#idle.length === 0) return
    const waiting = this.#idle
    this.#idle = []
    for (let i = 0; i < waiting.length; i++) waiting[i]()
  }
}

function flush(queue: BatchQueue): void {
  queue.flush()
}
