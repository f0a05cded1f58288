/** The table of rules by operator. A new operator is a row in the file of its family. */

import { entryOf } from '../../../intrinsics/properties.ts'
import { alongAxes } from './along-axes.ts'
import { layouts } from './layout.ts'
import { pointwise } from './pointwise.ts'
import { products } from './product.ts'
import { recurrences } from './recurrent.ts'
import type { Rule, Rules } from './rule.ts'
import { windows } from './window.ts'

const rules: Rules = { ...alongAxes, ...layouts, ...pointwise, ...products, ...recurrences, ...windows }

/** Undefined for an operator of which nothing is known. */
export function ruleOf(opType: string): Rule | undefined {
  return entryOf(rules, opType)
}
