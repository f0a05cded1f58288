/** The fleet seen from above: ranges of a file become jobs, workers come and go, and in the end every score is there. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Queue, QueueEvents } from 'bullmq'
import { Redis } from 'ioredis'

export const QUEUE = 'digits'
/** The key of all scores: those of record n are at byte n · SCORE. */
export const SCORES = 'digits:scores'

/** Cuts a file into jobs. A range's name is its job's, so who enqueues a file twice changes nothing. */
export function enqueue(queue, path, records, perJob) {
  const jobs = []
  for (let first = 0; first < records; first += perJob) {
    const data = { path, first, count: Math.min(perJob, records - first) }
    jobs.push({ name: 'score', data, opts: { jobId: `range-${first}-${data.count}` } })
  }
  return queue.addBulk(jobs)
}

/** Starts a worker; `onJob` hears of each range that it begins. */
export async function startWorker(url, onJob = () => {}) {
  const worker = fork(fileURLToPath(new URL('worker.mjs', import.meta.url)), {
    env: { ...process.env, REDIS_URL: url },
  })
  const ended = once(worker, 'close')
  await once(worker, 'message')
  worker.on('message', onJob)
  const stop = (signal = 'SIGTERM') => {
    worker.kill(signal)
    return ended
  }
  return { stop }
}

/**
 * Scores a whole file with a number of workers.
 *
 * @param kill how many workers die in the middle of a job, one after the other; each is replaced
 * @returns scores: bytes; seconds; repeated: how many jobs a second worker had to begin again
 */
export async function scoreFile(url, path, { records, perJob = 1000, workers, kill = 0 }) {
  const redis = new Redis(url)
  const queue = new Queue(QUEUE, { connection: { url } })
  const events = new QueueEvents(QUEUE, { connection: { url } })
  await events.waitUntilReady()
  let repeated = 0
  events.on('stalled', () => repeated++)

  let toKill = kill
  const fleet = new Set()
  async function hire() {
    const worker = await startWorker(url, () => {
      if (toKill === 0 || !fleet.delete(worker)) return
      toKill--
      worker.stop('SIGKILL')
      hired.push(hire())
    })
    fleet.add(worker)
  }
  const hired = Array.from({ length: workers }, hire)
  await Promise.all(hired)

  const began = performance.now()
  const jobs = await enqueue(queue, path, records, perJob)
  await allCompleted(events, jobs.length)
  const seconds = (performance.now() - began) / 1000

  await Promise.all(hired)
  await Promise.all(Array.from(fleet, ({ stop }) => stop()))
  const scores = await redis.getBuffer(SCORES)
  await events.close()
  await queue.obliterate({ force: true })
  await queue.close()
  await redis.del(SCORES)
  await redis.quit()
  return { scores, seconds, repeated }
}

function allCompleted(events, count) {
  const completed = new Set()
  return new Promise((resolve, reject) => {
    events.on('failed', ({ jobId, failedReason }) => reject(new Error(`${jobId}: ${failedReason}`)))
    events.on('completed', ({ jobId }) => completed.add(jobId).size === count && resolve())
  })
}
