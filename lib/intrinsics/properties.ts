/** What an object says by itself: its own properties and those of its class. What a script adds to all objects is none of them. */
import { getPrototypeOf, hasOwn, keys } from './captured.ts'

/** Whether a value has properties of its own: an object or an array, no function. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The property of an object or of its class; undefined where it has none, whatever stands on the prototype of all objects. */
export function property(object: object, name: string): unknown {
  return hasProperty(object, name) ? (object as Record<string, unknown>)[name] : undefined
}

/** What a table has under a name, and nothing that stands on the prototype of all objects. */
export function entryOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return hasOwn(table, name) ? table[name] : undefined
}

/** The same text as engines keep the names of properties: to look for one by it is several times faster than by text that was cut out of a file. */
export function propertyName(text: string): string {
  return keys({ [text]: undefined })[0]
}

/** That prototype is the last of the chain, in every realm. */
function hasProperty(object: object, name: string): boolean {
  if (hasOwn(object, name)) return true
  for (let link = getPrototypeOf(object); link; ) {
    const next = getPrototypeOf(link)
    if (next === null) return false
    if (hasOwn(link, name)) return true
    link = next
  }
  return false
}
