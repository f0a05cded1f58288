/** The long runs of the voice server: so many calls for so many minutes, and the most calls whose p99 stays below what a frame lasts. */

import { fileURLToPath } from 'node:url'
import { figuresOf, run } from '../../examples/voice/load/run.mjs'

/** What a frame lasts, in milliseconds: the bar for p99. */
export const FRAME_MS = 32
/** Numbers of calls that are told apart. */
const STEP = 25
/** Long runs at the most calls, each with a tenth less than the one before, until one holds. */
const TRIES = 3

const program = fileURLToPath(new URL('server.mjs', import.meta.url))

async function attempt(calls, seconds) {
  const result = await run({ program, calls, seconds, env: { ENGINE: 'native-rnn' } })
  if (!result) return { calls, seconds, holds: false }
  const { latency, wrong, missing, codes, frames, events } = result
  if (wrong > 0 || missing > 0 || codes[1000] !== calls) {
    throw new Error(`${calls} calls: ${wrong} wrong, ${missing} missing, closed by ${JSON.stringify(codes)}`)
  }
  return { calls, seconds, figures: figuresOf(result), answers: frames + events, holds: latency[0.99] < FRAME_MS }
}

/** The most calls of which a short run holds: doubled until one does not, then halved between. */
async function mostInShort(seconds, say) {
  let [held, missed] = [0, Infinity]
  for (let calls = 4 * STEP; missed - held > STEP; ) {
    const result = await attempt(calls, seconds)
    say(result)
    if (result.holds) held = calls
    else missed = calls
    calls = missed === Infinity ? 2 * held : STEP * Math.round((held + missed) / 2 / STEP)
    if (calls <= held || calls >= missed) break
  }
  return held
}

/**
 * @param calls of the long run that is asked for; searchSeconds: of the short runs that look for the most
 * @param say hears of each run
 * @returns the run of `calls`, and those at the most calls: the last of them holds, or none does
 */
export async function longRuns({ calls, seconds, searchSeconds }, say) {
  const runs = []
  const long = async (count) => {
    runs.push(await attempt(count, seconds))
    say(runs.at(-1))
    return runs.at(-1).holds
  }
  let most = await mostInShort(searchSeconds, say)
  for (let n = 0; n < TRIES && most > 0 && !(await long(most)); n++) most = STEP * Math.floor((0.9 * most) / STEP)
  await long(calls)
  return runs
}
