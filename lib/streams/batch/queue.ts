/**
 * The queue behind a batcher: what streams are asked for, and who is told what. When a batch goes says pump.ts; steps, lanes and batches have
 * their states drawn where they are: step.ts, run.ts, lane.ts, batch.ts.
 *
 * Subscribers, signals and those who wait for promises run code of their own, which may call anything of this package, and throw. So
 * everything here either runs nobody's code, or has nothing half done when it does and believes nothing that it read before.
 */
import { reasonOf } from '../../calls/abort-signal.ts'
import { fail, plural } from '../../errors.ts'
import { type Deferred, deferred } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { clock } from './clock.ts'
import type { Counts } from './counts.ts'
import { Lane } from './lane.ts'
import type { LaneList } from './lane-list.ts'
import type { BatchTypes } from './memory.ts'
import { Pump } from './pump.ts'
import { type Frames, Run } from './run.ts'
import { Step, type Told } from './step.ts'
import type { ListedLane, Weights } from './weights.ts'

/** How a queue forms batches. */
export interface QueueOptions {
  readonly maxBatch: number
  readonly maxDelayMs: number
  readonly maxQueue: number
}

export class BatchQueue<K extends BatchTypes> {
  readonly counts: Counts
  readonly #maxQueue: number
  readonly #pump: Pump<K>
  readonly #idleLanes: LaneList<ListedLane<K>> | undefined
  #closed = false
  /** For those who wait until nothing waits and nothing runs. */
  #idle: Deferred<void> | undefined

  constructor(
    weights: Weights<K>,
    options: QueueOptions,
    counts: Counts,
    idleLanes: LaneList<ListedLane<K>> | undefined,
  ) {
    this.counts = counts
    this.#maxQueue = options.maxQueue
    this.#idleLanes = idleLanes
    this.#pump = new Pump(counts, options, () => this.#resolveIdle())
    this.#rehearse(weights)
    this.add(weights)
  }

  /** From now on lanes may be on these weights. */
  add(weights: Weights<K>): void {
    this.#pump.choice.add(weights)
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
    this.drain()
  }

  open(weights: Weights<K>, state: K['state']): Lane<K> {
    ensureStack()
    return new Lane(weights, weights.memory.takeState(state), this.#idleLanes, clock())
  }

  reset(lane: Lane<K>, state: K['state']): void {
    lane.checkOpen()
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
      // A turn for nothing does no harm, should one of the next lines fail. Asking the clock once a turn is far cheaper than once a step.
      const now = lane.isIdle ? this.#pump.schedule() : 0
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
    const { counts } = this
    if (counts.queued >= this.#maxQueue) {
      const words = `the queue is full: ${plural(counts.queued, 'step waits', 'steps wait')}, and maxQueue is ${this.#maxQueue}`
      counts.refuse(step instanceof Run ? 'run' : 'step', memory.backend, words)
    }
    // A signal's own code may have replaced the weights since the step was made.
    if (step.memory !== memory) step.bind(memory)
    step.wait(memory.takeFrame(frame))
    counts.queued++
    lane.ask(step, now)
  }

  /** Throws where a stream takes no more steps. */
  checkTaking(lane: Lane<K>): void {
    lane.checkOpen()
    this.checkLiving('takes no more steps')
  }

  /** Throws after `close()`; `refusal` are the words for what a closed batcher does. */
  checkLiving(refusal: string): void {
    if (this.#closed) fail('ERR_RNN_DISPOSED', `the batcher was closed and ${refusal}`)
  }

  /** The state after the newest step that is done: copies. */
  state({ slot, weights }: Lane<K>): K['saved'] {
    return weights.memory.readState(slot)
  }

  /** Resolves when nothing waits and nothing runs. `close`: no new steps, and those that wait go at once. */
  drain(close = false): Promise<void> {
    ensureStack()
    if (close) this.#pump.hurry()
    this.#closed ||= close
    this.#idle ??= deferred<void>()
    const { promise } = this.#idle
    this.#resolveIdle()
    return promise
  }

  /** A step's signal is aborted. */
  readonly #abort = (step: Step<K>, signal: AbortSignal): void => {
    const was = step.abandon()
    if (!was) return
    // Its place and its frame's slot go back together: there are no more slots than places, and those of batches about to start.
    if (was === 'waiting' || (was === 'running' && step.goesOn)) {
      this.counts.queued--
      step.memory.giveFrame(step.frame)
    }
    if (was === 'waiting') step.lane.drop(clock())
    this.counts.telling++
    step.reject(reasonOf(signal))
    this.counts.telling--
    this.#pump.choice.stopIfNoneIsReady()
    this.#resolveIdle()
  }

  #resolveIdle(): void {
    const { queued, telling } = this.counts
    if (queued > 0 || telling > 0) return
    const idle = this.#idle
    this.#idle = undefined
    idle?.resolve()
  }
}

const nobody: Told<BatchTypes> = { resolve: ignore, reject: ignore }
const noFrames = { count: 2, write: ignore }

function ignore(): void {}
