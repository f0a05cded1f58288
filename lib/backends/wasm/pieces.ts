/** A forward call beside this thread's other work: in pieces, by turns of the event loop. */
import { type Layout, writeHeader } from '../packing.ts'
import { runInSlices } from '../turns/time-slices.ts'
import type { WasmInstance } from './instance.ts'
import { Owned, Use } from './owned.ts'

/**
 * Runs a call whose inputs lie in its memory, from the next turn of the event loop on. `take` makes the result of what then lies there, in
 * steps; what it throws the call ends with. The function that comes back cancels the call. The memory is freed where the call is
 * cancelled, else by `ended`.
 */
export function runPieces<R extends object>(
  network: Owned,
  memory: Use,
  layout: Layout,
  take: () => Generator<void, R>,
  ended: (result: R | Error) => void,
): () => void {
  const { instance } = network
  const { exports } = instance
  writeHeader(instance.ints, instance.header >>> 2, layout)
  const make = () => exports.piecesNew(network.address, memory.owned.address, layout.floats)
  const owned = new Owned(instance, make, exports.piecesFree, network)
  const cancel = runUsing(new Use(owned), pass(instance, owned.address, take), ended)
  return () => {
    cancel()
    memory.end()
  }
}

/** Runs a pass from the next turn of the event loop on. The use of what it needs ends with it, or where it is cancelled, or cannot begin. */
export function runUsing<R extends object>(
  use: Use,
  pass: Generator<void, R>,
  ended: (result: R | Error) => void,
): () => void {
  try {
    const stop = runInSlices(pass, (result) => {
      use.end()
      ended(result)
    })
    return () => {
      stop()
      use.end()
    }
  } catch (error) {
    use.end()
    throw error
  }
}

/** Nothing of it runs once the call is cancelled. */
function* pass<R>(instance: WasmInstance, pieces: number, take: () => Generator<void, R>): Generator<void, R> {
  const { exports } = instance
  const advance = (): boolean => {
    instance.ensureRoom()
    return instance.guarded(() => exports.piecesAdvance(pieces)) !== 0
  }
  instance.ensureRoom()
  instance.guarded(() => exports.piecesStart(pieces))
  do yield
  while (advance())
  return yield* take()
}
