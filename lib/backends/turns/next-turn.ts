/** The next turn of the event loop, as this runtime has one: the only thing of time slices that is Node's. */
import { setImmediate } from 'node:timers'

/** Calls it in the next turn; the process waits for it. */
export function inNextTurn(callback: () => void): void {
  setImmediate(callback)
}
