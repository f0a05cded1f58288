/** Calls that nobody has at the moment: in memory for a while, and in a file from one process to the next. It alone knows that file. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises'

export class FileStore {
  /** Records of calls by token, the oldest first. */
  #records = new Map()
  #file
  #keepMs
  #limit

  /** @param options file: none if left out; keepMs: how long a call may stay away; maxKept: how many may; the oldest go first */
  constructor({ file, keepMs = 60_000, maxKept = 10_000 } = {}) {
    this.#file = file
    this.#keepMs = keepMs
    this.#limit = maxKept
  }

  get size() {
    return this.#records.size
  }

  async put(token, record) {
    this.#records.delete(token)
    this.#records.set(token, { record, until: performance.now() + this.#keepMs })
    for (const [oldest, { until }] of this.#records) {
      if (until > performance.now() && this.#records.size <= this.#limit) break
      this.#records.delete(oldest)
    }
  }

  async take(token) {
    const kept = this.#records.get(token)
    this.#records.delete(token)
    return kept && kept.until > performance.now() ? kept.record : undefined
  }

  async drop(token) {
    this.#records.delete(token)
  }

  /** Takes what the process before this one has left. A damaged file ends in an error, and stays as it is. */
  async load() {
    const text =
      this.#file && (await readFile(this.#file, 'utf8').catch(({ code }) => code !== 'ENOENT' && Promise.reject(code)))
    if (text) for (const [token, record] of JSON.parse(text)) await this.put(token, record)
    if (text) await rm(this.#file)
  }

  /** The file is there as a whole or not at all. */
  async close() {
    if (!this.#file) return
    const records = Array.from(this.#records, ([token, { record }]) => [token, record])
    await writeFile(`${this.#file}.new`, JSON.stringify(records), { mode: 0o600, flush: true })
    await rename(`${this.#file}.new`, this.#file)
  }
}
