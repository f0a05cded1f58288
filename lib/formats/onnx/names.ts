/** A table of names that stay in the file's bytes, in arrays of numbers: a file of a million names takes 24 bytes for each. */

import type { Budget, Refuse } from '../../graph/budget.ts'

/** What a name stands for: which field, of which kind, and its number there. */
export interface NamedPlace {
  readonly at: number
  readonly kind: number
  readonly number: number
}

const fieldsOfEntry = 5 // where the name begins and ends, the field's byte, number · 8 + kind, the next entry of the bucket

// Names that fall into one bucket cost a look each. The seed keeps a file from being made of such names; the work is counted all the same.
const seed = Math.floor(Math.random() * 2 ** 32)

export class NameTable {
  readonly #bytes: Uint8Array
  readonly #refuse: Refuse
  readonly #entries: Int32Array
  readonly #buckets: Int32Array
  #used = 0

  /** Of as many names as will be added, for nothing grows later. */
  constructor(bytes: Uint8Array, names: number, refuse: Refuse) {
    this.#bytes = bytes
    this.#refuse = refuse
    this.#entries = new Int32Array(names * fieldsOfEntry)
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(names + 1)))
  }

  /**
   * Adds a name of the file. A place that already has the name is given to `settle`, which says what stands there from now on.
   */
  add(start: number, end: number, place: NamedPlace, budget: Budget, settle: (known: NamedPlace) => NamedPlace): void {
    const bucket = this.#bucket(this.#bytes, start, end)
    const known = this.#find(bucket, this.#bytes, start, end, budget)
    if (known >= 0) {
      this.#put(known, settle(this.#place(known)))
      return
    }
    const entry = this.#used
    this.#used += fieldsOfEntry
    this.#entries[entry] = start
    this.#entries[entry + 1] = end
    this.#entries[entry + 4] = this.#buckets[bucket]
    this.#put(entry, place)
    this.#buckets[bucket] = entry + 1
  }

  #put(entry: number, place: NamedPlace): void {
    this.#entries[entry + 2] = place.at
    this.#entries[entry + 3] = place.number * 8 + place.kind
  }

  find(name: Uint8Array, budget: Budget): NamedPlace | undefined {
    const bucket = this.#bucket(name, 0, name.length)
    const known = this.#find(bucket, name, 0, name.length, budget)
    return known < 0 ? undefined : this.#place(known)
  }

  #place(entry: number): NamedPlace {
    const packed = this.#entries[entry + 3]
    return { at: this.#entries[entry + 2] >>> 0, kind: packed & 7, number: packed >>> 3 }
  }

  #find(bucket: number, bytes: Uint8Array, start: number, end: number, budget: Budget): number {
    for (let next = this.#buckets[bucket]; next > 0; next = this.#entries[next + 3]) {
      const entry = next - 1
      const length = end - start
      budget.spend(1 + length / 16, this.#refuse)
      const from = this.#entries[entry] >>> 0
      if ((this.#entries[entry + 1] >>> 0) - from !== length) continue
      let same = 0
      while (same < length && this.#bytes[from + same] === bytes[start + same]) same++
      if (same === length) return entry
    }
    return -1
  }

  #bucket(bytes: Uint8Array, start: number, end: number): number {
    let hash = seed
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x9e3779b1) ^ (hash >>> 15)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) & (this.#buckets.length - 1)
  }
}
