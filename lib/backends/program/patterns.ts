/** Operators that exporters write as several others: layer norms and GELU are found again and become one step. */

import type { Branch, Plan, Step } from '../../graph/plan.ts'
import { axesOf } from '../../graph/tensor.ts'
import { sameShape } from '../../tensor/shape.ts'
import { isStandard, Uses } from './uses.ts'

/** The plan with such steps in one. Values in between have no step any more. */
export function simplified(plan: Plan): Plan {
  return { ...plan, steps: simplifiedSteps(plan, plan.steps, new Uses(plan)) }
}

function simplifiedSteps(plan: Plan, steps: readonly Step[], uses: Uses): Step[] {
  const block = new Block(plan, steps, uses)
  const made = new Map<Step, Step>()
  const gone = new Set<Step>()
  for (const step of steps) {
    const found = layerNorm(block, step) ?? gelu(block, step)
    if (found === undefined) continue
    const last = found.steps[found.steps.length - 1]
    // A number of more axes than x would give the result more, which the one step does not.
    if (!sameShape(block.shape(last.outputs[0]), block.shape(found.as.inputs[0]))) continue
    for (const one of found.steps) gone.add(one)
    made.set(last, { ...last, ...found.as, domain: '' })
  }
  const inner = (branch: Branch): Branch => ({ ...branch, steps: simplifiedSteps(plan, branch.steps, uses) })
  return steps
    .filter((step) => made.has(step) || !gone.has(step))
    .map((step) => {
      const branches = step.branches && ([inner(step.branches[0]), inner(step.branches[1])] as const)
      return made.get(step) ?? (branches ? { ...step, branches } : step)
    })
}

interface Found {
  /** What it is made of; the last one makes its result. */
  readonly steps: readonly Step[]
  readonly as: Pick<Step, 'opType' | 'opset' | 'inputs' | 'attributes'>
}

/** The steps of one branch, by what they make and read. */
class Block {
  readonly #plan: Plan
  readonly #uses: Uses
  readonly #makers = new Map<number, Step>()

  constructor(plan: Plan, steps: readonly Step[], uses: Uses) {
    this.#plan = plan
    this.#uses = uses
    for (const step of steps) for (const value of step.outputs) this.#makers.set(value, step)
  }

  shape(value: number): readonly number[] {
    return this.#plan.values[value]!.shape
  }

  /** What makes a value that is read so often, where it is this operator. */
  maker(value: number, opType: string, reads = 1): Step | undefined {
    const step = this.#makers.get(value)
    return isStandard(step, opType) && this.#uses.times(value) === reads ? step : undefined
  }

  /** The one reader of what a step makes, where it is this operator. */
  reader(maker: Step, opType: string): Step | undefined {
    const step = this.#uses.soleReader(maker.outputs[0], maker)
    return isStandard(step, opType) ? step : undefined
  }

  number(value: number): number | undefined {
    const constant = this.#plan.values[value]?.constant
    return constant?.type === 'float32' && constant.data.length === 1 ? Number(constant.data[0]) : undefined
  }

  /** The operand beside one that is a number near this. */
  beside(step: Step, wanted: number): number | undefined {
    const place = step.inputs.findIndex(
      (value) => Math.abs((this.number(value) ?? Number.NaN) - wanted) < 1e-6 * wanted,
    )
    return place < 0 ? undefined : step.inputs[1 - place]
  }

  /** A constant of exactly this shape. */
  isConstant(value: number, shape: readonly number[]): boolean {
    return this.#plan.values[value]?.constant !== undefined && sameShape(this.shape(value), shape)
  }

  /** The axes of a mean that keeps them, where they are the last ones: how many. */
  lastAxes(mean: Step): number | undefined {
    const { attributes, inputs } = mean
    const given = attributes.get('axes') ?? this.#plan.values[inputs[1] ?? -1]?.constant?.data
    if (Number(attributes.get('keepdims') ?? 1) !== 1 || typeof given !== 'object') return undefined
    const rank = this.shape(inputs[0]).length
    const axes = Array.from(given as readonly number[], (axis) => (Number(axis) + rank) % rank).sort((a, b) => a - b)
    return axes.every((axis, i) => axis === rank - axes.length + i) ? axes.length : undefined
  }
}

