/**
 * The header of a safetensors file, read from its bytes straight into the one form that it may have: types, shapes and places by name.
 * Whatever else stands there is refused where it begins, so that no header takes more memory than its tensors are worth.
 */

import { describe, fail, list } from '../errors.ts'
import { decodeUtf8 } from '../runtime.ts'
import { elements } from '../tensor/shape.ts'
import { dtypes, knownDtypes } from './safetensors-types.ts'

/** The key that is no tensor. */
export const metadataKey = '__metadata__'
/** The longest header that is taken: room for more than 100,000 tensors. */
export const mostHeaderBytes = 16 * 2 ** 20
const mostAxes = 32

/** Where a tensor lies, and what it is; begin and end count from the end of the header. */
export interface HeaderEntry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** Raises what is wrong with a file. */
export function damaged(what: string): never {
  fail('ERR_RNN_MODEL_FILE', `the safetensors file is damaged or not supported: ${what}`)
}

/** Reads a header that lies in `text`; the values take `dataBytes`. Each entry is checked by itself, not against its neighbours. */
export function readHeader(text: Uint8Array, dataBytes: number): Map<string, HeaderEntry> {
  return new Reader(text, dataBytes).entries()
}

const quote = 0x22
const backslash = 0x5c

/** Reads from left to right: `#at` is the byte that comes next. */
class Reader {
  readonly #bytes: Uint8Array
  readonly #dataBytes: number
  #at = 0

  constructor(bytes: Uint8Array, dataBytes: number) {
    this.#bytes = bytes
    this.#dataBytes = dataBytes
  }

  entries(): Map<string, HeaderEntry> {
    const entries = new Map<string, HeaderEntry>()
    let hasMetadata = false
    this.#skip('{')
    this.#members((key, at) => {
      const twice = key === metadataKey ? hasMetadata : entries.has(key)
      if (twice) this.#wrong(`the key ${describe(key)} stands twice`, at)
      if (key !== metadataKey) entries.set(key, this.#entry(key))
      else {
        hasMetadata = true
        this.#metadata()
      }
    })
    if (this.#at < this.#bytes.length) this.#wrong('the text goes on after its end')
    return entries
  }

