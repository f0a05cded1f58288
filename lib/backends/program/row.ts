/** A row of the registry: how one operator becomes instructions. */

import type { Op } from './op.ts'
import type { View } from './views.ts'

/** Gives where the outputs lie. */
export type Row = (op: Op) => View | readonly (View | undefined)[]

/** Rows by the operator's name. */
export type Rows = Readonly<Record<string, Row>>
