/** Timers and turns of the event loop in pages and edge runtimes. */
import { microtask } from './process.ts'

interface Port {
  // Of Node, where a port that listens holds the process: as long as somebody waits.
  ref?: () => void
  unref?: () => void
  onmessage: () => void
  postMessage(message: unknown): void
}

const {
  setTimeout,
  clearTimeout: clear,
  MessageChannel: Channel,
  navigator,
} = globalThis as unknown as {
  setTimeout: (callback: () => void, ms: number) => number
  clearTimeout: (timer: number) => void
  MessageChannel?: new () => { port1: Port; port2: Port }
  navigator?: { userAgent?: string }
}

export type Timer = number

export function startTimer(callback: () => void, ms: number): Timer {
  return setTimeout(callback, ms)
}

export { startTimer as startQuietTimer }

export function clearTimeout(timer: Timer): void {
  clear(timer)
}

/** Messages are turns of their own, and pages hold back timers that follow each other. In workerd each request has its own turns. */
const isWorkerd = navigator?.userAgent === 'Cloudflare-Workers'
let byMessages = typeof Channel === 'function' && !isWorkerd

/** Whether a turn ends with the request that asked for it, so that nobody may wait for another one's. */
export const turnsAreCallers: boolean = isWorkerd

/** Tasks whose turn was asked for: linked, so that no method of arrays can lose one. */
interface Task {
  readonly run: () => void
  next: Task | undefined
}
let first: Task | undefined
let last: Task | undefined
let ports: { port1: Port; port2: Port } | undefined

/** Calls back in a turn of its own, in the order of asking. */
export function nextTurn(run: () => void): void {
  if (byMessages) ports ??= open()
  if (!ports) {
    // An audio worklet has neither: what is left is the turn of promises.
    if (setTimeout as unknown) startTimer(run, 0)
    else microtask(run)
    return
  }
  const task: Task = { run, next: undefined }
  ports.port2.postMessage(0)
  ports.port1.ref?.()
  if (last) last.next = task
  else first = task
  last = task
}

function open(): { port1: Port; port2: Port } | undefined {
  const opened = newChannel()
  if (!opened) return undefined
  const { port1 } = opened
  port1.onmessage = () => {
    const task = first!
    first = task.next
    if (!first) {
      last = undefined
      port1.unref?.()
    }
    task.run()
  }
  return opened
}

/** Next.js's edge runtime has a MessageChannel that does nothing but throw. */
function newChannel(): { port1: Port; port2: Port } | undefined {
  try {
    return new Channel!()
  } catch {
    byMessages = false
    return undefined
  }
}
