/** What pages and edge runtimes have in place of Node's process: no variables, the console for warnings, turns of promises. */

export function variable(_name: string): string | undefined {
  return undefined
}

export function warn(message: string, _code: string): void {
  try {
    console.warn(message)
  } catch {
    // Nobody is there to be warned.
  }
}

const { queueMicrotask: queued, setTimeout: later, SharedArrayBuffer: Shared } = globalThis
const resolved = Promise.resolve()
const { then } = resolved

export const microtask: (task: () => void) => void = (task) => {
  if (queued) queued(task)
  // What a task throws is its caller's, and reported as what nobody caught.
  else then.call(resolved, task).catch((error) => later(raise, 0, error))
}

/** After the promises that are settled by now have been told: what they start still belongs to this turn. */
export function nextTick<T extends unknown[]>(run: (...values: T) => void, ...values: T): void {
  microtask(() => run(...values))
}

function raise(error: unknown): never {
  throw error
}

export const loadsAddons = false as boolean

/** One: nothing here starts threads. */
export function processors(): number {
  return 1
}

export const sharesMemory: boolean = typeof Shared === 'function'

export const sharingHint = ': a page has it when it is cross-origin isolated'
