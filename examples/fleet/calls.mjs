/** Calls of examples/voice in Redis: any server goes on with any of them, and one that has lost a call cannot write it any more. */

import { Redis } from 'ioredis'

const HOUR = 60 * 60

// Each holder of a call has a higher epoch than the one before; what an earlier one writes or drops comes too late.
const put = `
  if tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') > tonumber(ARGV[1]) then return 0 end
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'record', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ${HOUR})
  return 1`
const take = `
  local record = redis.call('HGET', KEYS[1], 'record')
  return record and { record, redis.call('HINCRBY', KEYS[1], 'epoch', 1) }`

export class RedisStore {
  /** A call that somebody has is kept about once a second. */
  everyFrames = 31
  #redis

  constructor(url) {
    const scripts = { putCall: { lua: put, numberOfKeys: 1 }, takeCall: { lua: take, numberOfKeys: 1 } }
    this.#redis = new Redis(url, { scripts })
  }

  async put(token, record) {
    await this.#redis.putCall(`call:${token}`, record.epoch, JSON.stringify(record))
  }

  /** The record of the newest holder, who has lost the call with that. */
  async take(token) {
    const taken = await this.#redis.takeCall(`call:${token}`)
    // A call begins its epoch after the one of its record.
    return taken ? { ...JSON.parse(taken[0]), epoch: taken[1] - 1 } : undefined
  }

  async drop(token) {
    await this.#redis.del(`call:${token}`)
  }

  async close() {
    await this.#redis.quit()
  }
}
