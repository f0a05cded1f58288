/** The options of a model; it alone knows which are right, and reads the constants that take the place of inputs. */

import { checkExternalData } from '../formats/onnx/external.ts'
import { checkShapes } from '../graph/declared.ts'
import type { GraphValue } from '../graph/plan.ts'
import type { GraphTensor } from '../graph/tensor.ts'
import { anything, type Checked, layerChecks, precisionChecks, readOptions } from '../options/checks.ts'
import type { PrecisionOptions } from '../options/options.ts'
import type { BackendName } from '../spec/spec.ts'
import { checkNotDetached } from '../tensor/read.ts'
import { readInput } from './input.ts'
import { checkRecord, refuseUnknown } from './names.ts'
import { labelOf } from './shapes.ts'
import { copyOfData, type ModelInput } from './values.ts'

/** Options of {@link Model.read} and {@link Model.load}. */
export interface ModelOptions extends PrecisionOptions {
  /** Inputs that never change, `{ sr: 16000n }`: they are folded into the graph, and the model has no such inputs any more. */
  constants?: Record<string, ModelInput>
  /**
   * Gives the bytes of another file that holds weights, by its location: the text that stands in the model, which nobody has checked.
   * `Model.load` without it looks beside the model's file, and nowhere else. Called once for each location.
   */
  externalData?: (location: string) => Uint8Array
  /** Default: the best one this machine can run. */
  backend?: BackendName
  /** The most threads one run may use; 1 by default. */
  threads?: number
}

const checks = {
  constants: anything,
  externalData: checkExternalData,
  backend: layerChecks.backend,
  threads: layerChecks.threads,
  ...precisionChecks,
} as const

/** Options as they were read. */
export type ReadModelOptions = Checked<typeof checks>

export function readModelOptions(options: unknown, where: string): ReadModelOptions {
  return readOptions(options, checks, where)
}

/** Reads the constants by the types of the inputs that they replace; copies. */
export function readConstants(given: unknown, inputs: readonly GraphValue[]): Map<string, GraphTensor> {
  const constants = new Map<string, GraphTensor>()
  if (given === undefined) return constants
  checkRecord(given, 'constants')
  refuseUnknown(given, inputs, 'input', 'constants')
  for (const input of inputs) {
    const { name, type, shape } = input
    const value = (given as Record<string, unknown>)[name]
    if (value === undefined) continue
    const rule = { label: labelOf(name, 'constants'), type, shape }
    const read = readInput(value, rule)
    checkShapes([input], [read.shape])
    checkNotDetached(rule.label, read)
    constants.set(name, { type, shape: read.shape, data: copyOfData(type, read.data) })
  }
  return constants
}
