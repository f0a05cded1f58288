/**
 * The queue behind a batcher: when a batch goes, and who is told what. Steps, lanes and batches have their states drawn where they are:
 * step.ts, run.ts, lane.ts, batch.ts.
 *
 * Subscribers, signals and those who wait for promises run code of their own, which may call anything of this package, and throw. So
 * everything here either runs nobody's code, or has nothing half done when it does and believes nothing that it read before.
 */
import process from 'node:process'
import { reasonOf } from '../../calls/abort-signal.ts'
import { fail } from '../../errors.ts'
import { deferred, newPromise } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import {
  type BatchTrace,
  batchChannel,
  isTraced,
  type RejectTrace,
  rejectChannel,
  tell,
  tellAny,
  tellError,
} from '../../tracing.ts'
import { Batch } from './batch.ts'
import { Choice } from './choice.ts'
import { clock } from './clock.ts'
import { Lane } from './lane.ts'
import type { LaneList } from './lane-list.ts'
import { Latencies } from './latencies.ts'
import type { BatchTypes } from './memory.ts'
import { type Frames, Run } from './run.ts'
import { Step, type Told } from './step.ts'
import type { ListedLane, Weights } from './weights.ts'

/** How a queue forms batches. */
export interface QueueOptions {
  readonly maxBatch: number
  readonly maxDelayMs: number
  readonly maxQueue: number
}

interface Idle {
  readonly resolve: () => void
  readonly next: Idle | undefined
}

/** So many batches are a window of what is noted of them: four are kept. */
const perWindow = 250

const { nextTick } = process

export class BatchQueue<K extends BatchTypes> {
  /** Calls that wait: steps, and runs of which some frame waits or will. */
  queued = 0
  batches = 0
  steps = 0
  /** Calls that were refused because there was no room. */
  rejected = 0
  /** Streams that are open. */
  streams = 0
  /** The class of the layer, for traces. */
  readonly layer: BatchTrace['layer']
  /** How long steps could have gone before they did, and how long batches took. */
  readonly waits = new Latencies()
  readonly runs = new Latencies()
  readonly #options: QueueOptions
  readonly #choice: Choice<K>
  readonly #idleLanes: LaneList<ListedLane<K>> | undefined

  #running = 0
  /** Batches and aborts of which not all promises are settled. */
  #telling = 0
  #scheduled = false
  #pumping = false
  #closed = false
  #idle: Idle | undefined

  constructor(
    weights: Weights<K>,
    options: QueueOptions,
    layer: BatchTrace['layer'],
    idleLanes: LaneList<ListedLane<K>> | undefined,
  ) {
    this.#options = options
    this.layer = layer
    this.#idleLanes = idleLanes
    this.#choice = new Choice(options, () => this.#pump())
    this.#rehearse(weights)
    this.add(weights)
  }

  /** From now on lanes may be on these weights. */
  add(weights: Weights<K>): void {
    this.#choice.add(weights)
  }

