/**
 * The queue behind a batcher: when a batch goes, and who is told what. Steps, lanes and batches have their states drawn where they are:
 * step.ts, lane.ts, batch.ts.
 *
 * Subscribers, signals and those who wait for promises run code of their own, which may call anything of this package, and throw. So
 * everything here either runs nobody's code, or has nothing half done when it does and believes nothing that it read before.
 */
import process from 'node:process'
import { clearTimeout, setTimeout } from 'node:timers'
import { reasonOf } from '../../calls/abort-signal.ts'
import { fail } from '../../errors.ts'
import { newPromise, now } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { type BatchTrace, batchChannel, isTraced, tell, tellError } from '../../tracing.ts'
import { Batch } from './batch.ts'
import { Lane, ReadyLanes } from './lane.ts'
import type { BatchMemory, BatchTypes } from './memory.ts'
import { Step } from './step.ts'

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

interface Idle {
  readonly resolve: () => void
  readonly next: Idle | undefined
}

const { nextTick } = process

export class BatchQueue<K extends BatchTypes> {
  /** Steps that wait. */
  queued = 0
  batches = 0
  steps = 0
  readonly #options: QueueOptions
  readonly #names: QueueNames
  readonly #memory: BatchMemory<K>
  readonly #ready = new ReadyLanes<K>()

  #running = 0
  /** Batches and aborts of which not all promises are settled. */
  #telling = 0
  #scheduled = false
  #pumping = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #idle: Idle | undefined

  constructor(memory: BatchMemory<K>, options: QueueOptions, names: QueueNames) {
    this.#options = options
    this.#names = names
    this.#memory = memory
    this.#rehearse()
  }

  /**
   * Calls once what a call changes things with: engines compile a function when it is first called, which takes ten times the stack that
   * is asked for.
   */
  #rehearse(): void {
    const { zeroState, zeroFrame } = this.#memory
    const lane = this.open(zeroState)
    const step = new Step<K>(lane, this.#memory.newOutput(), ignore, ignore)
    this.#wait(lane, step, zeroFrame, 0)
    this.reset(lane, zeroState)
    this.#abort(step, { reason: 0 } as unknown as AbortSignal)
    this.reset(lane, zeroState)
    lane.close()
    this.drain(false)
  }

