/** A forward call beside this thread's other work: in pieces, by turns of the event loop. */
import { runInSlices } from '../turns/time-slices.ts'
import { describe, type Layout } from './call.ts'
import { outOfMemory, type WasmInstance } from './instance.ts'
import { Owned, Use } from './owned.ts'

/** A call's memory, which holds its arrays. */
export class CallMemory {
  readonly instance: WasmInstance
  readonly address: number
  readonly #use: Use

  constructor(instance: WasmInstance, floats: number) {
    this.instance = instance
    this.address = instance.allocate(floats)
    this.#use = new Use(new Owned(instance, this.address, instance.exports.release))
  }

  get isGone(): boolean {
    return this.#use.hasEnded
  }

  free(): void {
    this.#use.end()
  }
}

/**
 * Runs a call whose inputs lie in its memory, from the next turn of the event loop on. `take` makes the result of what then lies there;
 * what it throws the call ends with. The function that comes back cancels it. The memory is freed where the call is cancelled, else by
 * `ended`.
 */
export function runPieces<R extends object>(
  network: Owned,
  memory: CallMemory,
  layout: Layout,
  take: () => R,
  ended: (result: R | Error) => void,
): () => void {
  const { instance } = network
  const { exports } = instance
  describe(instance, layout)
  const address = instance.guarded(() => exports.piecesNew(network.address, memory.address, layout.floats))
  if (address === 0) throw outOfMemory()
  const pieces = new Use(new Owned(instance, address, exports.piecesFree, network))
  const cancel = (): void => {
    pieces.end()
    memory.free()
  }
  try {
    const stop = runInSlices(advance(instance, pieces), (result) => {
      if (pieces.hasEnded) return
      pieces.end()
      ended(result instanceof Error ? result : orError(take))
    })
    return () => {
      stop()
      cancel()
    }
  } catch (error) {
    cancel()
    throw error
  }
}

const done: object = {}

function* advance(instance: WasmInstance, pieces: Use): Generator<void, object> {
  const { exports } = instance
  instance.ensureRoom()
  instance.guarded(() => exports.piecesStart(pieces.owned.address))
  for (;;) {
    yield
    if (pieces.hasEnded) return done
    instance.ensureRoom()
    if (!instance.guarded(() => exports.piecesAdvance(pieces.owned.address))) return done
  }
}

/** Where results are made there is no caller to throw at: what has no memory, or nowhere to go, ends its own call. */
function orError<R>(make: () => R): R | Error {
  try {
    return make()
  } catch (error) {
    return error as Error
  }
}
