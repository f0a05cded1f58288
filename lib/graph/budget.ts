/** How much memory and work values of a graph may take; it alone counts them, and knows the words that refuse more. */

/** What each value costs beside its data: objects, an array's head, its place in a table. */
export const bytesOfValue = 512

/** What any file may take, and what each of its bytes pays for. A million steps of work are about a hundredth of a second. */
const free = { memory: 2 ** 26, work: 2 ** 26 }
const each = { memory: 16, work: 64 }

/** A bound that a file's own size pays for. Nothing is made before it was taken from here. */
export class Budget {
  #bytes = 0
  #memory = free.memory
  #work = free.work

  constructor(bytes: number) {
    this.pay(bytes)
  }

  /** Bytes of a file that pay for more. */
  pay(bytes: number): void {
    this.#bytes += bytes
    this.#memory += each.memory * bytes
    this.#work += each.work * bytes
  }

  /** All memory that the bytes of the files pay for. */
  get room(): number {
    return free.memory + each.memory * this.#bytes
  }

  /** Takes memory for a value, before it is allocated. */
  take(bytes: number, refuse: Refuse): void {
    this.#memory -= bytes + bytesOfValue
    if (!(this.#memory >= 0)) refuse('its constants would take far more memory than the file has bytes for')
  }

  /** Takes steps of work: values computed or moved, bytes looked at. */
  spend(steps: number, refuse: Refuse): void {
    this.#work -= steps
    if (!(this.#work >= 0)) refuse('its constants would take far more work than the file has bytes for')
  }

  /** All memory again, and the same work: for a part whose values are dropped when it is done. */
  refill(): void {
    this.#memory = this.room
  }
}

/** Throws the error of the place where it went wrong. */
export type Refuse = (what: string) => never
