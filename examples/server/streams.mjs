/** The named streams of the server, and the file in which they outlive it; it alone knows what stands in that file. */

import { readFile, rename, writeFile } from 'node:fs/promises'
import { problem } from './problems.mjs'

/** Close codes of WebSocket, from the range that is an application's own. */
export const TAKEN_OVER = 4409
export const DELETED = 4410

export class NamedStreams {
  #streams = new Map()
  #batcher
  #limit

  constructor(batcher, limit) {
    this.#batcher = batcher
    this.#limit = limit
  }

  get size() {
    return this.#streams.size
  }

  /**
   * The stream of this name: a new one, or the one that is there, after all that it has seen. The newest connection has it, as one before
   * may be of a client that is gone and has not been noticed; that one is ended first.
   */
  async connect(name, connection) {
    const entry = this.#streams.get(name) ?? this.#open(name)
    const before = entry.connection
    entry.connection = connection
    await before?.end(TAKEN_OVER)
    return entry
  }

  #open(name) {
    if (this.size >= this.#limit) throw problem(503, 'TOO_MANY_STREAMS', `there are ${this.#limit} streams already`)
    const entry = { stream: this.#batcher.open(), date: null, forecast: null }
    this.#streams.set(name, entry)
    return entry
  }

  /** Ends a stream and its connection, and says whether there was one. */
  async delete(name) {
    const entry = this.#streams.get(name)
    this.#streams.delete(name)
    await entry?.connection?.end(DELETED)
    entry?.stream.close()
    return entry !== undefined
  }

  /** Writes all streams. The file is the old one or the new one, never half of one. */
  async save(file) {
    const entries = Array.from(this.#streams, ([name, { stream, date, forecast }]) => {
      return { name, date, forecast, state: Buffer.from(stream.save()).toString('base64') }
    })
    await writeFile(`${file}.new`, JSON.stringify(entries), { mode: 0o600, flush: true })
    await rename(`${file}.new`, file)
  }

  /**
   * Takes back what `save` wrote. A damaged file, or states of other weights, end in the error that says so, and the file stays as it is:
   * whoever deploys a new model decides what becomes of the old one's streams.
   */
  async restore(file) {
    const text = await readFile(file, 'utf8').catch((error) => {
      if (error.code === 'ENOENT') return '[]'
      throw error
    })
    for (const { name, date, forecast, state } of JSON.parse(text)) {
      const stream = this.#batcher.restore(Buffer.from(state, 'base64'))
      this.#streams.set(name, { stream, date, forecast })
    }
  }
}
