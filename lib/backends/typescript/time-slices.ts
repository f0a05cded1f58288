/** Long computations in slices of a few milliseconds, so that timers and sockets have their turn in between. */
import type { ForwardResult, Settle } from '../interface.ts'

const sliceMs = 4

interface Task {
  readonly pass: Generator<void, ForwardResult>
  readonly settle: Settle
  cancelled: boolean
}

const tasks: Task[] = []

/** Runs a pass from the next turn of the event loop on, by turns with others; the function that comes back cancels it. */
export function runInSlices(pass: Generator<void, ForwardResult>, settle: Settle): () => void {
  const task: Task = { pass, settle, cancelled: false }
  if (tasks.push(task) === 1) setImmediate(runSlice)
  return () => {
    task.cancelled = true
  }
}

/** One slice of the task that waits longest. */
function runSlice(): void {
  const task = tasks[0]
  const result = task.cancelled ? undefined : slice(task)
  tasks.shift()
  if (!result && !task.cancelled) tasks.push(task)
  if (tasks.length > 0) setImmediate(runSlice)
  if (result && !task.cancelled) task.settle(result)
}

function slice({ pass }: Task): ForwardResult | Error | undefined {
  const end = performance.now() + sliceMs
  try {
    do {
      const next = pass.next()
      if (next.done) return next.value
    } while (performance.now() < end)
  } catch (error) {
    return error as Error // arrays too large to allocate
  }
}
