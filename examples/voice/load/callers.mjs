/** Many callers in real time, as a process of their own: says at its end what they heard, how late, and whether it was right. */

import { makeSounds, partsOf } from './sounds.mjs'
import { frameOf, openWire } from './wire.mjs'

const FRAME_BYTES = 1024
const PERIOD = 32
/** Latencies in tenths of a millisecond. */
const BUCKETS = 50_000
const END = frameOf(Buffer.from('end'), true)

const [work] = await new Promise((resolve) => process.once('message', (message) => resolve([message])))
const { host, port, calls, seconds, messageMs, answers, warmUp, tolerance, expected } = work
const messageBytes = 32 * messageMs
// Made once for all who say the same.
const { seconds: length, times } = partsOf(seconds)
const messages = makeSounds(length, expected.length).map((pcm) =>
  Array.from({ length: Math.floor(pcm.length / messageBytes) }, (_, n) =>
    frameOf(pcm.subarray(n * messageBytes, (n + 1) * messageBytes)),
  ),
)
/** Of one call. */
const count = times * messages[0].length
const histogram = new Uint32Array(BUCKETS)
const totals = { frames: 0, events: 0, wrong: 0, missing: 0, codes: {} }

class Caller {
  #expected
  #messages
  #sent = 0
  #next = 0
  #events = []
  #listens
  #socket

  constructor(n, phase) {
    this.phase = phase
    this.#expected = expected[n % expected.length]
    this.#messages = messages[n % messages.length]
    this.#listens = n % answers === 0
    this.isReady = new Promise((resolve) => {
      this.ready = resolve
    })
    this.closed = new Promise((resolve) => {
      const onClose = (code) => resolve(this.#onClose(code))
      const path = `/calls?probabilities=${this.#listens}`
      this.#socket = openWire(host, port, path, { onMessage: (text) => this.#onMessage(text), onClose })
    })
  }

  #onMessage(text) {
    const heard = JSON.parse(text)
    if (heard.type === 'ready') this.ready()
    else if (heard.type === 'frame') this.#onFrame(heard)
    else this.#events.push(heard)
  }

  #onFrame({ frame, probability }) {
    totals.frames++
    const right = this.#expected.probabilities[frame]
    const isRight = tolerance ? Math.abs(probability - right) <= tolerance : Object.is(probability, right)
    if (frame !== this.#next++ || !isRight) totals.wrong++
    const message = Math.floor(((frame + 1) * FRAME_BYTES - 1) / messageBytes)
    const milliseconds = performance.now() - this.dueAt(message)
    if (frame * PERIOD > warmUp) histogram[Math.min(BUCKETS - 1, Math.floor(10 * milliseconds))]++
  }

  /** When a message is to be sent; that it was sent later is this process's fault, and counts. */
  dueAt(message) {
    return began + this.phase + message * messageMs
  }

  send() {
    if (this.#sent < count) this.#socket.write(this.#messages[this.#sent++ % this.#messages.length])
    else this.#socket.write(END)
  }

  get isDue() {
    return this.dueAt(this.#sent) <= performance.now()
  }

  #onClose(code) {
    this.ready()
    totals.codes[code] = (totals.codes[code] ?? 0) + 1
    totals.events += this.#events.length
    if (!tolerance && JSON.stringify(this.#events) !== JSON.stringify(this.#expected.events)) totals.wrong++
    if (this.#listens) totals.missing += this.#expected.probabilities.length - this.#next
  }
}

// In the order of their phases, so that those who are due are the next ones in a ring.
let began = performance.now()
const callers = []
for (let n = 0; n < calls; n++) {
  callers.push(new Caller(n, (n / calls) * messageMs))
  if (n % 20 === 19) await callers.at(-1).isReady
}
await Promise.all(callers.map(({ isReady }) => isReady))
process.send({ type: 'began' })
began = performance.now() + 100
let place = 0
let rounds = 0
const timer = setInterval(() => {
  while (callers[place].isDue) {
    callers[place].send()
    place++
    if (place < callers.length) continue
    place = 0
    if (++rounds > count) return clearInterval(timer)
  }
}, 1)
await Promise.all(callers.map(({ closed }) => closed))
const { user, system } = process.cpuUsage()
const last = histogram.findLastIndex((value) => value > 0)
process.send({
  type: 'done',
  ...totals,
  histogram: Array.from(histogram.subarray(0, last + 1)),
  cpu: (user + system) / 1e6,
})
process.disconnect()
