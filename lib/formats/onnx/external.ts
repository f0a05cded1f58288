/** Tensors whose values lie in other files; knows the entries that say where, and asks the caller for the bytes. */

import { describe, failOption } from '../../errors.ts'
import type { Budget, Refuse } from '../../graph/budget.ts'
import { plainBytes, trueLength, typedArrayName } from '../../intrinsics/typed-arrays.ts'
import type { Check } from '../../options/checks.ts'
import type { Message } from './protobuf.ts'

/** Gives the bytes of a file by the location that a model names. */
export type ExternalData = (location: string) => Uint8Array

export const checkExternalData: Check<ExternalData> = (value, name) =>
  typeof value === 'function'
    ? (value as ExternalData)
    : failOption(`${name} must be a function from a location to its bytes, got ${describe(value)}`)

/** The other files of one model, each asked for once. */
export class ExternalFiles {
  readonly #give: ExternalData | undefined
  readonly #budget: Budget
  readonly #files = new Map<string, Uint8Array>()

  constructor(give: ExternalData | undefined, budget: Budget) {
    this.#give = give
    this.#budget = budget
  }

  file(location: string, refuse: Refuse): Uint8Array {
    let file = this.#files.get(location)
    if (file === undefined) {
      if (this.#give === undefined) {
        refuse(
          `its values lie in another file, ${describe(location)}: pass externalData, a function that gives its bytes`,
        )
      }
      file = this.#give!(location)
      if (typedArrayName(file) !== 'Uint8Array') {
        failOption(`externalData(${describe(location)}) must give a Uint8Array, got ${describe(file)}`)
      }
      this.#files.set(location, file)
      // They pay for memory as the model's own bytes do.
      this.#budget.bytes += trueLength(file)
    }
    // A resizable one may have shrunk.
    return plainBytes(file)
  }
}

type Entry = 'location' | 'offset' | 'length'

/** Where the values are, by the entries `location`, `offset` and `length`. */
export function externalPlace(
  message: Message,
  files: ExternalFiles,
  refuse: Refuse,
): { bytes: Uint8Array; start: number; end: number } {
  const found = { __proto__: null, location: '', offset: '0', length: '' } as object as Record<Entry, string>
  for (const entry of message.messages(13, 'external_data')) {
    const key = entry.textOf(1, 'a key')
    if (key in found) found[key as Entry] = entry.textOf(2, 'a value')
  }
  if (found.location === '') refuse('its values lie in another file, and no location says which')
  const bytes = files.file(found.location, refuse)
  const place = (text: string, what: string) => {
    const value = Number(text)
    if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value
    return refuse(`the ${what} ${describe(text)} within ${describe(found.location)} is no number`)
  }
  const start = place(found.offset, 'offset')
  const length = found.length === '' ? Math.max(0, bytes.length - start) : place(found.length, 'length')
  if (start + length > bytes.length) {
    refuse(`bytes ${start} to ${start + length} of ${describe(found.location)}, which has ${bytes.length}`)
  }
  return { bytes, start, end: start + length }
}
