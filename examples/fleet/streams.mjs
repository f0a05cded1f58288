/** Streams that live in Redis: any server takes the next step of any of them, and none is taken twice. */

import { Redis } from 'ioredis'

const DAY = 24 * 60 * 60

// Moves a stream on, if nobody else has moved it meanwhile.
const move = `
  if (redis.call('HGET', KEYS[1], 'steps') or '0') ~= ARGV[1] then return 0 end
  redis.call('HSET', KEYS[1], 'steps', ARGV[2], 'state', ARGV[3], 'output', ARGV[4])
  redis.call('EXPIRE', KEYS[1], ${DAY})
  return 1`

const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)
const floatsOf = (bytes) => new Float32Array(Uint8Array.from(bytes).buffer)

export class RedisStreams {
  #redis
  #layer

  constructor(layer, url) {
    this.#layer = layer
    this.#redis = new Redis(url, { scripts: { move: { lua: move, numberOfKeys: 1 } } })
  }

  /**
   * Takes step `n` (from 0) of a stream. Asked for the step that was taken last, it gives the same answer again, so a client that has
   * heard nothing asks again, here or elsewhere.
   *
   * @throws an error with the number of steps taken, `steps`, where it is another
   */
  async step(name, n, frame) {
    const key = `stream:${name}`
    const [steps, state, output] = await this.#redis.hmgetBuffer(key, 'steps', 'state', 'output')
    const taken = Number(steps ?? 0)
    if (n === taken - 1) return floatsOf(output)
    if (n !== taken) throw Object.assign(new Error(`the next step of ${name} is ${taken}, got ${n}`), { steps: taken })
    const stream = state ? this.#layer.restoreStream(state) : this.#layer.stream()
    try {
      stream.step(frame)
      const moved = await this.#redis.move(key, taken, taken + 1, Buffer.from(stream.save()), bytesOf(stream.output))
      // Where another server was first with this step, its answer is the answer.
      return moved ? stream.output.slice() : this.step(name, n, frame)
    } finally {
      stream.dispose()
    }
  }

  close() {
    return this.#redis.quit()
  }
}
