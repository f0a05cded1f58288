/** Who reads each value of a plan. */

import type { Plan, Step } from '../../graph/plan.ts'

/** Whether a step is this operator of ONNX's own. */
export const isStandard = (step: Step | undefined, opType: string): step is Step =>
  step?.domain === '' && step.opType === opType

export class Uses {
  readonly #readers = new Map<number, (Step | undefined)[]>()
  readonly #blocks = new Map<Step, readonly Step[]>()

  constructor({ steps, outputs }: Plan) {
    this.#count(steps)
    for (const value of outputs) this.#add(value, undefined)
  }

  #count(steps: readonly Step[]): void {
    for (const step of steps) {
      this.#blocks.set(step, steps)
      for (const value of step.inputs) this.#add(value, step)
      for (const branch of step.branches ?? []) {
        this.#count(branch.steps)
        for (const value of branch.outputs) this.#add(value, undefined)
      }
    }
  }

  #add(value: number, reader: Step | undefined): void {
    const readers = this.#readers.get(value)
    if (readers) readers.push(reader)
    else this.#readers.set(value, [reader])
  }

  /** How often a value is read; results of the plan and of branches count. */
  times(value: number): number {
    return this.#readers.get(value)?.length ?? 0
  }

  /** The one step of the same branch that reads a value, where nothing else does. */
  soleReader(value: number, step: Step): Step | undefined {
    const readers = this.#readers.get(value)
    const reader = readers?.length === 1 ? readers[0] : undefined
    return reader && this.#blocks.get(reader) === this.#blocks.get(step) ? reader : undefined
  }
}
