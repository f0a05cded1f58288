/** Timers and turns of Node's event loop. */
import { clearTimeout, setImmediate as nextTurn, setTimeout } from 'node:timers'

export { clearTimeout, nextTurn }

export type Timer = NodeJS.Timeout

/** Whether a turn ends with the request that asked for it, so that nobody may wait for another one's. */
export const turnsAreCallers = false as boolean

/** Calls back after so many milliseconds; the process waits for it. */
export function startTimer(callback: () => void, ms: number): Timer {
  return setTimeout(callback, ms)
}

/** The same, and no process waits for it. */
export function startQuietTimer(callback: () => void, ms: number): Timer {
  return setTimeout(callback, ms).unref()
}
