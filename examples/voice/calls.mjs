/** All calls of a server: how many there may be, how they begin, go on and end, and where they are kept while nobody has them. */

import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { Call, codes } from './call.mjs'

/** After these a caller may come back with its token. */
const resumable = new Set([codes.away, codes.cut, codes.internal, codes.full, codes.idle, codes.taken])

/** What a call and all calls may do. */
export const defaultLimits = {
  /** Calls at a time. */
  maxCalls: 2000,
  /** Of one call: its length; how many times real time, and how much saved up of it; bytes that wait; bytes that it has not read. */
  maxSeconds: 4 * 60 * 60,
  maxRate: 2,
  burstMs: 5000,
  maxWaiting: 64 * 1024,
  maxUnread: 64 * 1024,
  /** Closed after so long without a frame. */
  idleMs: 30_000,
  /** New calls are refused while a frame takes longer than this, on average over the last second. */
  maxLatencyMs: 100,
}

export class Calls {
  #batcher
  #store
  #limits
  #meter
  #log
  #live = new Map()
  #opening = 0
  #isClosing = false
  #sweep

  /**
   * @param batcher a `ModelBatcher`, or what has its methods
   * @param store `take(token)`, `put(token, record)`, `drop(token)`, `close()`: keeps calls that nobody has; `everyFrames`: how often also those
   * that somebody has
   */
  constructor(batcher, store, limits, meter, log) {
    this.#batcher = batcher
    this.#store = store
    this.#limits = limits
    this.#meter = meter
    this.#log = log
    this.#sweep = setInterval(() => this.#closeIdle(), 1000).unref()
  }

  get size() {
    return this.#live.size
  }

  /** Why a call cannot be taken now; undefined: it can. One that comes back with a token is not refused for slowness. */
  refusal(token) {
    if (this.#isClosing) return 'closing'
    if (this.#live.size + this.#opening >= this.#limits.maxCalls) return 'full'
    return !token && this.#meter.recentLatency() > this.#limits.maxLatencyMs ? 'slow' : undefined
  }

  /** A WebSocket is a call, a new one or the one of `token`. */
  async serve(socket, { token, heard, ...options }) {
    socket.pause()
    socket.on('error', () => {}) // 'close' follows
    const closed = new Promise((resolve) => socket.once('close', resolve))
    if (this.refusal(token)) return this.#refuse(socket)
    let entry
    this.#opening++
    try {
      entry = { call: await this.#open(token, options), ended: undefined }
      this.#live.set(entry.call.token, entry)
      // A server that dies in the first second has lost nothing.
      if (this.#store.everyFrames) await this.#store.put(entry.call.token, entry.call.save())
    } catch (error) {
      this.#log.error(error)
      socket.close(codes.internal, 'internal error')
      return
    } finally {
      this.#opening--
    }
    if (this.#isClosing) {
      await this.#end(entry, codes.full)
      return this.#refuse(socket)
    }
    entry.call.attach(socket, heard)
    socket.resume()
    await this.#end(entry, await closed)
  }

  #refuse(socket) {
    this.#meter.refused(this.refusal() ?? 'full')
    socket.resume()
    socket.close(codes.full, 'try again later')
  }

  async #open(token, options) {
    const before = token && this.#live.get(token)
    if (before) {
      before.call.close(codes.taken, 'taken over by a newer connection')
      await this.#end(before, codes.taken)
    }
    const record = token && (await this.#store.take(token))
    const fresh = { token: record ? token : randomBytes(16).toString('base64url'), options: record?.options ?? options }
    const told = { frame: this.#onFrame, event: this.#onEvent, failure: (_, error) => this.#log.error(error) }
    const open = (state) => (state ? this.#batcher.restore(state) : this.#batcher.open())
    return new Call({ ...fresh, limits: this.#limits, told }, open, record)
  }

  /** Once for each call: the frame under way is finished, and the call is over, or kept for when it comes back. */
  #end(entry, code) {
    entry.ended ??= this.#putAway(entry, code).catch((error) => this.#log.error(error))
    return entry.ended
  }

  async #putAway(entry, code) {
    const { call } = entry
    this.#meter.closed(code)
    await call.stop()
    const record = call.save()
    call.dispose()
    try {
      if (resumable.has(code)) await this.#store.put(call.token, record)
      else await this.#store.drop(call.token)
    } finally {
      this.#live.delete(call.token)
    }
  }

  #onFrame = (call, milliseconds) => {
    this.#meter.frame(milliseconds)
    const { everyFrames } = this.#store
    if (everyFrames && call.frames % everyFrames === 0) this.#keep(call)
  }

  async #keep(call) {
    const record = call.save()
    try {
      await this.#store.put(call.token, record)
      call.sayKept(record.frames)
    } catch (error) {
      this.#log.error(error)
    }
  }

  #onEvent = (_, type) => this.#meter.event(type)

  #closeIdle() {
    const limit = performance.now() - this.#limits.idleMs
    for (const { call } of this.#live.values()) if (call.movedAt < limit) call.close(codes.idle, 'no sound')
  }

  /** Ends without a loss: frames under way are answered, every call is kept, and only then told to go elsewhere. */
  async finish() {
    this.#isClosing = true
    clearInterval(this.#sweep)
    while (this.#opening > 0) await setImmediate()
    const entries = Array.from(this.#live.values())
    await Promise.all(
      entries.map(async (entry) => {
        await this.#end(entry, codes.away)
        entry.call.close(codes.away, 'the server restarts')
      }),
    )
    await this.#batcher.close()
    await this.#store.close()
  }
}
