/** Where there are no diagnostics channels nobody listens to any. */
import type { Channel, TracingChannel } from 'node:diagnostics_channel'

export type { Channel, TracingChannel }

export function channel(name: string): Channel {
  return { name, hasSubscribers: false, publish() {} } as unknown as Channel
}

export function tracingChannel<Store, Context extends object>(name: string): TracingChannel<Store, Context> {
  const silent = channel(name)
  const all = { start: silent, end: silent, asyncStart: silent, asyncEnd: silent, error: silent }
  return all as unknown as TracingChannel<Store, Context>
}