  open(state: K['state']): Lane<K> {
    ensureStack()
    return new Lane(this.#memory.takeState(state), this.#memory, this.#ready)
  }

  reset(lane: Lane<K>, state: K['state']): void {
    ensureStack()
    lane.reset(state)
  }

  /** Copies the frame and queues the step. */
  step(lane: Lane<K>, frame: unknown, signal: AbortSignal | undefined): Promise<K['output']> {
    ensureStack()
    return newPromise((resolve, reject) => {
      const step = new Step<K>(lane, this.#memory.newOutput(), resolve, reject)
      try {
        if (signal) step.listen(signal, this.#abort)
        const now = this.#now()
        // A turn for nothing does no harm, should one of the next lines fail.
        if (lane.isIdle) this.#schedule()
        if (step.state === 'new') this.#wait(lane, step, frame, now)
      } catch (error) {
        step.stopListening()
        throw error
      }
    })
  }

  /** All or nothing. */
  #wait(lane: Lane<K>, step: Step<K>, frame: unknown, now: number): void {
    const { maxQueue } = this.#options
    lane.checkOpen()
    if (this.#closed) fail('ERR_RNN_DISPOSED', 'the batcher was closed and takes no more steps')
    this.#memory.checkFrame(frame)
    if (this.queued >= maxQueue) {
      fail('ERR_RNN_OVERLOADED', `the queue is full: ${this.queued} steps wait, and maxQueue is ${maxQueue}`)
    }
    step.wait(this.#memory.takeFrame(frame))
    this.queued++
    lane.ask(step, now)
  }

  /** The state after the newest step that is done: copies. */
  state({ slot }: Lane<K>): K['saved'] {
    return this.#memory.readState(slot)
  }

  get isIdle(): boolean {
    return this.queued === 0 && this.#running === 0 && this.#telling === 0
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Resolves when nothing waits and nothing runs. `close`: no new steps, and those that wait go at once. */
  drain(close: boolean): Promise<void> {
    ensureStack()
    return newPromise((resolve) => {
      if (close) this.#schedule()
      this.#closed ||= close
      this.#idle = { resolve: resolve as () => void, next: this.#idle }
      this.#resolveIdle()
    })
  }

  /** A step's signal is aborted. */
  readonly #abort = (step: Step<K>, signal: AbortSignal): void => {
    const was = step.abandon()
    if (!was) return
    if (was === 'waiting') {
      this.queued--
      this.#memory.giveFrame(step.frame)
      step.lane.drop()
    }
    this.#telling++
    step.reject(reasonOf(signal))
    this.#telling--
    if (this.#ready.count === 0) this.#stopTimer()
    this.#resolveIdle()
  }

  #now(): number {
    return this.#options.maxDelayMs > 0 ? clock() : 0
  }

  /** At the end of this turn of JavaScript, so that all steps of the turn go into the same batch. */
  #schedule(): void {
    if (this.#scheduled) return
    nextTick(flush, this)
    this.#scheduled = true
  }

  flush(): void {
    this.#scheduled = false
    this.#pump()
  }

  /** Launches what may run now. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#mayLaunch() && this.#launch());
    } finally {
      this.#pumping = false
    }
  }

  /** Anything when nothing runs, full batches only beside others. */
  #mayLaunch(): boolean {
    const { maxBatch, maxDelayMs, maxRunning } = this.#options
    const { count } = this.#ready
    if (count === 0) this.#stopTimer()
    if (count >= maxBatch) return this.#running < maxRunning
    return count > 0 && this.#running === 0 && (maxDelayMs === 0 || this.#closed || !this.#waitForOthers(maxDelayMs))
  }

  /** Whether the step that has waited longest may wait on; a timer then comes back to it. */
  #waitForOthers(maxDelayMs: number): boolean {
    const left = this.#ready.first!.since + maxDelayMs - clock()
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

  /** Whether it could. */
  #launch(): boolean {
    const batch = new Batch<K>(this.#ready, this.#options.maxBatch)
    this.queued -= batch.count
    this.#running++
    this.#telling++
    const trace = isTraced(batchChannel) ? { ...this.#names, steps: batch.count, queued: this.queued } : undefined
    if (trace) tell(batchChannel.start, trace)
    let launched = false
    try {
      batch.launch(this.#memory, (ticket, error) => this.#ended(batch, ticket, error, trace))
      launched = true
      this.batches++
    } catch (error) {
      this.#running--
      batch.release(this.#now())
      if (trace) tellError(batchChannel, trace, error)
      batch.tell(true, error)
      this.#telling--
      // Not at once: a subscriber that asks for a step each time would never let go.
      this.#schedule()
    }
    if (trace) tell(batchChannel.end, trace)
    this.#resolveIdle()
    return launched
  }

  #ended(batch: Batch<K>, ticket: number, failure: Error | undefined, trace: BatchTrace | undefined): void {
    if (trace && failure) tellError(batchChannel, trace, failure)
    if (trace) tell(batchChannel.asyncStart, trace)
    const now = this.#now()
    let error: unknown = failure
    let failed = failure !== undefined
    try {
      batch.collect(this.#memory, ticket, failed)
    } catch (thrown) {
      failed = true
      error = thrown
    }
    this.#running--
    if (!failed) this.steps += batch.count
    batch.release(now)
    // The next batch runs while JavaScript looks at the results of this one.
    this.#pump()
    batch.tell(failed, error)
    this.#telling--
    if (trace) tell(batchChannel.asyncEnd, trace)
    this.#resolveIdle()
  }

  #resolveIdle(): void {
    if (!this.isIdle) return
    let waiting = this.#idle
    this.#idle = undefined
    for (; waiting; waiting = waiting.next) waiting.resolve()
  }
}

/** Looked up each time, so that a test's own clock holds, which may be a bad one. */
function clock(): number {
  try {
    return now()
  } catch {
    return 0
  }
}

function ignore(): void {}

function flush<K extends BatchTypes>(queue: BatchQueue<K>): void {
  queue.flush()
}
