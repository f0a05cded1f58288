/** What the server counts: for Prometheus, for /health, and for its own decision whether to take another call. */

import { tracingChannel } from 'node:diagnostics_channel'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const SECONDS = 10

/** The latencies of about the last second in each slot, by powers of two to the quarter from 0.1 ms on. */
class RecentLatencies {
  #slots = Array.from({ length: SECONDS }, () => ({ second: -1, sum: 0, count: 0, buckets: new Uint32Array(64) }))

  add(milliseconds) {
    const slot = this.#slot(Math.floor(performance.now() / 1000))
    slot.sum += milliseconds
    slot.count++
    slot.buckets[Math.max(0, Math.min(63, Math.ceil(4 * Math.log2(milliseconds / 0.1))))]++
  }

  #slot(second) {
    const slot = this.#slots[(second + SECONDS) % SECONDS]
    if (slot.second !== second) {
      Object.assign(slot, { second, sum: 0, count: 0 })
      slot.buckets.fill(0)
    }
    return slot
  }

  /** Milliseconds, over the second that is over. */
  mean() {
    const { sum, count } = this.#slot(Math.floor(performance.now() / 1000) - 1)
    return count && sum / count
  }

  /** Milliseconds below which a part of the last ten seconds' frames was; 0 where there were none. */
  quantile(part) {
    const oldest = performance.now() / 1000 - SECONDS
    const slots = this.#slots.filter(({ second }) => second >= oldest)
    let left = part * slots.reduce((sum, { count }) => sum + count, 0)
    for (let i = 0; i < 64 && left > 0; i++) {
      for (const { buckets } of slots) left -= buckets[i]
      if (left <= 0) return 0.1 * 2 ** (i / 4)
    }
    return 0
  }
}

export class Meter {
  registry = new Registry()
  #recent = new RecentLatencies()
  #registers = [this.registry]
  #frames = this.#counter('voice_frames_total', 'Frames of 32 ms that were answered')
  #events = this.#counter('voice_events_total', 'Speech that began and ended', ['type'])
  #refused = this.#counter('voice_refused_total', 'Calls that were not taken', ['reason'])
  #closed = this.#counter('voice_closed_total', 'Calls whose connection ended, by close code', ['code'])
  #latency = this.#histogram('voice_frame_seconds', 'From the last byte of a frame to its answer', {
    buckets: [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.5],
  })
  #batches = this.#histogram('rnn_batch_steps', 'Steps in a batch', { buckets: [1, 4, 16, 32, 64, 128, 256] })

  /** @param state asked when somebody looks: `{ calls, kept }` */
  constructor(state) {
    const { registers } = { registers: this.#registers }
    new Gauge({
      name: 'voice_calls',
      help: 'Calls now',
      registers,
      collect() {
        this.set(state().calls)
      },
    })
    new Gauge({
      name: 'voice_kept',
      help: 'Calls that may come back',
      registers,
      collect() {
        this.set(state().kept)
      },
    })
    collectDefaultMetrics({ register: this.registry })
    tracingChannel('native-rnn:batch').subscribe({ start: ({ steps }) => this.#batches.observe(steps) })
  }

  #counter(name, help, labelNames = []) {
    return new Counter({ name, help, labelNames, registers: this.#registers })
  }

  #histogram(name, help, options) {
    return new Histogram({ name, help, registers: this.#registers, ...options })
  }

  /** @param milliseconds undefined: nobody waited for it */
  frame(milliseconds) {
    this.#frames.inc()
    if (milliseconds === undefined) return
    this.#latency.observe(milliseconds / 1000)
    this.#recent.add(milliseconds)
  }

  event(type) {
    this.#events.inc({ type })
  }

  refused(reason) {
    this.#refused.inc({ reason })
  }

  closed(code) {
    this.#closed.inc({ code })
  }

  recentLatency() {
    return this.#recent.mean()
  }

  latency() {
    return { p50: this.#recent.quantile(0.5), p99: this.#recent.quantile(0.99) }
  }
}
