/** A forward call beside this thread's other work: in pieces, by turns of the event loop. */
import { runInSlices } from '../turns/time-slices.ts'
import { describe, type Layout } from './call.ts'
import type { WasmInstance } from './instance.ts'
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
 * Runs a call whose inputs lie in its memory, from the next turn of the event loop on. `take` makes the result of what then lies there, in
 * steps; what it throws the call ends with. The function that comes back cancels the call. The memory is freed where the call is
 * cancelled, else by `ended`.
 */
export function runPieces<R extends object>(
  network: Owned,
  memory: CallMemory,
  layout: Layout,
  take: () => Generator<void, R>,
  ended: (result: R | Error) => void,
): () => void {
  const { instance } = network
  const { exports } = instance
  describe(instance, layout)
  const make = () => exports.piecesNew(network.address, memory.address, layout.floats)
  const owned = Owned.of(instance, make, exports.piecesFree, network)
  const { address } = owned
  const pieces = new Use(owned)
  const cancel = (): void => {
    pieces.end()
    memory.free()
  }
  try {
    const stop = runInSlices(pass(instance, address, take), (result) => {
      pieces.end()
      ended(result)
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
  for (const taking = take(); ; ) {
    const next = taking.next()
    if (next.done) return next.value
    yield
  }
}
