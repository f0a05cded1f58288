/** A row of the table of rules: how the followed axis goes through an operator. */

import type { Site } from '../site.ts'
import type { Trace, Traced } from '../trace.ts'

/** Where the step's outputs have the followed axis, one for all or one each. At least one of its inputs has it; else nothing is asked. */
export type Rule = (site: Site) => Trace | readonly Traced[]

/** One rule for all operators that a table has. */
export const ruleOfAll = (table: object, rule: Rule): Rules =>
  Object.fromEntries(Object.keys(table).map((name) => [name, rule]))

export type Rules = Readonly<Record<string, Rule>>
