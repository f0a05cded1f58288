/** The shapes of a model's inputs: what came is held against what the file declares, and names of sizes against each other. */

import { fail, list, named } from '../errors.ts'
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

export function declaredInput({ name, type, shape }: GraphValue): DeclaredInput {
  return { name, label: labelOf(name), type, shape }
}

/** `(batch, ?, 512)` */
export function shownShape(shape: readonly (number | string | undefined)[]): string {
  const sizes = shape.map((size) => (typeof size === 'string' ? named(size) : (size ?? '?')))
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`
}

/** Throws where the shape of an input is not as declared; sizes that have a name are looked at by {@link checkNames}. */
export function checkShape({ label, shape: declared }: InputRule, shape: readonly number[]): void {
  if (declared === undefined) return
  let fits = shape.length === declared.length
  for (let axis = 0; fits && axis < shape.length; axis++) {
    fits = typeof declared[axis] !== 'number' || declared[axis] === shape[axis]
  }
  if (!fits) fail('ERR_RNN_SHAPE', `Expected ${label} size ${shownShape(declared)}, got ${list(shape)}`)
}

/** Throws where sizes of one name differ, in one input or between two. */
export function checkNames(inputs: readonly InputRule[], shapes: readonly (readonly number[])[]): void {
  for (let i = 0; i < inputs.length; i++) {
    const declared = inputs[i].shape
    if (declared === undefined) continue
    for (let axis = 0; axis < declared.length; axis++) {
      const name = declared[axis]
      if (typeof name === 'string') checkName(inputs, shapes, name, i, axis)
    }
  }
}

function checkName(
  inputs: readonly InputRule[],
  shapes: readonly (readonly number[])[],
  name: string,
  i: number,
  axis: number,
): void {
  for (let j = 0; j <= i; j++) {
    const declared = inputs[j].shape
    if (declared === undefined) continue
    for (let k = 0; k < declared.length; k++) {
      if (declared[k] !== name || shapes[j][k] === shapes[i][axis]) continue
      const [mine, other] = [`${inputs[i].label}.size(${axis})`, `${inputs[j].label}.size(${k})`]
      const sizes = `${shapes[i][axis]} and ${shapes[j][k]}`
      fail('ERR_RNN_SHAPE', `${mine} and ${other} must be equal, as both are "${named(name)}", got ${sizes}`)
    }
  }
}
