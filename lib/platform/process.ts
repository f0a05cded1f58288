/** What Node's process gives: environment variables, warnings, turns that come before all timers. */
import { availableParallelism } from 'node:os'
import { process } from './node.ts'

/** An environment variable; empty or undefined where it is not set, or the runtime does not let it be read. */
export function variable(name: string): string | undefined {
  try {
    return process.env[name]
  } catch {
    return undefined
  }
}

/** Warns whoever runs the program, in a way that it can listen to. */
export function warn(message: string, code: string): void {
  process.emitWarning(message, { type: 'NativeRNNWarning', code })
}

/** Calls a function at the end of this turn of JavaScript, in the order of asking. What it throws is an uncaught exception. */
export const { nextTick } = process

/** The same with promises' own turns, where the runtime has a name for it. */
export const microtask: (task: () => void) => void = globalThis.queueMicrotask ?? process.nextTick

/** Whether addons are looked for. */
export const loadsAddons = true as boolean

/** How many threads run beside each other. */
export const processors: () => number = availableParallelism

/** Whether the memory that threads share goes to other threads by postMessage. */
export const sharesMemory = true as boolean

/** What a runtime without it may do about it. */
export const sharingHint: string = ''
