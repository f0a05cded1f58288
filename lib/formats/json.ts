/** A strict reader of small JSON texts that refuses duplicate keys, which JSON.parse takes in silence. */

import { describe } from '../errors.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

const deepest = 16
const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const wordToken = /true|false|null/y
const space = /[ \t\n\r]*/y

/**
 * Parses a JSON text. Objects have no prototype, so that no name can mean anything but itself.
 *
 * @throws SyntaxError with the place, for text that is no JSON, names a key twice, or nests too deep
 */
export function parseJson(text: string): Json {
  return new Reader(text).document()
}

/** Reads from left to right: `#at` is the character that comes next. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): Json {
    this.#token(space)
    const value = this.#value(0)
    this.#token(space)
    if (this.#at < this.#text.length) this.#wrong('the text goes on after its end')
    return value
  }

  #value(depth: number): Json {
    if (depth > deepest) this.#wrong('nesting is too deep')
    if (this.#skip('{')) return this.#object(depth + 1)
    if (this.#skip('[')) return this.#array(depth + 1)
    if (this.#text[this.#at] === '"') return this.#string()
    const word = this.#token(wordToken) ?? this.#token(numberToken) ?? this.#wrong('a value is expected')
    return JSON.parse(word) as Json
  }

  #object(depth: number): Json {
    const object: { [name: string]: Json } = Object.create(null)
    if (this.#skip('}')) return object
    do {
      const start = this.#at
      const name = this.#string()
      if (name in object) {
        this.#at = start
        this.#wrong(`the key ${describe(name)} stands twice`)
      }
      if (!this.#skip(':')) this.#wrong("':' is expected")
      object[name] = this.#value(depth)
    } while (this.#skip(','))
    if (!this.#skip('}')) this.#wrong("',' or '}' is expected")
    return object
  }

  #array(depth: number): Json {
    const array: Json[] = []
    if (this.#skip(']')) return array
    do array.push(this.#value(depth))
    while (this.#skip(','))
    if (!this.#skip(']')) this.#wrong("',' or ']' is expected")
    return array
  }

  #string(): string {
    const text = this.#text
    const start = this.#at
    if (text[start] !== '"') this.#wrong('a string is expected')
    let end = start + 1
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    if (end >= text.length) this.#wrong('a string has no end')
    const value = JSON.parse(text.slice(start, end + 1)) as string
    this.#at = end + 1
    return value
  }

  /** Moves past a mark and the space around it, where the mark comes next. */
  #skip(mark: string): boolean {
    this.#token(space)
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    this.#token(space)
    return true
  }

  /** Moves past what a sticky pattern matches here. */
  #token(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match) this.#at = pattern.lastIndex
    return match?.[0]
  }

  #wrong(what: string): never {
    throw new SyntaxError(`${what} at character ${this.#at}`)
  }
}
