/** One worker of the fleet: takes a range, scores it, writes the scores to their place. Start as many as there are cores. */

import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { loadScorer, SCORE } from './digits.mjs'
import { QUEUE, SCORES } from './fleet.mjs'

const { REDIS_URL = 'redis://127.0.0.1:6379' } = process.env
const redis = new Redis(REDIS_URL)
const score = await loadScorer()

async function work({ data: { path, first, count } }) {
  process.send?.(first)
  // The same range gives the same bytes at the same place, so a job that runs twice has run once.
  await redis.setrange(SCORES, first * SCORE, await score(path, first, count))
}

// A worker renews the lock of its job; one that is gone does not, and after two seconds another takes the job.
const limits = { lockDuration: 2000, stalledInterval: 1000, maxStalledCount: 10 }
const worker = new Worker(QUEUE, work, { connection: { url: REDIS_URL }, ...limits })
await worker.waitUntilReady()
process.send?.('ready')

process.once('SIGTERM', async () => {
  await worker.close() // finishes its job
  redis.disconnect()
})
