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
const ofShapes: Terms = {
  ...ofFile,
  words: (what) => `what its shapes alone decide would take far more ${what} than the file has bytes for`,
}

/** Of one run of a whole model, all its values together; the bytes of its inputs and of its file pay for more. */
const ofRun: Terms = {
  free: { memory: 2 ** 31, work: 2 ** 36 },
  each: { memory: 2 ** 10, work: 2 ** 20 },
  words: (what) => `with it a run would take far more ${what} than inputs of these sizes and the file's own pay for`,
}

/** A bound that bytes pay for. Nothing is made before it was taken from here. */
export class Budget {
  #bytes = 0
  #memory: number
  #work: number
  readonly #terms: Terms

  constructor(bytes: number, terms = ofFile) {
    this.#terms = terms
    this.#memory = terms.free.memory
    this.#work = terms.free.work
    this.pay(bytes)
  }

  /** What may be computed to settle shapes, by the bytes of the file. */
  static ofShapes(bytes: number): Budget {
    return new Budget(bytes, ofShapes)
  }

  /** What the values of a run may take, by the bytes of its file and its inputs: 2 GiB in all, and 1 KiB for each byte. */
  static ofRun(bytes: number): Budget {
    return new Budget(bytes, ofRun)
  }

  /** Of a run whose values have been counted before. */
  static unbounded(): Budget {
    return new Budget(Infinity)
  }

  /** Bytes that pay for more. */
  pay(bytes: number): void {
    this.#bytes += bytes
    this.#memory += this.#terms.each.memory * bytes
    this.#work += this.#terms.each.work * bytes
  }

  /** The bytes that have paid. */
  get bytes(): number {
    return this.#bytes
  }

  /** All memory that the bytes of the files pay for. */
  get room(): number {
    return this.#terms.free.memory + this.#terms.each.memory * this.#bytes
  }

  /** Takes memory for a value, before it is allocated. */
  take(bytes: number, refuse: Refuse): void {
    this.#memory -= bytes + bytesOfValue
    if (!(this.#memory >= 0)) refuse(this.#terms.words('memory'))
  }

  /** Takes steps of work: values computed or moved, bytes looked at. */
  spend(steps: number, refuse: Refuse): void {
    this.#work -= steps
    if (!(this.#work >= 0)) refuse(this.#terms.words('work'))
  }

  /** All memory again, and the same work: for a part whose values are dropped when it is done. */
  refill(): void {
    this.#memory = this.room
  }
}

/** Throws the error of the place where it went wrong. */
export type Refuse = (what: string) => never
