/** Records of values by their names, as calls and options have them; it alone knows the words that refuse a name. */

import { describe, fail, named } from '../errors.ts'
import { isArray, keys } from '../intrinsics/captured.ts'
import { typedArrayName } from '../intrinsics/typed-arrays.ts'
import { nearest } from '../options/suggest.ts'
import { labelOf } from './shapes.ts'

/** Throws for a name that a record has and should not have; `what` is what the names are of: `input`. `kept` are states that are no inputs. */
export function refuseUnknown(
  given: object,
  known: readonly string[],
  what: string,
  where: string,
  kept: readonly { readonly name: string }[] = [],
): void {
  const names = keys(given)
  for (let i = 0; i < names.length; i++) {
    let found = false
    for (let k = 0; k < known.length && !found; k++) found = known[k] === names[i]
    if (found) continue
    for (let k = 0; k < kept.length; k++) {
      if (kept[k].name !== names[i]) continue
      fail('ERR_RNN_OPTION', `${labelOf(names[i], where)} is a state, which the stream keeps: reset(state) replaces it`)
    }
    unknownName(names[i], known, what, where)
  }
}

export function unknownName(name: string, known: readonly string[], what: string, where: string): never {
  const near = nearest(name, known)
  const shown = known.map((one) => `'${named(one)}'`).join(', ')
  const hint = near ? `did you mean '${named(near)}'?` : `the model has ${shown || 'none'}`
  fail('ERR_RNN_OPTION', `unknown ${what} '${named(name)}' in ${where}; ${hint}`)
}

/** Throws for what is no object of values by name; `hint` is what else may stand there. */
export function checkRecord(value: unknown, where: string, hint = ''): asserts value is object {
  if (typeof value === 'object' && value !== null && !isArray(value) && typedArrayName(value) === undefined) return
  fail('ERR_RNN_OPTION', `${where} must be an object of values by their names, got ${describe(value)}${hint}`)
}

/** The names of values, in their order. */
export function namesOf(values: readonly { readonly name: string }[]): string[] {
  const names: string[] = []
  for (let i = 0; i < values.length; i++) names[i] = values[i].name
  return names
}
