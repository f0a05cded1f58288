/** The lanes that nothing was asked of lately, and the timer that comes for them. Knows no streams. */
import { max } from '../../intrinsics/captured.ts'
import { clearTimeout, startQuietTimer, type Timer } from '../../platform/timers.ts'
import { clock } from './clock.ts'
import { LaneList } from './lane-list.ts'
import type { BatchTypes } from './memory.ts'
import type { ListedLane } from './weights.ts'

/** So many go in one turn of the event loop: each costs a hash of its state. */
const mostAtOnce = 64

export class IdleLanes<K extends BatchTypes> extends LaneList<ListedLane<K>> {
  readonly #idleMs: number
  readonly #evict: (lane: ListedLane<K>) => void
  #timer: Timer | undefined
  #stopped = false

  /** @param evict takes a lane out of this list that has been in it for `idleMs`; does not throw */
  constructor(idleMs: number, evict: (lane: ListedLane<K>) => void) {
    super()
    this.#idleMs = idleMs
    this.#evict = evict
  }

  override add(lane: ListedLane<K>, now: number): void {
    super.add(lane, now)
    if (!this.#timer && !this.#stopped) this.#wait(this.#idleMs)
  }

  /** From now on nobody is evicted. */
  stop(): void {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** One timer, for the lane that has been idle longest when it was set: lanes come and go far more often than it ends. */
  #wait(ms: number): void {
    this.#timer = startQuietTimer(() => this.#look(), max(1, ms))
  }

  #look(): void {
    this.#timer = undefined
    const now = clock()
    for (let n = 0; this.first && n < mostAtOnce && this.first.since + this.#idleMs <= now; n++) this.#evict(this.first)
    if (this.first && !this.#stopped) this.#wait(this.first.since + this.#idleMs - now)
  }
}
