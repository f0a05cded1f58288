/** The diagnostics channels of the package; nothing is made or measured while nobody listens. */
import { type Channel, channel, type TracingChannel, tracingChannel } from './platform/channels.ts'

/** What `tracing:native-rnn:forward:*` tells of a call. */
export interface ForwardTrace {
  /** The class of the layer. */
  readonly layer: 'RNN' | 'GRU' | 'LSTM'
  readonly backend: string
  /** Time steps. */
  readonly T: number
  /** Batch rows. */
  readonly B: number
  /** Whether it is a `forwardAsync`. */
  readonly async: boolean
}

/** What `tracing:native-rnn:batch:*` tells of one batch of a {@link Batcher} or a {@link ModelBatcher}. */
export interface BatchTrace {
  /** The class of the layer, or of the model. */
  readonly layer: 'RNN' | 'GRU' | 'LSTM' | 'Model'
  readonly backend: string
  /** Steps in this batch, each of another stream. */
  readonly steps: number
  /** Steps that still wait. */
  readonly queued: number
}

/** What `native-rnn:reject` tells of a call that a {@link Batcher} or a {@link ModelBatcher} has refused with `ERR_RNN_OVERLOADED`. */
export interface RejectTrace {
  readonly layer: BatchTrace['layer']
  readonly backend: string
  readonly call: 'open' | 'restore' | 'step' | 'run'
  /** Open streams. */
  readonly streams: number
  /** Steps that wait. */
  readonly queued: number
}

/** What `native-rnn:evict` tells of a stream that a {@link Batcher} or a {@link ModelBatcher} has closed because it was idle for so long. */
export interface EvictTrace {
  readonly layer: BatchTrace['layer']
  readonly backend: string
  /** Milliseconds without a step. */
  readonly idleMs: number
  /** Streams that are still open. */
  readonly streams: number
}

/** What `tracing:native-rnn:model:*` tells of a run of a {@link Model}. */
export interface ModelTrace {
  readonly backend: string
  /** The shapes of the inputs, in the order of `model.inputs`. */
  readonly shapes: readonly (readonly number[])[]
  /** Whether it is a `runAsync`. */
  readonly async: boolean
}

/** @internal A user's types need no node types. */
export const forwardChannel = tracingChannel<'native-rnn:forward', ForwardTrace>('native-rnn:forward')
/** @internal */
export const batchChannel = tracingChannel<'native-rnn:batch', BatchTrace>('native-rnn:batch')
/** @internal */
export const modelChannel = tracingChannel<'native-rnn:model', ModelTrace>('native-rnn:model')

/** @internal */
export const rejectChannel: Channel = channel('native-rnn:reject')
/** @internal */
export const evictChannel: Channel = channel('native-rnn:evict')

/** Whether anyone listens to any event of a channel. @internal */
export function isTraced(channel: TracingChannel<string, object>): boolean {
  const { start, end, asyncStart, asyncEnd, error } = channel
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  )
}

/** Tells those who listen to a channel of its own, if anyone does. @internal */
export function tellAny(channel: Channel, message: () => object): void {
  if (channel.hasSubscribers) tell(channel, message())
}

/** Tells those who listen. What they throw Node reports at the end of the turn; what it throws itself (the stack ends) ends nothing. @internal */
export function tell(channel: Channel, message: object): void {
  try {
    channel.publish(message)
  } catch {
    // What is told of goes on.
  }
}

/** Tells of an error, in the message that told of the start: the same object, which may be frozen meanwhile. @internal */
export function tellError(channel: TracingChannel<string, object>, message: object, error: unknown): void {
  try {
    ;(message as { error?: unknown }).error = error
  } catch {
    // Then without.
  }
  tell(channel.error, message)
}
