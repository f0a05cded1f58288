/** A caller: sends sound, hears events, and comes back with its token when the connection is lost; what it has heard is that of an unbroken call. */

import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'

const FRAME_BYTES = 1024

export class Caller {
  /** Events in order, and probabilities by frame. */
  events = []
  probabilities = []
  /** How often the call came back, and how often it came back as another one: what was kept of it is gone. */
  resumed = 0
  lost = 0
  #url
  #query
  #sound
  #sent = 0
  #socket
  #isOver = false

  /**
   * @param url `ws://host:port`, or a function that gives it at each try
   * @param sound PCM16, all of it
   * @param query options of the call
   */
  constructor(url, sound, query = {}) {
    this.#url = typeof url === 'function' ? url : () => url
    this.#sound = sound
    this.#query = { ...query }
  }

  /** The WebSocket of the moment. */
  get socket() {
    return this.#socket
  }

  get token() {
    return this.#query.token
  }

  /** Whether all sound was sent. A connection that is lost from then on is not taken up again: the server may have forgotten the call. */
  get isOver() {
    return this.#isOver
  }

  /**
   * Makes the whole call.
   * @param message bytes of a message
   * @param speed 1: in real time
   * @returns the close code
   */
  async call({ message = 640, speed = 1 } = {}) {
    for (;;) {
      const code = await this.#connect(message, speed)
      if (this.#isOver || (code !== undefined && ![1001, 1006, 1012, 1013].includes(code))) return code
      await sleep(20 + 80 * Math.random())
    }
  }

  #connect(message, speed) {
    return new Promise((resolve) => {
      const query = new URLSearchParams({ ...this.#query, heard: this.events.at(-1)?.frame ?? -1 })
      const socket = new WebSocket(`${this.#url()}/calls?${query}`, {
        perMessageDeflate: false,
      })
      this.#socket = socket
      let timer
      socket.on('error', () => {}) // 'close' follows
      socket.on('close', (code) => {
        clearInterval(timer)
        resolve(code)
      })
      socket.on('message', (data) => {
        const heard = JSON.parse(data)
        if (heard.type !== 'ready') return this.#hear(heard)
        this.#begin(heard)
        timer = this.#stream(socket, message, speed)
      })
    })
  }

  #begin({ token, samples }) {
    if (this.token) this.resumed++
    if (this.token && token !== this.token) this.lost++
    this.#query.token = token
    this.#sent = 2 * samples
  }

  /** Sends from where the server stands, as much as the time that has passed. */
  #stream(socket, message, speed) {
    const began = performance.now()
    const from = this.#sent
    const bytesPerMs = 32 * speed
    const timer = setInterval(() => {
      const until = Math.min(this.#sound.length, from + message + (performance.now() - began) * bytesPerMs)
      while (this.#sent < this.#sound.length && this.#sent + message <= until + message - 1 && this.#sent < until) {
        const next = Math.min(this.#sent + message, this.#sound.length)
        socket.send(this.#sound.subarray(this.#sent, next))
        this.#sent = next
      }
      if (this.#sent < this.#sound.length) return
      clearInterval(timer)
      // Where the connection is lost already, the call goes on.
      socket.send('end', (error) => {
        if (!error) this.#isOver = true
      })
    }, message / bytesPerMs)
    return timer
  }

  /** What was heard before is heard again after a server died, and is the same. */
  #hear(heard) {
    if (heard.type === 'frame') {
      const { frame, probability } = heard
      const before = this.probabilities[frame]
      if (before !== undefined && before !== probability)
        throw new Error(`frame ${frame} was ${before}, is ${probability}`)
      this.probabilities[frame] = probability
    } else if (heard.type !== 'kept') {
      const { type, at, frame } = heard
      if (!(this.events.at(-1)?.frame >= frame)) this.events.push({ type, at, frame })
    }
  }

  /** Whole frames of the sound. */
  get frames() {
    return Math.floor(this.#sound.length / FRAME_BYTES)
  }
}