  /** The members of an object whose brace was read; `read` reads what follows the colon. */
  #members(read: (key: string, at: number) => void): void {
    if (this.#skip('}')) return
    do {
      const at = this.#at
      const key = this.#string()
      if (!this.#skip(':')) this.#wrong("':' is expected")
      read(key, at)
    } while (this.#skip(','))
    if (!this.#skip('}')) this.#wrong("',' or '}' is expected")
  }

  #entry(key: string): HeaderEntry {
    let dtype: string | undefined
    let shape: number[] | undefined
    let offsets: number[] | undefined
    if (!this.#skip('{')) this.#not(() => damaged(`${describe(key)} must be ${entryForm}`))
    this.#members((field, at) => {
      const isKnown = field === 'dtype' || field === 'shape' || field === 'data_offsets'
      if (!isKnown) damaged(`${describe(key)} has the field ${describe(field)}; it must be ${entryForm}`)
      const before = field === 'dtype' ? dtype : field === 'shape' ? shape : offsets
      if (before !== undefined) this.#wrong(`the key ${describe(field)} stands twice`, at)
      if (field === 'dtype') dtype = this.#dtype(key)
      else if (field === 'shape') shape = this.#sizes(mostAxes, () => wrongShape(key))
      else offsets = this.#sizes(2, () => wrongOffsets(key))
    })
    if (dtype === undefined) return wrongDtype(key, undefined)
    if (shape === undefined) return wrongShape(key)
    if (offsets?.length !== 2) return wrongOffsets(key)
    const [begin, end] = offsets
    checkPlace(key, dtype, shape, begin, end, this.#dataBytes)
    return { dtype, shape, begin, end }
  }

  #dtype(key: string): string {
    if (this.#bytes[this.#at] !== quote) this.#not(() => damaged(`${describe(key)} must have a dtype that is a string`))
    const dtype = this.#string()
    return dtypes[dtype] === undefined ? wrongDtype(key, dtype) : dtype
  }

  /** An array of at most so many integers from 0 to 2^53 − 1. */
  #sizes(most: number, refuse: () => never): number[] {
    if (!this.#skip('[')) return this.#not(refuse)
    const sizes: number[] = []
    if (this.#skip(']')) return sizes
    do {
      const size = this.#integer()
      if (size === undefined || sizes.length === most) return this.#not(refuse)
      sizes.push(size)
    } while (this.#skip(','))
    if (!this.#skip(']')) this.#wrong("',' or ']' is expected")
    return sizes
  }

  /** Undefined where another value stands. */
  #integer(): number | undefined {
    const bytes = this.#bytes
    const start = this.#at
    let value = 0
    for (; bytes[this.#at] >= 0x30 && bytes[this.#at] <= 0x39; this.#at++) {
      if (this.#at > start && bytes[start] === 0x30) this.#wrong("',' or ']' is expected")
      value = value * 10 + bytes[this.#at] - 0x30
      if (value > Number.MAX_SAFE_INTEGER) return undefined
    }
    // A fraction or an exponent makes another kind of number of it.
    if (this.#at === start || /[.eE]/.test(this.#next())) return undefined
    this.#space()
    return value
  }

  /** Texts by name, or null, which some writers leave. Nobody asks for them, so they are checked and not kept. */
  #metadata(): void {
    const refuse = () => damaged(`${metadataKey} must be an object of strings`)
    if (this.#ascii(this.#at, this.#at + 4) === 'null') {
      this.#at += 4
      this.#space()
      return
    }
    if (!this.#skip('{')) this.#not(refuse)
    this.#members(() => {
      if (this.#bytes[this.#at] !== quote) this.#not(refuse)
      this.#string()
    })
  }

  #string(): string {
    const bytes = this.#bytes
    const start = this.#at + 1
    if (bytes[this.#at] !== quote) this.#wrong('a string is expected')
    let end = start
    let all = 0
    let escaped = false
    for (; bytes[end] !== quote; end++) {
      if (end >= bytes.length) this.#wrong('a string has no end')
      if (bytes[end] < 0x20) this.#wrong('a string has a control character', end)
      all |= bytes[end]
      if (bytes[end] !== backslash) continue
      escaped = true
      end++
    }
    const text =
      all < 0x80 && end - start < 64
        ? this.#ascii(start, end)
        : decodeUtf8(bytes.subarray(start, end), () => this.#wrong('a string is no UTF-8'))
    const value = escaped ? this.#unescaped(text) : text
    this.#at = end + 1
    this.#space()
    return value
  }

  /** Faster than a decoder for a few letters, and a chain of as many parts as it has letters. */
  #ascii(start: number, end: number): string {
    let text = ''
    for (let at = start; at < end; at++) text += String.fromCharCode(this.#bytes[at])
    return text
  }

  #unescaped(text: string): string {
    try {
      return JSON.parse(`"${text}"`) as string
    } catch {
      return this.#wrong('a string has an escape that is none')
    }
  }

  /** Moves past a mark and the space around it, where the mark comes next. */
  #skip(mark: string): boolean {
    if (this.#bytes[this.#at] !== mark.charCodeAt(0)) return false
    this.#at++
    this.#space()
    return true
  }

  #space(): void {
    const bytes = this.#bytes
    for (;;) {
      const byte = bytes[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at++
    }
  }

  #next(): string {
    return this.#at < this.#bytes.length ? String.fromCharCode(this.#bytes[this.#at]) : ''
  }

  /** What stands here is not the value that must, if it is a value at all. */
  #not(refuse: () => never): never {
    return /["[{\-\d.eEtfn,\]]/.test(this.#next()) ? refuse() : this.#wrong('a value is expected')
  }

  #wrong(what: string, at = this.#at): never {
    damaged(`its header is no valid JSON in UTF-8: ${what} at byte ${at}`)
  }
}

const entryForm = 'an object with dtype, shape and data_offsets'

function wrongDtype(key: string, dtype: string | undefined): never {
  damaged(`${describe(key)} has dtype ${describe(dtype)}; ${knownDtypes} are supported`)
}

function wrongShape(key: string): never {
  damaged(`${describe(key)} must have a shape of integers of at least 0, at most ${mostAxes}`)
}

function wrongOffsets(key: string): never {
  damaged(`${describe(key)} must have two data_offsets, integers of at least 0`)
}

function checkPlace(key: string, dtype: string, shape: number[], begin: number, end: number, dataBytes: number): void {
  if (begin > end || end > dataBytes) damaged(`${describe(key)} lies at bytes ${begin} to ${end} of ${dataBytes}`)
  const bytes = elements(shape) * dtypes[dtype].bytes
  if (bytes === end - begin) return
  const takes = `takes ${bytes} bytes, and its data_offsets span ${end - begin}`
  damaged(`${describe(key)} of dtype ${dtype} and shape ${list(shape)} ${takes}`)
}
