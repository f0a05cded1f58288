/** The TypeScript backend: specification, fallback and independent check of the native one in one. */

import { isArray } from '../../intrinsics/captured.ts'
import type { CellWeights } from '../../spec/spec.ts'
import type { Backend } from '../interface.ts'
import { createNetwork } from './network.ts'
import { operators } from './ops/index.ts'
import { createProgram } from './program.ts'
import { fits } from './weights.ts'

export const typescriptBackend: Backend = {
  name: 'typescript',
  network: (spec, weights) => createNetwork(spec, weights),
  adopt(spec, shared) {
    const weights = shared as CellWeights[]
    return isArray(shared) && fits(spec, weights) ? createNetwork(spec, weights, true) : undefined
  },
  program: (plan, store, _threads, precision) => createProgram(plan, store, precision),
  operator: (kind, sizes, weights, precision) => operators[kind](sizes, weights, precision),
}
