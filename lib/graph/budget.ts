/** How much memory and work the values of a graph may take; it alone counts them, and knows the words that refuse more. */

/** What each value costs beside its data: objects, an array's head, its place in a table. */
export const bytesOfValue = 512

/** What may be taken for nothing, what each byte pays for, and the words for more than that. A million steps of work are about a hundredth of a second. */
interface Terms {
  readonly free: { readonly memory: number; readonly work: number }
  readonly each: { readonly memory: number; readonly work: number }
  readonly words: (what: string) => string
}

/** Of values that are computed when a file is read. */
const ofFile: Terms = {
  free: { memory: 2 ** 26, work: 2 ** 26 },
  each: { memory: 16, work: 64 },
  words: (what) => `its constants would take far more ${what} than the file has bytes for`,
}

/** Of values that are computed when shapes are known. */
export const ofShapes: Terms = {
  ...ofFile,
  words: (what) => `what its shapes alone decide would take far more ${what} than the file has bytes for`,
}

/** Of one run of a whole model, all its values together; the bytes of its inputs and of its file pay for more: 2 GiB in all, and 1 KiB for each byte. */
export const ofRun: Terms = {
  free: { memory: 2 ** 31, work: 2 ** 36 },
  each: { memory: 2 ** 10, work: 2 ** 20 },
  words: (what) => `with it a run would take far more ${what} than inputs of these sizes and the file's own pay for`,
}

/** A bound that bytes pay for. Nothing is made before it was taken from here. */
export class Budget {
  /** The bytes that pay. */
  bytes: number
  readonly #terms: Terms
  #memory = 0
  #work = 0

  constructor(bytes: number, terms = ofFile) {
    this.bytes = bytes
    this.#terms = terms
  }

  /** All memory that the bytes of the files pay for. */
  get room(): number {
    return this.#paid('memory')
  }

  #paid(what: 'memory' | 'work'): number {
    return this.#terms.free[what] + this.#terms.each[what] * this.bytes
  }

  /** Takes memory for a value, before it is allocated. */
  take(bytes: number, refuse: Refuse): void {
    this.#memory += bytes + bytesOfValue
    if (!(this.#memory <= this.room)) refuse(this.#terms.words('memory'))
  }

  /** Takes steps of work: values computed or moved, bytes looked at. */
  spend(steps: number, refuse: Refuse): void {
    this.#work += steps
    if (!(this.#work <= this.#paid('work'))) refuse(this.#terms.words('work'))
  }

  /** All memory again, and the same work: for a part whose values are dropped when it is done. */
  refill(): void {
    this.#memory = 0
  }
}

/** Of values that have been counted before. */
export const unlimited = new Budget(Infinity)

/** Throws the error of the place where it went wrong. */
export type Refuse = (what: string) => never
