/** Scores a file of 100,000 digits with 1, 2 and 4 workers, then with one after another of them killed, and compares every byte. */

import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { backendInfo } from 'native-rnn'
import { loadScorer, SCORE, writeDigits } from './digits.mjs'
import { scoreFile } from './fleet.mjs'
import { startRedis } from './redis.mjs'

const thousands = Number(process.argv[2] ?? 100)
const records = thousands * 1000
const folder = mkdtempSync(join(tmpdir(), 'native-rnn-fleet-'))
const path = join(folder, 'digits.bin')
const redis = await startRedis()
try {
  await writeDigits(path, thousands)
  const score = await loadScorer()
  const expected = Buffer.alloc(records * SCORE)
  const began = performance.now()
  for (let first = 0; first < records; first += 1000) (await score(path, first, 1000)).copy(expected, first * SCORE)
  const alone = (performance.now() - began) / 1000
  console.log(
    `Backend ${backendInfo().name}, ${availableParallelism()} cores, ${records.toLocaleString('en-US')} digits`,
  )
  const say = (who, seconds, rest = '') =>
    console.log(`${who.padEnd(24)} ${Math.round(records / seconds).toLocaleString('en-US')} digits/s${rest}`)
  say('one process, no queue', alone)

  const fleets = [{ workers: 1 }, { workers: 2 }, { workers: 4 }, { workers: 2, kill: 5 }]
  for (const { workers, kill } of fleets) {
    const { scores, seconds, repeated } = await scoreFile(redis.url, path, { records, workers, kill })
    if (!expected.equals(scores)) throw new Error('the scores differ')
    const name = `${workers} worker${workers > 1 ? 's' : ''}${kill ? `, ${kill} killed` : ''}`
    say(name, seconds, `, ${repeated} jobs begun again; every byte as expected`)
  }
} finally {
  await redis.stop()
  rmSync(folder, { recursive: true })
}
