/** One call: sound in, events out, one frame under way at a time; and where it stands, so that it goes on elsewhere. It knows no server. */

import { SpeechDetector } from '../vad/detector.mjs'
import { FRAME } from '../vad/silero.mjs'
import { RATE } from '../vad/sound.mjs'
import { FrameCutter } from './frames.mjs'

const FRAME_MS = (1000 * FRAME) / RATE
/** Who is so far ahead of real time, by what the rate allows, waits for himself. */
const AHEAD_MS = 200
/** Events that are said again to a caller who may not have heard them. */
const KEPT_EVENTS = 8

/** Close codes: RFC 6455's where one fits, else of the range that is an application's own. */
export const codes = {
  ...{ done: 1000, away: 1001, noSound: 1003, noCode: 1005, cut: 1006, oddBytes: 1007, internal: 1011, full: 1013 },
  ...{ idle: 4408, taken: 4409, tooLong: 4413 },
}

export class Call {
  token
  options
  /** When anything moved last, in `performance.now()`. */
  movedAt = performance.now()
  /** How often the call was taken up again; a store refuses what an earlier holder writes. */
  epoch = 0
  #stream
  #detector
  #events = []
  #cutter = new FrameCutter()
  #socket
  #limits
  #told
  #isStepping = false
  #isStopped = false
  #isEnding = false
  #isUnread = false
  #idle
  #onIdle = () => {}
  #timer
  /** When the next frame may be taken, by the rate: what has been saved up is in the past. */
  #due = -Infinity

  /**
   * @param options token; options: of the detector, and `probabilities`: whether each frame's is sent; limits; told: hears of
   * `frame(call, milliseconds)`, undefined for a caller that sends faster than in real time, `event(call, type)`, `failure(call, error)`
   * @param open makes the model's stream of the state that was saved, or of none
   * @param saved what `save` gave
   */
  constructor({ token, options, limits, told }, open, saved) {
    this.token = token
    this.options = options
    this.#limits = limits
    this.#told = told
    this.#stream = open(saved && Buffer.from(saved.state, 'base64'))
    this.#detector = new SpeechDetector(options, saved?.detector)
    if (!saved) return
    const bytes = Uint8Array.from(Buffer.from(saved.context, 'base64'))
    this.#cutter.restore(saved.frames, new Float32Array(bytes.buffer))
    this.epoch = saved.epoch + 1
    this.#events = saved.events
  }

  get frames() {
    return this.#cutter.count
  }

  /** Takes the sound of a WebSocket, and tells it from which sample on, and what happened after frame `heard`. */
  attach(socket, heard) {
    this.#socket = socket
    this.movedAt = performance.now()
    this.#say({ type: 'ready', token: this.token, samples: this.frames * FRAME })
    for (const event of this.#events) if (event.frame > heard) this.#say(event)
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
  }

  #receive(data, isBinary) {
    if (this.#isStopped || this.#isEnding) return
    if (!isBinary) {
      if (data.length !== 3 || String(data) !== 'end')
        return this.close(codes.noSound, 'sound is binary; "end" ends a call')
      this.#isEnding = true
    } else if (data.length % 2) return this.close(codes.oddBytes, 'PCM16 has an even number of bytes')
    else {
      this.movedAt = performance.now()
      this.#cutter.push(data, this.movedAt)
      // Who sends faster than it goes is slowed down by TCP.
      if (this.#cutter.waiting > this.#limits.maxWaiting) this.#socket.pause()
    }
    this.#pump()
  }

  /** Takes the next frame if there is one, and nothing is in its way. */
  #pump = () => {
    if (this.#isStepping || this.#isStopped) return
    this.#isUnread = this.#socket.bufferedAmount > this.#limits.maxUnread
    if (this.#isUnread) return // `#sent` comes back
    if (!this.#cutter.fill()) {
      if (this.#isEnding) this.#finish()
      return
    }
    if (this.#cutter.waiting <= this.#limits.maxWaiting / 2 && this.#socket.isPaused) this.#socket.resume()
    const now = performance.now()
    if (this.#due > now) return this.#pumpIn(this.#due - now)
    const { maxRate, burstMs } = this.#limits
    this.#due = Math.max(this.#due, now - burstMs) + FRAME_MS / maxRate
    this.#isStepping = true
    this.#stream.step(this.#cutter.input).then(this.#onAnswer, this.#onFailure)
  }

  #pumpIn(milliseconds) {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#pump()
    }, milliseconds)
  }

  #onAnswer = ({ output }) => {
    const probability = output[0]
    const { cameAt } = this.#cutter
    this.#isStepping = false
    this.#cutter.next()
    const event = this.#detector.push(probability)
    if (this.options.probabilities) this.#say({ type: 'frame', frame: this.frames - 1, probability })
    if (event) this.#sayEvent(event)
    if (this.frames * FRAME_MS > 1000 * this.#limits.maxSeconds) this.close(codes.tooLong, 'the call is too long')
    this.movedAt = performance.now()
    const isAhead = this.#due > this.movedAt - this.#limits.burstMs + AHEAD_MS
    this.#told.frame(this, isAhead ? undefined : this.movedAt - cameAt)
    this.#onIdle()
    this.#pump()
  }

  /** A step that is refused has moved nothing: the frame is still there. */
  #onFailure = (error) => {
    this.#isStepping = false
    this.#onIdle()
    if (error.code === 'ERR_RNN_OVERLOADED') this.#pumpIn(FRAME_MS)
    else if (!this.#isStopped) {
      this.#told.failure(this, error)
      this.close(codes.internal, 'internal error')
    }
  }

  #finish() {
    const event = this.#detector.finish()
    if (event) this.#sayEvent(event)
    this.close(codes.done)
  }

  #sayEvent(event) {
    this.#told.event(this, event.type)
    const said = { ...event, frame: this.frames - 1 }
    this.#events = [...this.#events, said].slice(-KEPT_EVENTS)
    this.#say(said)
  }

  #say(message) {
    this.#socket.send(JSON.stringify(message), this.#sent)
  }

  #sent = () => {
    if (this.#isUnread) this.#pump()
  }

  /** Up to here the sound is safe, whatever becomes of this server. */
  sayKept(frames) {
    if (!this.#isStopped) this.#say({ type: 'kept', samples: frames * FRAME })
  }

  /** Takes no more frames; resolves when none is under way. */
  async stop() {
    this.#isStopped = true
    if (!this.#isStepping) return
    this.#idle ??= new Promise((resolve) => {
      this.#onIdle = resolve
    })
    await this.#idle
  }

  /** Ends the connection; a caller that does not hear of it is cut off a little later. */
  close(code, reason) {
    this.#isStopped = true
    this.#socket.resume() // else the caller's own close would stay unread
    this.#socket.close(code, reason)
    setTimeout(() => this.#socket.terminate(), 2000).unref()
  }

  /** Where the call stands after the newest frame that is done, as JSON can hold it. */
  save() {
    const context = Buffer.from(this.#cutter.context().buffer).toString('base64')
    const state = Buffer.from(this.#stream.save()).toString('base64')
    const { options, frames, epoch } = this
    return { options, frames, epoch, context, state, detector: this.#detector.save(), events: this.#events }
  }

  /** Gives the stream back. */
  dispose() {
    this.#stream.close()
  }
}
