/** Numbers of slots: which are taken and which are free. */
import { max, min, newInts } from '../../intrinsics/captured.ts'

/** Numbers from 0 up, each taken by one at a time. Those that are free lie in integers, which no script can put others among. */
export class Slots {
  count = 0
  #free = newInts(0)
  #left = 0
  readonly #most: number
  readonly #reserve: (count: number) => void

  /** @param reserve makes room for so many slots, at most `most`, or throws */
  constructor(most: number, reserve: (count: number) => void) {
    this.#most = most
    this.#reserve = reserve
  }

  take(): number {
    if (this.#left === 0) this.#grow(min(this.#most, max(16, 2 * this.count)))
    return this.#free[--this.#left]
  }

  give(slot: number): void {
    this.#free[this.#left++] = slot
  }

  /** Only where none is free. */
  #grow(count: number): void {
    // Else a slot that is no number would be read as slot 0: another one's values.
    if (count === this.count) throw new Error('native-rnn: no slot is free')
    this.#reserve(count)
    this.#free = newInts(count)
    for (let slot = count - 1; slot >= this.count; slot--) this.give(slot)
    this.count = count
  }
}
