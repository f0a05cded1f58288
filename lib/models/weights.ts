/** The weights of a model held against the format that is to keep them, when it is read. */

import type { FlatGraph, Step } from '../graph/plan.ts'
import { recurrentNetwork } from '../graph/recurrent/network.ts'
import { isRecurrent, isWeight } from '../graph/recurrent/parts.ts'
import { refuseStep } from '../graph/step.ts'
import { weightMatrixOf } from '../graph/weight-matrix.ts'
import { isBeyond, rangeOf } from '../precision/rounding.ts'
import type { Precision } from '../spec/weight-types.ts'

/** Throws `ERR_RNN_MODEL_FILE` naming the first step that has a weight beyond the format. */
export function checkWeights(graph: FlatGraph, precision: Precision): void {
  if (precision.weights !== 'f32') checkSteps(graph.steps, graph.constants, precision)
}

function checkSteps(steps: readonly Step[], constants: FlatGraph['constants'], precision: Precision): void {
  const { weights: type } = precision
  for (const step of steps) {
    const check = (name: string, values: Float32Array) => {
      const wrong = values.find((value) => !Number.isFinite(value) || isBeyond(type, value))
      if (wrong !== undefined) refuseStep(step, `its weight ${name} ${rangeOf(type)}, got ${wrong}`)
    }
    for (const { steps: inner } of step.branches ?? []) checkSteps(inner, constants, precision)
    if (isRecurrent(step)) {
      // A weight that only a plan knows is left to it.
      const isKnown = step.inputs.every((value, place) => value < 0 || !isWeight(place) || constants.has(value))
      if (!isKnown) continue
      const { weights } = recurrentNetwork(step, (value) => constants.get(value), 1, precision)
      for (const { weightIh, weightHh } of weights) {
        check('W', weightIh)
        check('R', weightHh)
      }
      continue
    }
    const found = weightMatrixOf(step, (value) => constants.get(value))
    const name = found?.place === 0 ? 'A' : step.opType === 'Conv' ? 'W' : 'B'
    if (found) check(name, found.weight.data as Float32Array)
  }
}
