/**
 * The header of a safetensors file, read from its bytes straight into the one form that it may have: types, shapes and places by name.
 * Whatever else stands there is refused where it begins, so that no header takes more memory than its tensors are worth.
 */

import { describe, fail, list } from '../errors.ts'
import { decodeUtf8 } from '../runtime.ts'
import { elements } from '../tensor/shape.ts'
import { latin } from './file-kind.ts'
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

const quote = 0x22
const backslash = 0x5c

/**
 * Reads a header from left to right; the values take `dataBytes`. Each entry is checked by itself, not against its neighbours.
 */
export function readHeader(bytes: Uint8Array, dataBytes: number): Map<string, HeaderEntry> {
  /** The byte that comes next. */
  let next = 0
  const entries = new Map<string, HeaderEntry>()
  let hasMetadata = false
  skip('{')
  readMembers((key, at) => {
    const twice = key === metadataKey ? hasMetadata : entries.has(key)
    if (twice) wrong(`the key ${describe(key)} stands twice`, at)
    if (key !== metadataKey) entries.set(key, readEntry(key))
    else {
      hasMetadata = true
      readMetadata()
    }
  })
  if (next < bytes.length) wrong('the text goes on after its end')
  return entries

  /** The members of an object whose brace was read; `read` reads what follows the colon. */
  function readMembers(read: (key: string, at: number) => void): void {
    if (skip('}')) return
    do {
      const at = next
      const key = readString()
      if (!skip(':')) wrong("':' is expected")
      read(key, at)
    } while (skip(','))
    if (!skip('}')) wrong("',' or '}' is expected")
  }

  function readEntry(key: string): HeaderEntry {
    let dtype: string | undefined
    let shape: number[] | undefined
    let offsets: number[] | undefined
    if (!skip('{')) not(() => damaged(`${describe(key)} must be ${entryForm}`))
    readMembers((field, at) => {
      const isKnown = field === 'dtype' || field === 'shape' || field === 'data_offsets'
      if (!isKnown) damaged(`${describe(key)} has the field ${describe(field)}; it must be ${entryForm}`)
      const before = field === 'dtype' ? dtype : field === 'shape' ? shape : offsets
      if (before !== undefined) wrong(`the key ${describe(field)} stands twice`, at)
      if (field === 'dtype') dtype = readDtype(key)
      else if (field === 'shape') shape = readSizes(mostAxes, () => wrongShape(key))
      else offsets = readSizes(2, () => wrongOffsets(key))
    })
    if (dtype === undefined) return wrongDtype(key, undefined)
    if (shape === undefined) return wrongShape(key)
    if (offsets?.length !== 2) return wrongOffsets(key)
    const [begin, end] = offsets
    checkPlace(key, dtype, shape, begin, end, dataBytes)
    return { dtype, shape, begin, end }
  }

  function readDtype(key: string): string {
    if (bytes[next] !== quote) not(() => damaged(`${describe(key)} must have a dtype that is a string`))
    const dtype = readString()
    return dtypes[dtype] === undefined ? wrongDtype(key, dtype) : dtype
  }

  /** An array of at most so many integers from 0 to 2^53 − 1. */
  function readSizes(most: number, refuse: () => never): number[] {
    if (!skip('[')) return not(refuse)
    const sizes: number[] = []
    if (skip(']')) return sizes
    do {
      const size = readInteger()
      if (size === undefined || sizes.length === most) return not(refuse)
      sizes.push(size)
    } while (skip(','))
    if (!skip(']')) wrong("',' or ']' is expected")
    return sizes
  }

  /** Undefined where another value stands. */
  function readInteger(): number | undefined {
    const start = next
    let value = 0
    for (; bytes[next] >= 0x30 && bytes[next] <= 0x39; next++) {
      if (next > start && bytes[start] === 0x30) wrong("',' or ']' is expected")
      value = value * 10 + bytes[next] - 0x30
      if (value > Number.MAX_SAFE_INTEGER) return undefined
    }
    // A fraction or an exponent makes another kind of number of it.
    if (next === start || /[.eE]/.test(nextCharacter())) return undefined
    space()
    return value
  }

  /** Texts by name, or null, which some writers leave. Nobody asks for them, so they are checked and not kept. */
  function readMetadata(): void {
    const refuse = () => damaged(`${metadataKey} must be an object of strings`)
    if (latin(bytes, next, next + 4) === 'null') {
      next += 4
      space()
      return
    }
    if (!skip('{')) not(refuse)
    readMembers(() => {
      if (bytes[next] !== quote) not(refuse)
      readString()
    })
  }

  function readString(): string {
    const start = next + 1
    if (bytes[next] !== quote) wrong('a string is expected')
    let end = start
    let all = 0
    let escaped = false
    for (; bytes[end] !== quote; end++) {
      if (end >= bytes.length) wrong('a string has no end')
      if (bytes[end] < 0x20) wrong('a string has a control character', end)
      all |= bytes[end]
      if (bytes[end] !== backslash) continue
      escaped = true
      end++
    }
    const text =
      all < 0x80 && end - start < 64
        ? latin(bytes, start, end)
        : decodeUtf8(bytes.subarray(start, end), () => wrong('a string is no UTF-8'))
    const value = escaped ? unescaped(text) : text
    next = end + 1
    space()
    return value
  }

  /** Faster than a decoder for a few letters, and a chain of as many parts as it has letters. */
  function unescaped(text: string): string {
    try {
      return JSON.parse(`"${text}"`) as string
    } catch {
      return wrong('a string has an escape that is none')
    }
  }

  /** Moves past a mark and the space around it, where the mark comes next. */
  function skip(mark: string): boolean {
    if (bytes[next] !== mark.charCodeAt(0)) return false
    next++
    space()
    return true
  }

  function space(): void {
    for (;;) {
      const byte = bytes[next]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      next++
    }
  }

  function nextCharacter(): string {
    return next < bytes.length ? String.fromCharCode(bytes[next]) : ''
  }

  /** What stands here is not the value that must, if it is a value at all. */
  function not(refuse: () => never): never {
    return /["[{\-\d.eEtfn,\]]/.test(nextCharacter()) ? refuse() : wrong('a value is expected')
  }

  function wrong(what: string, at = next): never {
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
