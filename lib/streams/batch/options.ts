/** The options of batchers; it alone knows which are right. */
import { describe, failOption } from '../../errors.ts'
import { type Check, type Checked, integer, oneOf } from '../../options/checks.ts'
import type { BatchedStream } from './batched-stream.ts'
import type { LifeOptions } from './life.ts'
import type { QueueOptions } from './queue.ts'

/** Options of `layer.batcher`. */
export interface BatcherOptions<Stream = BatchedStream> {
  /** The most steps that run together; 64 by default. */
  maxBatch?: number
  /** How long a step may wait for others, in milliseconds; 0 by default: what waits when nothing runs goes at once. */
  maxDelayMs?: number
  /** The most calls that wait; one more is rejected with `ERR_RNN_OVERLOADED`. 1024 by default. A `run` counts as one, however many frames it has. */
  maxQueue?: number
  /** The most streams that are open; one more `open` or `restore` is `ERR_RNN_OVERLOADED`. No limit by default. */
  maxStreams?: number
  /**
   * A stream without a step for so many milliseconds is saved and closed, and `onIdle` is told; 0 by default: never. A step that waits or runs is not
   * idle. It does not keep the process alive, and ends with `close()`.
   */
  idleMs?: number
  /**
   * Gets each stream that was idle for `idleMs`, closed, and what its `save()` would have given: `batcher.restore` opens it again. What it throws is an
   * uncaught exception of a turn of its own; batcher and streams go on.
   */
  onIdle?: (stream: Stream, saved: Uint8Array) => void
}

/** Options of `batcher.replace`. */
export interface ReplaceOptions {
  /** 'move' (default): open streams go on with their states on the new weights. 'keep': they end on the weights that they have. */
  streams?: 'move' | 'keep'
}

const delay: Check<number> = (value, name) =>
  typeof value === 'number' && value >= 0 && value <= 2 ** 31 - 1
    ? value
    : failOption(`${name} must be a number of milliseconds from 0 to 2^31 − 1, got ${describe(value)}`)

const listener: Check<(stream: never, saved: Uint8Array) => void> = (value, name) =>
  typeof value === 'function' ? (value as () => void) : failOption(`${name} must be a function, got ${describe(value)}`)

const streamCount = integer(1, 2 ** 31 - 1)

/** The checks of {@link BatcherOptions}. */
export const batcherChecks = {
  maxBatch: integer(1, 4096),
  maxDelayMs: delay,
  maxQueue: integer(1, 2 ** 24),
  maxStreams: (value: unknown, name: string) => (value === Infinity ? Infinity : streamCount(value, name)),
  idleMs: delay,
  onIdle: listener,
} as const

/** The checks of {@link ReplaceOptions}. */
export const replaceChecks = { streams: oneOf('move', 'keep') } as const

/** What a queue and the life around it may do, by the options. */
export function limitsOf(options: Checked<typeof batcherChecks>): QueueOptions & LifeOptions {
  return { maxBatch: 64, maxDelayMs: 0, maxQueue: 1024, maxStreams: Infinity, idleMs: 0, onIdle: undefined, ...options }
}
