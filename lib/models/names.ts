/** Records of values by their names, as calls and options have them; it alone knows the words that refuse a name. */

import { describe, failOption, named } from '../errors.ts'
import { isArray, keys } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { typedArrayName } from '../intrinsics/typed-arrays.ts'
import { nearest } from '../options/suggest.ts'
import { labelOf } from './shapes.ts'

/** Whatever has a name. */
interface Named {
  readonly name: string
}

/** Throws for a name that a record has and none of the values; `what` is what these are: `input`. `kept` are states that are no inputs. */
export function refuseUnknown(
  given: object,
  known: readonly Named[],
  what: string,
  where: string,
  kept: readonly Named[] = [],
): void {
  const names = keys(given)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    if (hasName(known, name)) continue
    if (hasName(kept, name)) {
      failOption(`${labelOf(name, where)} is a state, which the stream keeps: reset(state) replaces it`)
    }
    unknownName(name, namesOf(known), what, where)
  }
}

function hasName(values: readonly Named[], name: string): boolean {
  for (let i = 0; i < values.length; i++) if (values[i].name === name) return true
  return false
}

export function unknownName(name: string, known: readonly string[], what: string, where: string): never {
  const near = nearest(name, known)
  const shown = known.map((one) => `'${named(one)}'`).join(', ')
  const hint = near ? `did you mean '${named(near)}'?` : `the model has ${shown || 'none'}`
  failOption(`unknown ${what} '${named(name)}' in ${where}; ${hint}`)
}

/** Throws for what is no object of values by name; `hint` is what else may stand there. */
export function checkRecord(value: unknown, where: string, hint = ''): asserts value is object {
  if (isObject(value) && !isArray(value) && typedArrayName(value) === undefined) return
  failOption(`${where} must be an object of values by their names, got ${describe(value)}${hint}`)
}

/** The names of values, in their order. */
export function namesOf(values: readonly Named[]): string[] {
  const names: string[] = []
  for (let i = 0; i < values.length; i++) names[i] = values[i].name
  return names
}
