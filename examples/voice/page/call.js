/** The page's call: sound to the server, events back, and the same call again when the connection or the server was gone. */

const FRAME = 512
/** Sound that is kept for a server that has not taken it: ten seconds of blocks. */
const KEPT = 312

export class Call {
  #options
  #on
  #socket
  #token
  #heard = -1
  /** Blocks of sound from number `#first` on; the next one to send. */
  #blocks = []
  #first = 0
  #next = 0
  #sentAt = new Map()
  /** Whether the server has said where it stands. */
  #isReady = false
  #isOver = false

  /** @param on handlers: state(text), frame(frame, probability, milliseconds), event(event) */
  constructor(options, on) {
    this.#options = options
    this.#on = on
    this.#connect()
  }

  #connect() {
    const query = new URLSearchParams({ ...this.#options, probabilities: true, heard: this.#heard })
    if (this.#token) query.set('token', this.#token)
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    this.#socket = new WebSocket(`${scheme}://${location.host}/calls?${query}`)
    this.#socket.addEventListener('message', ({ data }) => this.#onMessage(JSON.parse(data)))
    this.#socket.addEventListener('close', ({ code }) => {
      this.#isReady = false
      if (this.#isOver) return this.#on.state('ended')
      // Too long, taken over, or no sound that the server knows: not to be tried again.
      if (code === 4413 || code === 4409 || code === 1007) return this.#on.state(`closed (${code})`)
      this.#on.state('connecting again')
      setTimeout(() => this.#connect(), 500)
    })
  }

  #onMessage(message) {
    if (message.type === 'ready') {
      // Of another token the server knows nothing: the call begins anew, with the sound that is left.
      const isAnew = this.#token !== message.token
      this.#token = message.token
      this.#next = isAnew ? this.#first : message.samples / FRAME
      this.#isReady = true
      this.#on.state('listening')
      this.#flush()
    } else if (message.type === 'frame') {
      this.#on.frame(message.frame, message.probability, performance.now() - this.#sentAt.get(message.frame))
      this.#sentAt.delete(message.frame)
    } else if (message.type.startsWith('speech')) {
      this.#heard = message.frame
      this.#on.event(message)
    }
  }

  /** Takes a block of 512 samples. */
  push(block) {
    this.#blocks.push(block)
    while (this.#blocks.length > KEPT) {
      this.#blocks.shift()
      this.#first++
    }
    if (this.#isReady) this.#flush()
  }

  #flush() {
    this.#next = Math.max(this.#next, this.#first)
    for (; this.#next < this.#first + this.#blocks.length; this.#next++) {
      this.#sentAt.set(this.#next, performance.now())
      this.#socket.send(this.#blocks[this.#next - this.#first])
    }
  }

  end() {
    this.#isOver = true
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send('end')
    else this.#socket.close()
  }
}
