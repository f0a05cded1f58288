/** The queue behind a batcher: whose step goes into which batch, when it runs, and what an abort takes out again. */
import type { BatchCore, NetworkSpec } from './backend.ts'
import { RNNError } from './errors.ts'
import { type BatchTrace, batchChannel, isTraced } from './tracing.ts'
import { hasCellState, outputSizeOf } from './weights.ts'

/** A state to begin with; what is left out is zeros. */
export interface LaneState {
  readonly h?: Float32Array
  readonly c?: Float32Array
}

/** One step that waits or runs, or a reset that waits for its turn. */
interface Entry {
  readonly lane: Lane
  readonly reset?: LaneState
  readonly frame: number
  readonly resolve: (output: Float32Array) => void
  readonly reject: (reason: unknown) => void
  next: Entry | undefined
  /** Aborted: nobody waits for it, and no state moves for it. */
  dead: boolean
  forget: (() => void) | undefined
}

/** One stream's place: its state's slot, and what it has asked for, in order. */
export class Lane {
  readonly slot: number
  first: Entry | undefined
  last: Entry | undefined
  running: Entry | undefined
  /** Whether it stands among the ready ones, and since when. */
  ready = false
  since = 0
  closed = false

  constructor(slot: number) {
    this.slot = slot
  }
}

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
  readonly #I: number
  readonly #O: number
  readonly #LO: number
  readonly #LH: number
  readonly #frames = new Slots()
  readonly #states = new Slots()

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
    this.#I = spec.inputSize
    this.#O = outputSizeOf(spec)
    this.#LO = spec.numLayers * this.#O
    this.#LH = hasCellState(spec.cell) ? spec.numLayers * spec.hiddenSize : 0
  }

  open(state: LaneState): Lane {
    if (this.#states.isEmpty) {
      const states = this.#states.doubled(2 ** 31)
      this.#core.reserve(this.#frames.count, states, this.#options.maxBatch)
      this.#states.grow(states)
    }
    const lane = new Lane(this.#states.take())
    this.#write(lane.slot, state)
    return lane
  }

  /** The lane's slot is free again once everything it asked for is done. */
  close(lane: Lane): void {
    lane.closed = true
    if (!lane.running && !lane.ready) this.#states.give(lane.slot)
  }

  /** Copies the frame and queues the step. */
  step(lane: Lane, frame: Float32Array, signal: AbortSignal | undefined): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      if (this.queued >= this.#options.maxQueue) throw this.#overloaded()
      if (this.#frames.isEmpty) this.#reserveFrames()
      const slot = this.#frames.take()
      this.#core.frames.set(frame, slot * this.#I)
      const entry: Entry = { lane, frame: slot, resolve, reject, next: undefined, dead: false, forget: undefined }
      this.queued++
      if (signal) this.#listen(entry, signal)
      this.#append(lane, entry)
    })
  }

  /** The state after the newest step that is done: copies. */
  state({ slot }: Lane): { h: Float32Array; c?: Float32Array } {
    const h = this.#core.h.slice(slot * this.#LO, (slot + 1) * this.#LO)
    return this.#LH ? { h, c: this.#core.c.slice(slot * this.#LH, (slot + 1) * this.#LH) } : { h }
  }

  /** Replaces the state, after the steps that were asked for before. */
  reset(lane: Lane, state: LaneState): void {
    if (!lane.running && !lane.first) {
      this.#write(lane.slot, state)
      return
    }
    const own = { h: state.h && new Float32Array(state.h), c: state.c && new Float32Array(state.c) }
    const entry: Entry = {
      lane,
      reset: own,
      frame: -1,
      resolve: () => {},
      reject: () => {},
      next: undefined,
      dead: false,
      forget: undefined,
    }
    this.#append(lane, entry)
  }

  /** Resolves when nothing waits and nothing runs. `hurry`: from now on batches do not wait to fill. */
  drain(hurry: boolean): Promise<void> {
    if (hurry) {
      this.#hurry = true
      this.#schedule()
    }
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.#tellIdle()
    })
  }

  #overloaded(): RNNError {
    return new RNNError(
      'ERR_RNN_OVERLOADED',
      `the queue is full: ${this.queued} steps wait, and maxQueue is ${this.#options.maxQueue}`,
    )
  }

  #reserveFrames(): void {
    const frames = this.#frames.doubled(this.#options.maxQueue)
    this.#core.reserve(frames, this.#states.count, this.#options.maxBatch)
    this.#frames.grow(frames)
  }

  #write(slot: number, { h, c }: LaneState): void {
    const { h: allH, c: allC } = this.#core
    if (h) allH.set(h, slot * this.#LO)
    else allH.fill(0, slot * this.#LO, (slot + 1) * this.#LO)
    if (c) allC.set(c, slot * this.#LH)
    else allC.fill(0, slot * this.#LH, (slot + 1) * this.#LH)
  }

  #listen(entry: Entry, signal: AbortSignal): void {
    const abort = () => {
      const { lane } = entry
      entry.dead = true
      if (lane.running !== entry) {
        this.queued--
        this.#frames.give(entry.frame)
        if (!lane.running) this.#settleHead(lane)
        // What the delay was for may be gone: see `#pump`.
        if (this.queued === 0 && this.#timer && !this.#scheduled) this.#schedule()
        this.#tellIdle()
      }
      entry.reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    entry.forget = () => signal.removeEventListener('abort', abort)
  }

  #append(lane: Lane, entry: Entry): void {
    if (lane.last) lane.last.next = entry
    else lane.first = entry
    lane.last = entry
    if (lane.ready || lane.running) return
    this.#makeReady(lane)
    if (!this.#scheduled) this.#schedule()
  }

  #makeReady(lane: Lane): void {
    lane.ready = true
    if (this.#options.maxDelayMs > 0) lane.since = performance.now()
    this.#ready.push(lane)
  }

  /** At the end of this turn of JavaScript, so that all steps of the turn go into the same batch. */
  #schedule(): void {
    this.#scheduled = true
    process.nextTick(turn, this)
  }

  turn(): void {
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
    const left = this.#ready[this.#nextReady].since + maxDelayMs - performance.now()
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
      for (const entry of batch) {
        entry.forget?.()
        entry.reject(error)
        this.#release(entry)
      }
      this.#tellIdle()
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
        if (lane.closed) this.#states.give(lane.slot)
        continue
      }
      this.#removeFirst(lane)
      lane.running = entry
      rows[2 * batch.length] = lane.slot
      rows[2 * batch.length + 1] = entry.frame
      batch.push(entry)
      // Launching copies the frame, so its slot is free for the steps that come after this turn.
      this.#frames.give(entry.frame)
    }
    if (this.#nextReady === this.#ready.length) {
      this.#ready = []
      this.#nextReady = 0
    } else if (this.#nextReady > 4096) {
      this.#ready.splice(0, this.#nextReady)
      this.#nextReady = 0
    }
    this.queued -= batch.length
    return batch
  }

  /** Whenever a lane does not run, its first entry is a living step: resets before it have taken effect, and the dead are out. */
  #settleHead(lane: Lane): void {
    for (let entry = lane.first; entry && (entry.dead || entry.reset); entry = lane.first) {
      if (entry.reset) this.#write(lane.slot, entry.reset)
      this.#removeFirst(lane)
    }
  }

  #removeFirst(lane: Lane): void {
    lane.first = lane.first?.next
    if (!lane.first) lane.last = undefined
  }

  #ended(batch: Entry[], ticket: number, error: Error | undefined, trace: BatchTrace | undefined): void {
    if (trace && error) batchChannel.error.publish(Object.assign(trace, { error }))
    if (trace) batchChannel.asyncStart.publish(trace)
    const core = this.#core
    for (let row = 0; row < batch.length; row++) {
      core.rows[2 * row] = batch[row].dead ? -1 : batch[row].lane.slot
    }
    core.collect(ticket)
    this.#running--
    this.steps += batch.length
    const { outputs } = core
    for (const entry of batch) this.#release(entry)
    // The next batch runs while JavaScript looks at the results of this one.
    this.#pump()
    const O = this.#O
    for (let row = 0; row < batch.length; row++) {
      const entry = batch[row]
      if (entry.forget) entry.forget()
      if (entry.dead) continue
      if (error) entry.reject(error)
      else entry.resolve(outputs.slice(row * O, (row + 1) * O))
    }
    if (trace) batchChannel.asyncEnd.publish(trace)
    this.#tellIdle()
  }

  /** The lane of a step that runs no more goes on. */
  #release({ lane }: Entry): void {
    lane.running = undefined
    this.#settleHead(lane)
    if (lane.first) this.#makeReady(lane)
    else if (lane.closed) this.#states.give(lane.slot)
  }

  #tellIdle(): void {
    if (this.queued > 0 || this.#running > 0 || this.#idle.length === 0) return
    const told = this.#idle
    this.#idle = []
    for (const resolve of told) resolve()
  }
}

function turn(queue: BatchQueue): void {
  queue.turn()
}

/** Numbers from 0 up, each taken by one at a time. */
class Slots {
  count = 0
  readonly #free: number[] = []

  get isEmpty(): boolean {
    return this.#free.length === 0
  }

  doubled(most: number): number {
    return Math.min(most, Math.max(16, 2 * this.count))
  }

  grow(count: number): void {
    for (let slot = count - 1; slot >= this.count; slot--) this.#free.push(slot)
    this.count = count
  }

  take(): number {
    return this.#free.pop()!
  }

  give(slot: number): void {
    this.#free.push(slot)
  }
}
