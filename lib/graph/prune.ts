/** Drops steps and outputs that nothing needs; knows of steps only what they read and write. */

import type { Branch, Step } from './plan.ts'

/** Goes backwards over steps, from what is needed of them in the end. */
export class Prune {
  /** The numbers of all values that somebody reads. */
  readonly needed: Set<number>

  constructor(results: readonly number[]) {
    this.needed = new Set(results)
  }

  steps(steps: readonly Step[]): Step[] {
    const kept: Step[] = []
    for (let i = steps.length - 1; i >= 0; i--) {
      const step = steps[i]
      const outputs = step.outputs.map((value) => (this.needed.has(value) ? value : -1))
      if (outputs.every((value) => value < 0)) continue
      for (const value of step.inputs) if (value >= 0) this.needed.add(value)
      const branches = step.branches?.map((branch) => this.#branch(branch, outputs)) as [Branch, Branch] | undefined
      kept.push({ ...step, outputs, ...(branches && { branches }) })
    }
    return kept.reverse()
  }

  #branch(branch: Branch, wanted: readonly number[]): Branch {
    const outputs = branch.outputs.map((value, i) => (wanted[i] < 0 ? -1 : value))
    for (const value of outputs) if (value >= 0) this.needed.add(value)
    return { steps: this.steps(branch.steps), outputs }
  }
}