/** (x − mean) / √(mean of squares + ε), then maybe · scale and + bias. */
function layerNorm(block: Block, division: Step): Found | undefined {
  if (!isStandard(division, 'Div')) return undefined
  const [difference, deviation] = division.inputs
  const root = block.maker(deviation, 'Sqrt')
  const safe = root && block.maker(root.inputs[0], 'Add')
  const place = safe ? safe.inputs.findIndex((value) => block.maker(value, 'ReduceMean')) : -1
  if (!root || !safe || place < 0) return undefined
  const variance = block.maker(safe.inputs[place], 'ReduceMean')!
  const epsilon = block.number(safe.inputs[1 - place])
  const power = block.maker(variance.inputs[0], 'Pow')
  const square = power ?? block.maker(variance.inputs[0], 'Mul')
  const isSquare = power ? block.number(power.inputs[1]) === 2 : square?.inputs[1] === difference
  const centred = block.maker(difference, 'Sub', power ? 2 : 3)
  const mean = centred && block.maker(centred.inputs[1], 'ReduceMean')
  if (epsilon === undefined || !isSquare || square?.inputs[0] !== difference || !mean) return undefined
  const [x] = mean.inputs
  const axes = block.lastAxes(mean)
  if (axes === undefined || axes !== block.lastAxes(variance) || centred.inputs[0] !== x) return undefined
  const steps = [mean, centred, square, variance, safe, root, division]
  const last = block.shape(x).slice(block.shape(x).length - axes)
  const inputs = [x, -1, -1]
  for (const [i, opType] of ['Mul', 'Add'].entries()) {
    const next = block.reader(steps[steps.length - 1], opType)
    const constant = next?.inputs.find((value) => block.isConstant(value, last))
    if (next === undefined || constant === undefined) break
    inputs[i + 1] = constant
    steps.push(next)
  }
  const attributes = new Map<string, number>([
    ['axis', -axes],
    ['epsilon', epsilon],
  ])
  return { steps, as: { opType: 'LayerNormalization', opset: 17, inputs, attributes } }
}

/** x · (erf(x / √2) + 1) / 2, its factors in any order. */
function gelu(block: Block, product: Step): Found | undefined {
  if (!isStandard(product, 'Mul')) return undefined
  const inner = product.inputs.map((value) => block.maker(value, 'Mul'))
  const at = inner.findIndex((step) => step !== undefined)
  const steps = at < 0 ? [product] : [inner[at]!, product]
  const factors = at < 0 ? [] : [product.inputs[1 - at], ...inner[at]!.inputs]
  const half = factors.findIndex((value) => block.number(value) === 0.5)
  const sum = factors
    .map((value) => block.maker(value, 'Add'))
    .find((step) => step && block.beside(step, 1) !== undefined)
  const error = sum && block.maker(block.beside(sum, 1)!, 'Erf')
  const scaled = error && (block.maker(error.inputs[0], 'Div') ?? block.maker(error.inputs[0], 'Mul'))
  if (half < 0 || !scaled) return undefined
  const x = scaled.opType === 'Div' ? quotientBy(block, scaled, Math.SQRT2) : block.beside(scaled, Math.SQRT1_2)
  const rest = axesOf(factors).filter((i) => i !== half && factors[i] !== sum!.outputs[0])
  if (x === undefined || rest.length !== 1 || factors[rest[0]] !== x) return undefined
  return {
    steps: [scaled, error!, sum!, ...steps],
    as: { opType: 'Gelu', opset: 20, inputs: [x], attributes: new Map() },
  }
}

const quotientBy = (block: Block, { inputs }: Step, divisor: number): number | undefined =>
  Math.abs((block.number(inputs[1]) ?? 0) - divisor) < 1e-6 ? inputs[0] : undefined
