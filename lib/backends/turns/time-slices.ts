/** Long computations in slices of a few milliseconds, so that timers and sockets have their turn in between. */
import { now } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { nextTurn, turnsAreCallers } from '../../platform/timers.ts'

const sliceMs = 4
/** Bytes that a pass copies at a time: their pages may be new, which takes longer than the copying. */
export const copiedBytes = 2 ** 20
/** Where turns belong to callers, clocks may stand still meanwhile: a slice ends after so many pieces too. */
const mostPieces = turnsAreCallers ? 16 : Infinity

interface Task {
  readonly pass: Generator<void, unknown>
  readonly settle: (result: unknown) => void
  cancelled: boolean
  next: Task | undefined
}

// A list of links, in which no method of arrays can lose a task.
let first: Task | undefined
let last: Task | undefined

function append(task: Task): void {
  task.next = undefined
  if (last) last.next = task
  else first = task
  last = task
}

/** Runs a pass from the next turn of the event loop on, by turns with others; the function that comes back cancels it. */
export function runInSlices<R extends object>(
  pass: Generator<void, R>,
  settle: (result: R | Error) => void,
): () => void {
  const task: Task = { pass, settle: settle as (result: unknown) => void, cancelled: false, next: undefined }
  ensureStack()
  if (turnsAreCallers) {
    nextTurn(() => runOwn(task))
  } else {
    if (!first) nextTurn(runSlice)
    append(task)
  }
  return () => {
    task.cancelled = true
  }
}

/** One slice of the task that waits longest. */
function runSlice(): void {
  const task = first
  // The stack ended between the asking for this turn and the appending of its task.
  if (!task) return
  const result = task.cancelled ? undefined : slice(task)
  first = task.next
  if (!first) last = undefined
  if (!result && !task.cancelled) append(task)
  if (first) nextTurn(runSlice)
  if (result && !task.cancelled) task.settle(result)
}

/** One slice of a task in its caller's own turn: a caller that goes away takes nobody else's turns along. */
function runOwn(task: Task): void {
  if (task.cancelled) return
  const result = slice(task)
  if (task.cancelled) return
  if (result) task.settle(result)
  else nextTurn(() => runOwn(task))
}

function slice({ pass }: Task): unknown {
  const end = now() + sliceMs
  try {
    let pieces = 0
    do {
      const next = pass.next()
      if (next.done) return next.value
    } while (++pieces < mostPieces && now() < end)
  } catch (error) {
    return error as Error // arrays too large to allocate
  }
}
