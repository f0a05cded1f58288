/** The TypeScript backend: specification, fallback and independent check of the native one in one. */

import { isArray } from '../../intrinsics/captured.ts'
import { sharedView, trueLength } from '../../intrinsics/typed-arrays.ts'
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { Backend } from '../interface.ts'
import { cells } from './cells/index.ts'
import { TypeScriptNetwork } from './network.ts'
import { operators } from './ops/index.ts'
import { TypeScriptProgram } from './program.ts'

export const typescriptBackend: Backend = {
  name: 'typescript',
  network: (spec, weights) => new TypeScriptNetwork(spec, weights),
  adopt(spec, shared) {
    const weights = shared as CellWeights[]
    return isArray(shared) && fits(spec, weights) ? new TypeScriptNetwork(spec, weights, true) : undefined
  },
  program: (plan) => new TypeScriptProgram(plan),
  operator: (kind, sizes, weights) => operators[kind](sizes, weights),
}

/** Whether shared weights have the lengths that the sizes ask for, in memory that cannot be detached. */
function fits(spec: NetworkSpec, weights: readonly (CellWeights | undefined)[]): boolean {
  const { cell, inputSize, hiddenSize: H, projSize: P, numLayers, bias, direction } = spec
  const D = direction === 'bidirectional' ? 2 : 1
  const O = P || H
  const rows = cells[cell].gates * H
  const holds = (values: Float32Array | undefined, length: number) =>
    length === 0 ? values === undefined : sharedView(values) !== undefined && trueLength(values!) === length
  if (weights.length !== numLayers * D) return false
  for (let index = 0; index < weights.length; index++) {
    const own = weights[index]
    const fit =
      typeof own === 'object' &&
      own !== null &&
      holds(own.weightIh, rows * (index < D ? inputSize : D * O)) &&
      holds(own.weightHh, rows * O) &&
      holds(own.biasIh, bias ? rows : 0) &&
      holds(own.biasHh, bias ? rows : 0) &&
      holds(own.weightHr, P * H) &&
      holds(own.peephole, cells[cell].peepholes ? 3 * H : 0)
    if (!fit) return false
  }
  return true
}
