/** Reads protobuf's wire format out of bytes that nobody has checked; knows bounds and bytes, no message by name. */

import { fail } from '../../errors.ts'
import { decodeUtf8 } from '../../runtime.ts'

/** Varints, eight bytes, a length and its bytes, four bytes. Groups (3 and 4) are gone from protobuf and refused. */
export type Wire = 0 | 1 | 2 | 5

const wireNames = { 0: 'varint', 1: '64-bit', 2: 'length-delimited', 5: '32-bit' } as const

/** One field of a message: `start` … `end` is what it carries, `at` the byte where it begins. */
export interface Field {
  readonly id: number
  readonly wire: Wire
  readonly at: number
  readonly start: number
  readonly end: number
}

/** A stretch of the file's bytes that is read as fields; its places are counted from the file's first byte. */
export class Message {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly #what: string
  readonly #number: number
  /** Where the varint that was read last ends. */
  #after = 0

  /** `what` and `number` are what this is in the file, for errors: `node` and `3`. */
  constructor(bytes: Uint8Array, start: number, end: number, what: string, number = -1) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.#what = what
    this.#number = number
  }

  get name(): string {
    return this.#number < 0 ? this.#what : `${this.#what} ${this.#number}`
  }

  /** Throws the error of a file that is damaged or not supported. */
  fail(what: string, at: number): never {
    return fail('ERR_RNN_MODEL_FILE', `The ONNX file cannot be read: ${this.name}: ${what}, at byte ${at}`)
  }

  /** The fields in the order of the file; each lies within the message, so no payload can reach past its end. */
  fields(): Fields {
    return new Fields(this)
  }

  /** Reads the field that begins at a byte. */
  field(at: number, into: { -readonly [K in keyof Field]: Field[K] }): void {
    const tag = this.#varint(at)
    const id = Math.floor(tag / 8)
    if (id < 1 || id > 0x1fffffff) this.fail(`a field numbered ${id}, which protobuf does not have`, at)
    const wire = tag % 8
    let start = this.#after
    let length = 0
    if (wire === 0) {
      this.#varint(start)
      length = this.#after - start
    } else if (wire === 1) length = 8
    else if (wire === 2) {
      length = this.#varint(start)
      start = this.#after
    } else if (wire === 5) length = 4
    else this.fail(`field ${id} has wire type ${wire}, which is none of 0, 1, 2 and 5`, at)
    if (length < 0 || length > this.end - start) {
      this.fail(`field ${id} claims ${length} bytes where ${this.end - start} are left`, at)
    }
    into.id = id
    into.wire = wire as Wire
    into.at = at
    into.start = start
    into.end = start + length
  }

  /** A signed 64-bit varint as a number: exact within ±2^53, beyond that only near. */
  #varint(at: number): number {
    let low = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      if (at + i >= this.end) this.fail('a varint is cut off', at)
      const byte = this.bytes[at + i]
      const bits = byte & 0x7f
      if (i < 4) low += bits * 2 ** (7 * i)
      else if (i === 4) {
        low += (bits & 15) * 2 ** 28
        high = bits >> 4
      } else if (i < 9 || byte < 2) high += bits * 2 ** (7 * i - 32)
      else break
      if (byte < 0x80) {
        this.#after = at + i + 1
        return (high > 0x7fffffff ? high - 2 ** 32 : high) * 2 ** 32 + low
      }
    }
    this.fail('a varint is longer than 64 bits', at)
  }

  /** The same, as a bigint where a number is not exact. */
  #exact(at: number): number | bigint {
    const near = this.#varint(at)
    if (Number.isSafeInteger(near)) return near
    let value = 0n
    for (let i = at; i < this.#after; i++) value |= BigInt(this.bytes[i] & 0x7f) << BigInt(7 * (i - at))
    return BigInt.asIntN(64, value)
  }

  #expect(field: Field, wire: Wire, what: string): void {
    if (field.wire !== wire) {
      this.fail(`${what} is stored as ${wireNames[field.wire]} where ${wireNames[wire]} belongs`, field.at)
    }
  }

  /** The message within a field. */
  message(field: Field, what: string, number?: number): Message {
    this.#expect(field, 2, what)
    return new Message(this.bytes, field.start, field.end, what, number)
  }

  /** An integer that a number holds exactly. */
  integer(field: Field, what: string): number {
    this.#expect(field, 0, what)
    const value = this.#varint(field.start)
    if (!Number.isSafeInteger(value)) this.fail(`${what} is beyond 2^53`, field.at)
    return value
  }

  /** Any 64-bit integer; one beyond 2^53 as a bigint. */
  anyInteger(field: Field, what: string): number | bigint {
    this.#expect(field, 0, what)
    return this.#exact(field.start)
  }

  /** UTF-8 text. */
  text(field: Field, what: string): string {
    this.#expect(field, 2, what)
    // A copy: a decoder takes no bytes of a SharedArrayBuffer.
    return decodeUtf8(this.bytes.slice(field.start, field.end), () => this.fail(`${what} is not UTF-8`, field.at))
  }

  /** The field of a number that counts, where it is no list: the last one. */
  last(id: number): Field | undefined {
    let found: Field | undefined
    for (const field = this.fields(); field.next(); ) if (field.id === id) found = { ...field }
    return found
  }

  /** The messages in the fields of a number, each with its own where they are counted. */
  *messages(id: number, what: string, areCounted = false): Generator<Message> {
    let number = 0
    for (const field = this.fields(); field.next(); ) {
      if (field.id === id) yield this.message(field, what, areCounted ? number++ : undefined)
    }
  }

  /** The text of such a field; empty where there is none. */
  textOf(id: number, what: string): string {
    const field = this.last(id)
    return field === undefined ? '' : this.text(field, what)
  }

  /** The integer in such a field; 0 where there is none. */
  integerOf(id: number, what: string): number {
    const field = this.last(id)
    return field === undefined ? 0 : this.integer(field, what)
  }

  /** The message in such a field. */
  messageOf(id: number, what: string): Message | undefined {
    const field = this.last(id)
    return field && this.message(field, what)
  }

  /** The integers of one repeated field, packed or single, each shown to `visit`. */
  integers(field: Field, what: string, visit: (value: number | bigint) => void): void {
    if (field.wire === 0) {
      visit(this.#exact(field.start))
      return
    }
    this.#expect(field, 2, what)
    const packed = new Message(this.bytes, field.start, field.end, `${this.name}: ${what}`)
    for (let at = packed.start; at < packed.end; at = packed.#after) visit(packed.#exact(at))
  }

  /** Throws where a field is not values of `size` bytes each: bytes in a row, or a single value with a wire type of its own. */
  checkFixed(field: Field, what: string, size: number, single: boolean): void {
    const isSingle = single && field.wire === (size === 8 ? 1 : 5)
    if (!isSingle) this.#expect(field, 2, what)
    if ((field.end - field.start) % size !== 0) this.fail(`${what} ends within a value`, field.at)
  }
}

/** Goes from field to field; it is the field that it stands on, and makes nothing on its way. */
export class Fields implements Field {
  id = 0
  wire: Wire = 0
  at: number
  start = 0
  end: number
  readonly #message: Message

  constructor(message: Message) {
    this.#message = message
    this.at = this.end = message.start
  }

  /** Whether there is another field; then it stands on it. */
  next(): boolean {
    if (this.end >= this.#message.end) return false
    this.#message.field(this.end, this)
    return true
  }
}
