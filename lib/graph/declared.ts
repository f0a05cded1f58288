/** What a model declares of its inputs, held against shapes that come; it alone knows when a shape fits. */

import { describe, failShape, list, tuple } from '../errors.ts'
import type { GraphValue } from './plan.ts'

/** Throws for a shape that is not as declared: another rank, another size, or two sizes under one name. */
export function checkShapes(inputs: readonly GraphValue[], shapes: readonly (readonly number[])[]): void {
  const named = new Map<string, { readonly size: number; readonly input: string }>()
  for (const [place, { name, shape: declared }] of inputs.entries()) {
    if (declared === undefined) continue
    const shape = shapes[place]
    const refuse = (why: string) =>
      failShape(
        `Expected the input ${describe(name)} of size ${tuple(declared.map((size) => size ?? '?'))}, got ${list(shape)}${why}`,
      )
    if (shape.length !== declared.length) refuse('')
    for (const [axis, wanted] of declared.entries()) {
      const size = shape[axis]
      if (typeof wanted === 'number' && wanted !== size) refuse('')
      if (typeof wanted !== 'string') continue
      const before = named.get(wanted)
      if (before === undefined) named.set(wanted, { size, input: name })
      else if (before.size !== size) refuse(`: ${wanted} is ${before.size} in ${describe(before.input)}`)
    }
  }
}
