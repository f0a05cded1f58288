/** Small damages to files, for tests that read whatever the bytes are. */

import fc from 'fast-check'

/** One small damage to a file: `at` and `value` find their place in any length. */
export interface Damage {
  kind: 'flip' | 'set' | 'cut' | 'insert' | 'remove' | 'repeat' | 'huge'
  at: number
  value: number
}

export const damages = fc.array(
  fc.record<Damage>({
    kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'remove', 'repeat', 'huge'),
    at: fc.nat(0xffff),
    value: fc.nat(255),
  }),
  { minLength: 1, maxLength: 6 },
)

/** A copy with all of these damages, one after the other. */
export function damaged(file: Uint8Array, list: readonly Damage[]): Uint8Array {
  let bytes = [...file]
  for (const { kind, at, value } of list) {
    const place = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'flip') bytes[place] ^= 1 << (value % 8)
    else if (kind === 'set') bytes[place] = value
    else if (kind === 'cut') bytes = bytes.slice(0, place)
    else if (kind === 'insert') bytes.splice(place, 0, value)
    else if (kind === 'remove') bytes.splice(place, 1 + (value % 16))
    else if (kind === 'repeat') bytes.splice(place, 0, ...bytes.slice(place, place + value))
    // A length or a count near the end of what its bytes can say.
    else bytes.splice(place, 0, ...Array<number>(value % 11).fill(255), value)
  }
  return Uint8Array.from(bytes)
}
