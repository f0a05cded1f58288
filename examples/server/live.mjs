/** Live streams over WebSocket: one stream a connection, a day in, a forecast out, in order; and how they end without a loss. */

import { on, once } from 'node:events'
import { dayAfter, daySchema } from './model.mjs'
import { checkOrder, describe, problem } from './problems.mjs'

const HEARTBEAT = 15_000
const GOODBYE = 2_000
const RESTART = 1012

/**
 * @param streams the named streams
 * @param sockets all open WebSockets
 * @returns serve: a WebSocket route's handler; finish: answers what was asked for, then ends all connections
 */
export function liveStreams(model, streams, sockets) {
  const connections = new Set()
  let closing = false

  async function serve(socket, request) {
    const connection = new Connection(socket)
    connections.add(connection)
    connection.ended = converse(connection, request)
    await connection.ended
    connections.delete(connection)
  }

  async function converse(connection, request) {
    const { name } = request.params
    const validate = request.compileValidationSchema(daySchema)
    try {
      if (closing) throw problem(503, 'RESTARTING', 'the server restarts')
      const entry = await streams.connect(name, connection)
      // What the stream has seen and said last, so that a client knows where to go on.
      await connection.send({ stream: name, date: entry.date, forecast: entry.forecast })
      for await (const [data] of connection.messages) {
        if (connection.isEnding) break
        await connection.send(await answer(model, entry, data, validate).catch(describe))
      }
    } catch (error) {
      if (error.name !== 'AbortError') await connection.send(describe(error))
    } finally {
      connection.close()
    }
  }

  /** Clients that are gone without a word, or no longer read, do not answer a ping. */
  const heartbeat = setInterval(() => {
    for (const connection of connections) connection.ping()
  }, HEARTBEAT)

  async function finish(finishSteps, save) {
    closing = true
    clearInterval(heartbeat)
    const ended = Array.from(connections, (connection) => connection.end(RESTART))
    await finishSteps()
    await Promise.all(ended)
    await save()
    await Promise.all(Array.from(sockets, (socket) => once(socket, 'close')))
  }

  return { serve, finish }
}

/** A step that is refused moves nothing: the client may send the day again. */
async function answer(model, entry, data, validate) {
  const day = parse(data)
  if (!validate(day)) {
    const { instancePath, message } = validate.errors[0]
    throw problem(400, 'NO_DAY', `day${instancePath} ${message}`)
  }
  if (entry.date) checkOrder(day, dayAfter(entry.date))
  const output = await entry.stream.step(model.frame(day))
  entry.date = day.date
  entry.forecast = model.forecast(day, output)
  return entry.forecast
}

function parse(data) {
  try {
    return JSON.parse(data)
  } catch {
    throw problem(400, 'NO_JSON', 'the message is not JSON')
  }
}

/** A client's WebSocket: its messages one by one, and an end that comes in time whatever the client does. */
class Connection {
  #socket
  #alive = true
  #stop = new AbortController()
  #code = 1013

  constructor(socket) {
    this.#socket = socket
    // Beyond 16 messages that wait the socket is not read: who sends faster than it goes is slowed down by TCP.
    this.messages = on(socket, 'message', { signal: this.#stop.signal, close: ['close'], highWaterMark: 16 })
    socket.on('pong', () => {
      this.#alive = true
    })
  }

  /** Resolves when the text is on its way: a client that does not read holds up its own stream and nothing else. */
  send(value) {
    return new Promise((resolve) => this.#socket.send(JSON.stringify(value), resolve))
  }

  ping() {
    if (!this.#alive) this.#socket.terminate()
    this.#alive = false
    this.#socket.ping()
  }

  get isEnding() {
    return this.#stop.signal.aborted
  }

  /** Ends after the answer to the step that is under way; resolves when no other will follow. */
  end(code) {
    this.#code = code
    this.#stop.abort()
    setTimeout(() => this.#socket.terminate(), GOODBYE).unref()
    return this.ended
  }

  close() {
    this.#socket.resume() // else the client's own close would stay unread
    this.#socket.close(this.#code)
  }
}
