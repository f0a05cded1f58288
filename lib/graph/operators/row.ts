/** A row of the registry of operators: what stands there for each. */

import type { Operator } from '../call.ts'

export interface OperatorRow {
  readonly run: Operator
  /** The fewest and the most inputs. */
  readonly inputs: readonly [least: number, most: number]
  /** The names of all attributes that it knows; none where this is left out. */
  readonly attributes?: readonly string[]
}

/** Rows by the operator's name. */
export type Rows = Readonly<Record<string, OperatorRow>>

export const unbounded = Number.MAX_SAFE_INTEGER

/** A row; `attributes` are the names of all that it knows, with spaces between them. */
export const rowOf = (run: Operator, least: number, most: number, attributes?: string): OperatorRow => ({
  run,
  inputs: [least, most],
  attributes: attributes?.split(' '),
})