  /**
   * Calls once what a call changes things with: engines compile a function when it is first called, which takes ten times the stack that
   * is asked for.
   */
  #rehearse(weights: Weights<K>): void {
    const { memory } = weights
    const lane = new Lane(weights, memory.takeState(memory.zeroState), undefined, 0)
    for (let n = 0; n < 2; n++) {
      const step =
        n === 0
          ? new Step<K>(lane, memory, memory.newOutput(), nobody)
          : new Run<K>(lane, memory, memory.newOutput(), nobody, noFrames)
      this.#wait(lane, step, memory.zeroFrame, 0)
      this.reset(lane, memory.zeroState)
      lane.move(weights, memory.takeState(memory.zeroState))
      this.#abort(step, { reason: 0 } as unknown as AbortSignal)
      lane.move(weights, memory.takeState(memory.zeroState))
      this.reset(lane, memory.zeroState)
    }
    lane.close()
    this.drain(false)
  }

  open(weights: Weights<K>, state: K['state']): Lane<K> {
    ensureStack()
    return new Lane(weights, weights.memory.takeState(state), this.#idleLanes, clock())
  }

  reset(lane: Lane<K>, state: K['state']): void {
    ensureStack()
    lane.reset(state)
  }

  /** Copies the frame and queues the step. */
  step(lane: Lane<K>, frame: unknown, signal: AbortSignal | undefined): Promise<K['output']> {
    ensureStack()
    const told = deferred<K['output']>()
    try {
      const { memory } = lane.target
      this.#ask(lane, new Step<K>(lane, memory, memory.newOutput(), told), frame, signal)
    } catch (error) {
      told.reject(error)
    }
    return told.promise
  }

  /** Queues frames of which one joins a batch at a time. Throws, or tells. */
  run(lane: Lane<K>, frames: Frames<K>, output: K['output'], told: Told<K>, signal: AbortSignal | undefined): void {
    ensureStack()
    const { memory } = lane.target
    this.#ask(lane, new Run<K>(lane, memory, output, told, frames), memory.zeroFrame, signal)
  }

  #ask(lane: Lane<K>, step: Step<K>, frame: unknown, signal: AbortSignal | undefined): void {
    try {
      if (signal) step.listen(signal, this.#abort)
      const now = clock()
      // A turn for nothing does no harm, should one of the next lines fail.
      if (lane.isIdle) this.#schedule()
      if (step.state === 'new') this.#wait(lane, step, frame, now)
    } catch (error) {
      step.stopListening()
      step.abandon()
      throw error
    }
  }

  /** All or nothing. */
  #wait(lane: Lane<K>, step: Step<K>, frame: unknown, now: number): void {
    this.checkTaking(lane)
    const { memory } = lane.target
    memory.checkFrame(frame)
    const { maxQueue } = this.#options
    if (this.queued >= maxQueue) {
      const words = `the queue is full: ${this.queued} steps wait, and maxQueue is ${maxQueue}`
      this.refuse(step instanceof Run ? 'run' : 'step', lane.target.backend, words)
    }
    // A signal's own code may have replaced the weights since the step was made.
    if (step.memory !== memory) step.bind(memory)
    step.wait(memory.takeFrame(frame))
    this.queued++
    lane.ask(step, now)
  }

  /** Throws where a stream takes no more steps. */
  checkTaking(lane: Lane<K>): void {
    lane.checkOpen()
    if (this.#closed) fail('ERR_RNN_DISPOSED', 'the batcher was closed and takes no more steps')
  }

  /** Throws `ERR_RNN_OVERLOADED`, and tells of it. */
  refuse(call: RejectTrace['call'], backend: string, words: string): never {
    this.rejected++
    const { streams, queued } = this
    tellAny(rejectChannel, () => ({ layer: this.layer, backend, call, streams, queued }))
    return fail('ERR_RNN_OVERLOADED', words)
  }

  /** The state after the newest step that is done: copies. */
  state({ slot, weights }: Lane<K>): K['saved'] {
    return weights.memory.readState(slot)
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
      step.memory.giveFrame(step.frame)
      step.lane.drop(clock())
    } else if (was === 'running' && step.goesOn) this.queued--
    this.#telling++
    step.reject(reasonOf(signal))
    this.#telling--
    this.#choice.stopIfNoneIsReady()
    this.#resolveIdle()
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
      let weights = this.#choice.next(this.#running, this.#closed)
      while (weights && this.#launch(weights)) weights = this.#choice.next(this.#running, this.#closed)
    } finally {
      this.#pumping = false
    }
  }

  /** Whether it could. */
  #launch(weights: Weights<K>): boolean {
    const batch = new Batch<K>(weights, this.#options.maxBatch, clock(), this.waits)
    this.queued -= batch.begun
    this.#running++
    weights.running++
    this.#telling++
    const trace = isTraced(batchChannel)
      ? { layer: this.layer, backend: weights.backend, steps: batch.count, queued: this.queued }
      : undefined
    if (trace) tell(batchChannel.start, trace)
    let launched = false
    try {
      batch.launch((ticket, error) => this.#ended(batch, ticket, error, trace))
      launched = true
      if (++this.batches % perWindow === 0) this.#turn()
    } catch (error) {
      this.#release(batch, clock(), true)
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

  #turn(): void {
    this.waits.turn()
    this.runs.turn()
  }

  #ended(batch: Batch<K>, ticket: number, failure: Error | undefined, trace: BatchTrace | undefined): void {
    if (trace && failure) tellError(batchChannel, trace, failure)
    if (trace) tell(batchChannel.asyncStart, trace)
    const now = clock()
    let error: unknown = failure
    let failed = failure !== undefined
    try {
      batch.collect(ticket, failed)
    } catch (thrown) {
      failed = true
      error = thrown
    }
    this.runs.note(now - batch.since)
    if (!failed) this.steps += batch.count
    this.#release(batch, now, failed)
    // The next batch runs while JavaScript looks at the results of this one.
    this.#pump()
    batch.tell(failed, error)
    this.#telling--
    if (trace) tell(batchChannel.asyncEnd, trace)
    this.#resolveIdle()
  }

  #release(batch: Batch<K>, now: number, failed: boolean): void {
    this.#running--
    batch.weights.running--
    this.queued -= batch.release(now, failed)
  }

  #resolveIdle(): void {
    if (!this.isIdle) return
    let waiting = this.#idle
    this.#idle = undefined
    for (; waiting; waiting = waiting.next) waiting.resolve()
  }
}

const nobody: Told<BatchTypes> = { resolve: ignore, reject: ignore }
const noFrames = { count: 2, write: ignore }

function ignore(): void {}

function flush<K extends BatchTypes>(queue: BatchQueue<K>): void {
  queue.flush()
}
