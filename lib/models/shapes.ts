/** A model's inputs as calls need them, and the words that messages have for them. */

import { named, tuple } from '../errors.ts'
import type { GraphValue } from '../graph/plan.ts'
import type { InputRule } from './input.ts'

/** An input as calls need it. */
export interface DeclaredInput extends InputRule {
  readonly name: string
}

/** Names that can stand behind a point. */
const plainName = /^[A-Za-z_$][\w$]*$/

/** `inputs.x`, or `inputs["x:0"]`, as messages name an input. */
export function labelOf(name: string, group = 'inputs'): string {
  return plainName.test(name) && name.length <= 60 ? `${group}.${name}` : `${group}["${named(name)}"]`
}

/** A name as the key of an object. */
export function shownKey(name: string): string {
  return plainName.test(name) ? name : `'${named(name)}'`
}

export function declaredInput({ name, type, shape }: GraphValue): DeclaredInput {
  return { name, label: labelOf(name), type, shape }
}

/** `(batch, ?, 512)` */
export function shownShape(shape: readonly (number | string | undefined)[]): string {
  return tuple(shape.map((size) => (typeof size === 'string' ? named(size) : (size ?? '?'))))
}
