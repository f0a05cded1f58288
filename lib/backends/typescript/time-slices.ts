/** Long computations in slices of a few milliseconds, so that timers and sockets have their turn in between. */
import type { ForwardResult, Settle } from '../interface.ts'

const sliceMs = 4

interface Task {
  readonly pass: Generator<void, ForwardResult>
  readonly settle: Settle
  calledOff: boolean
}

const tasks: Task[] = []

/** Runs a pass from the next turn on, in turn with others; the function that comes back calls it off. */
export function runInSlices(pass: Generator<void, ForwardResult>, settle: Settle): () => void {
  const task: Task = { pass, settle, calledOff: false }
  if (tasks.push(task) === 1) setImmediate(runSlice)
  return () => {
    task.calledOff = true
  }
}

/** One slice of the task that waits longest. */
function runSlice(): void {
  const task = tasks[0]
  const result = task.calledOff ? undefined : slice(task)
  tasks.shift()
  if (!result && !task.calledOff) tasks.push(task)
  if (tasks.length > 0) setImmediate(runSlice)
  if (result && !task.calledOff) task.settle(result)
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
