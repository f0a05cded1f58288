/** From a graph by names to a flat list of steps over numbered values: functions and decided branches inlined, constants folded, and everything refused that cannot be run. */

import { describe } from '../errors.ts'
import type { Budget } from './budget.ts'
import { type Chosen, type Compiler, fold } from './fold.ts'
import type { AttributeValue, GraphNode } from './graph.ts'
import { operatorOf } from './operators/index.ts'
import type { OperatorRow } from './operators/row.ts'
import type { FlatGraph, GraphValue, Step, StepAttribute } from './plan.ts'
import { probe } from './probe.ts'
import { readNodeAttributes } from './recurrent/attributes.ts'
import { checkNode } from './recurrent/node.ts'
import { inNameOf, isRecurrent, isWeight, layerType, nodeParts, plainAttributes } from './recurrent/parts.ts'
import { recurrentOf } from './recurrent/shapes.ts'
import { type Folded, type Scope, Unknown } from './scope.ts'
import type { GraphTensor } from './tensor.ts'

/** A graph as it was read: its inputs are those that no tensor of the file stands for. */
export interface OpenGraph {
  readonly root: Scope
  readonly inputs: readonly GraphValue[]
  readonly outputs: readonly GraphValue[]
  readonly budget: Budget
}

/** A value that a run gives, by its number. */
class Value extends Unknown {
  readonly number: number

  constructor(number: number, why: string) {
    super(why)
    this.number = number
  }
}

/** Compiles what the outputs need. `constants`: inputs, by name, that are no inputs any more; of their declared types. */
export function flatten(graph: OpenGraph, constants: ReadonlyMap<string, GraphTensor>): FlatGraph {
  const { root, budget } = graph
  const flattening = new Flattening(graph, constants)
  const outputs = graph.outputs.map((output) => {
    const value = fold(root, output.name, budget, flattening)
    return {
      ...output,
      value: flattening.numberOf(value, (why) => root.graph.fail(`the output ${describe(output.name)} is ${why}`)),
    }
  })
  const flat = { ...flattening.result(root), outputs }
  probe(flat)
  return flat
}

class Flattening implements Compiler {
  readonly #budget: Budget
  readonly #given: ReadonlyMap<string, GraphTensor>
  readonly #inputs = new Map<string, GraphValue & { readonly value: number }>()
  readonly #constants = new Map<number, GraphTensor>()
  readonly #numbers = new Map<GraphTensor, number>()
  /** The steps of the whole graph and of each branch, by the scope that they begin in. */
  readonly #steps = new Map<Scope, Step[]>()
  #count = 0

  constructor({ root, inputs, budget }: OpenGraph, given: ReadonlyMap<string, GraphTensor>) {
    this.#budget = budget
    this.#given = given
    this.#steps.set(root, [])
    for (const input of inputs)
      if (!given.has(input.name)) this.#inputs.set(input.name, { ...input, value: this.#count++ })
  }

