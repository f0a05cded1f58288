/** A strict reader of small JSON texts that refuses duplicate keys, which JSON.parse takes in silence. */

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
  let at = 0
  const wrong = (what: string): never => {
    throw new SyntaxError(`${what} at character ${at}`)
  }
  const token = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) at = pattern.lastIndex
    return match?.[0]
  }
  const skip = (mark: string): boolean => {
    token(space)
    if (text[at] !== mark) return false
    at++
    token(space)
    return true
  }
  const readString = (): string => {
    if (text[at] !== '"') wrong('a string is expected')
    let end = at + 1
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    if (end >= text.length) wrong('a string has no end')
    const value = JSON.parse(text.slice(at, end + 1)) as string
    at = end + 1
    return value
  }
  const readObject = (depth: number): Json => {
    const object: { [name: string]: Json } = Object.create(null)
    if (skip('}')) return object
    do {
      const place = at
      const name = readString()
      if (name in object) {
        at = place
        wrong(`the key ${JSON.stringify(name)} stands twice`)
      }
      if (!skip(':')) wrong("':' is expected")
      object[name] = read(depth)
    } while (skip(','))
    if (!skip('}')) wrong("',' or '}' is expected")
    return object
  }
  const readArray = (depth: number): Json => {
    const array: Json[] = []
    if (skip(']')) return array
    do array.push(read(depth))
    while (skip(','))
    if (!skip(']')) wrong("',' or ']' is expected")
    return array
  }
  const read = (depth: number): Json => {
    if (depth > deepest) wrong('nesting is too deep')
    if (skip('{')) return readObject(depth + 1)
    if (skip('[')) return readArray(depth + 1)
    if (text[at] === '"') return readString()
    const word = token(wordToken) ?? token(numberToken) ?? wrong('a value is expected')
    return JSON.parse(word) as Json
  }
  token(space)
  const value = read(0)
  token(space)
  if (at < text.length) wrong('the text goes on after its end')
  return value
}