  result(root: Scope): Omit<FlatGraph, 'outputs'> {
    return {
      valueCount: this.#count,
      constants: this.#constants,
      steps: this.#steps.get(root)!,
      inputs: [...this.#inputs.values()],
    }
  }

  input(name: string): Folded {
    const input = this.#inputs.get(name)
    if (input !== undefined) return new Value(input.value, `the input ${describe(name)}`)
    return this.#given.get(name) ?? new Unknown(`${describe(name)}, which nothing gives`)
  }

  operator(scope: Scope, node: GraphNode): OperatorRow {
    const { domain, opType } = node
    const opset = scope.graph.opset(domain)
    const of = domain === '' ? '' : ` of the domain ${describe(domain)}`
    const own = recurrentOf(domain, opType)
    if (own !== undefined) return own
    const row = operatorOf(domain, opType)
    if (row === undefined) return node.fail(`the operator ${describe(opType)}${of}, opset ${opset}, is not supported`)
    for (const name of node.attributes().keys()) {
      if (row.attributes?.includes(name)) continue
      node.fail(`the attribute ${describe(name)} of ${describe(opType)}${of}, opset ${opset}, is not supported`)
    }
    return row
  }

  isStep(node: GraphNode): boolean {
    return isRecurrent(node)
  }

  step(scope: Scope, node: GraphNode, inputs: readonly (Folded | undefined)[]): readonly Folded[] {
    const attributes = new Map<string, StepAttribute>()
    for (const [name, value] of scope.attributesOf(node)) attributes.set(name, this.#attribute(node, name, value))
    if (isRecurrent(node)) this.#checkRecurrent(node, inputs, attributes)
    return this.#add(scope, node, inputs, attributes)
  }

  /** Whatever of it is known already. */
  #checkRecurrent(
    node: GraphNode,
    inputs: readonly (Folded | undefined)[],
    attributes: ReadonlyMap<string, StepAttribute>,
  ): void {
    const { opType, fail } = node
    const weights = inputs.filter((_, place) => isWeight(place))
    inNameOf(fail, () => {
      if (weights.some((input) => input instanceof Unknown)) {
        readNodeAttributes(layerType(opType), plainAttributes(attributes, fail))
      } else checkNode(nodeParts(opType, attributes, (place) => inputs[place] as GraphTensor, this.#budget, fail))
    })
  }

  branch(scope: Scope): void {
    this.#steps.set(scope, [])
  }

  choice(scope: Scope, node: GraphNode, condition: Unknown, chosen: readonly Chosen[]): readonly Folded[] {
    const [then, otherwise] = chosen.map((branch) => ({
      steps: this.#steps.get(branch.scope)!,
      outputs: branch.outputs.map((value, i) =>
        this.numberOf(value, (why) => node.fail(`output ${i} of ${branch.scope.graph.label} is ${why}`)),
      ),
    }))
    return this.#add(scope, node, [condition], new Map(), [then, otherwise])
  }

  #add(
    scope: Scope,
    node: GraphNode,
    inputs: readonly (Folded | undefined)[],
    attributes: ReadonlyMap<string, StepAttribute>,
    branches?: Step['branches'],
  ): readonly Folded[] {
    // Beside what each node takes: the step, its numbers, and what is known of its outputs.
    this.#budget.take(64 * (node.inputs.length + node.outputs.length), node.fail)
    const label = scope.around === undefined ? node.label : `${node.label} in ${scope.graph.label}`
    const outputs = node.outputs.map((name) => new Value(name === '' ? -1 : this.#count++, `a result of ${label}`))
    const numbers = inputs.map((input, i) =>
      input === undefined
        ? -1
        : this.numberOf(input, (why) => node.fail(`input ${i}, ${describe(node.inputs[i])}, is ${why}`)),
    )
    const { domain, opType } = node
    this.#stepsAt(scope).push({
      label,
      domain,
      opType,
      opset: scope.graph.opset(domain),
      inputs: numbers,
      outputs: outputs.map(({ number }) => number),
      attributes,
      ...(branches && { branches }),
    })
    return outputs
  }

  /** What a branch takes from around it is computed there, before it. */
  #stepsAt(scope: Scope): Step[] {
    return this.#steps.get(scope) ?? this.#stepsAt(scope.around!)
  }

  /** The number of a value; a constant gets one when it is first used. */
  numberOf(value: Folded, refuse: (why: string) => never): number {
    if (value instanceof Value) return value.number
    if (value instanceof Unknown) return refuse(value.why)
    let number = this.#numbers.get(value)
    if (number === undefined) {
      number = this.#count++
      this.#numbers.set(value, number)
      this.#constants.set(number, value)
    }
    return number
  }

  #attribute(node: GraphNode, name: string, value: AttributeValue): StepAttribute {
    if (typeof value !== 'object' || Array.isArray(value)) return value as StepAttribute
    if ('tensor' in value) return value.tensor.read(this.#budget)
    return node.fail(`the attribute ${describe(name)} is of a kind that is not supported`)
  }
}
