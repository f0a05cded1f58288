/** Constant folding: the value of a name, if the file alone decides it. Computes what is asked for, each value once, and nothing else. */

import { describe } from '../errors.ts'
import type { Budget } from './budget.ts'
import { Call, madeAtOnce } from './call.ts'
import type { Graph, GraphNode } from './graph.ts'
import { operatorOf } from './operators/index.ts'
import type { OperatorRow } from './operators/row.ts'
import { withScales } from './scales.ts'
import { type Folded, LeftOut, type Scope, Unknown } from './scope.ts'
import type { GraphTensor } from './tensor.ts'

/** The longest chain of nodes that is followed; each waiting one takes memory. */
const longest = 2 ** 14
/** What a node costs in work beside the values that it makes. */
const workOfNode = 64

interface Ref {
  readonly scope: Scope
  readonly name: string
}

/** A node on its way: it asks for values by their names, and gets them. */
type Steps = Generator<Ref, readonly Folded[], Folded>

interface Waiting {
  readonly scope: Scope
  readonly node: GraphNode
  /** The output that was asked for. */
  readonly name: string
  readonly steps: Steps
}

/** What is made of values that the file alone does not decide. Without it they are only said to be unknown. */
export interface Compiler {
  /** An input of the whole graph. */
  input(name: string): Folded
  /** The operator of a node; throws for one that there is not. */
  operator(scope: Scope, node: GraphNode): OperatorRow
  /** Whether a node is computed by a step even where all its inputs are constant. */
  isStep(node: GraphNode): boolean
  /** The outputs of a node some of whose inputs are unknown. */
  step(scope: Scope, node: GraphNode, inputs: readonly (Folded | undefined)[]): readonly Folded[]
  /** The steps of a branch begin. */
  branch(scope: Scope): void
  /** The outputs of an If, by those of both of its branches. */
  choice(scope: Scope, node: GraphNode, condition: Unknown, branches: readonly Chosen[]): readonly Folded[]
}

/** A branch of an If, and what it gives. */
export interface Chosen {
  readonly scope: Scope
  readonly outputs: readonly Folded[]
}

/** The value of a name as it is seen in a scope. No recursion: chains of nodes may be as long as a file makes them. */
export function fold(scope: Scope, name: string, budget: Budget, compiler?: Compiler): Folded {
  const waiting: Waiting[] = []
  const ask = ({ scope, name }: Ref): Folded | undefined => {
    const found = lookUp(scope, name, budget, compiler)
    if (!('node' in found)) return found
    if (waiting.length >= longest) found.node.fail(`a chain of more than ${longest} nodes`)
    waiting.push({ ...found, steps: stepsOf(found.scope, found.node, budget, compiler) })
    return undefined
  }
  let value = ask({ scope, name })
  while (waiting.length > 0) {
    const top = waiting[waiting.length - 1]
    const step = top.steps.next(value as Folded)
    if (!step.done) {
      value = ask(step.value)
      continue
    }
    waiting.pop()
    value = settle(top, step.value)
  }
  return value as Folded
}

/** Remembers what a node made of all its outputs, and gives the one that was asked for. */
function settle({ scope, node, name }: Waiting, values: readonly Folded[]): Folded {
  for (const [i, output] of node.outputs.entries()) {
    if (output !== '' && values[i] !== undefined) scope.known.set(output, values[i])
  }
  return scope.known.get(name) ?? node.fail(`${describe(name)} is not among what it computes`)
}

/** A value that is known or can be read at once; or the node that makes it, marked as begun. */
function lookUp(
  from: Scope,
  asked: string,
  budget: Budget,
  compiler: Compiler | undefined,
): Folded | { scope: Scope; node: GraphNode; name: string } {
  let name = asked
  for (let scope: Scope | undefined = from; scope; ) {
    if (scope.known.has(name)) {
      return scope.known.get(name) ?? scope.graph.fail(`the value ${describe(name)} is computed from itself`)
    }
    const source = scope.graph.find(name, budget)
    if (source?.kind === 'node') {
      budget.take(0, source.node.fail)
      scope.known.set(name, undefined)
      return { scope, node: source.node, name }
    }
    if (source?.kind === 'tensor') {
      const value = source.tensor.read(budget)
      scope.known.set(name, value)
      return value
    }
    if (source?.kind === 'input') {
      const { call, graph }: Scope = scope
      if (call === undefined) {
        if (compiler !== undefined && scope.parent === undefined) return compiler.input(name)
        return new Unknown(`${describe(name)}, an input of ${graph.label}`)
      }
      name = call.node.inputs[source.index] ?? ''
      if (name === '') return new LeftOut(`an input of ${graph.label} that ${call.node.label} leaves out`)
      scope = call.scope
      continue
    }
    scope = scope.parent
  }
  return new Unknown(`${describe(name)}, which nothing in the file makes`)
}

/** What a node computes; the first input that is not constant says why it is not either. */
function* stepsOf(scope: Scope, node: GraphNode, budget: Budget, compiler: Compiler | undefined): Steps {
  budget.spend(workOfNode * (1 + node.inputs.length + node.outputs.length), node.fail)
  if (node.domain === '' && node.opType === 'If') return yield* stepsOfIf(scope, node, compiler)
  const callee = scope.graph.callee(node)
  if (callee !== undefined) return yield* outputsOf(scope.called(callee, node), callee, node)
  const row = compiler === undefined ? operatorOf(node.domain, node.opType) : compiler.operator(scope, node)
  if (row === undefined) return unknown(node, new Unknown(`a result of ${node.label}, which is no constant`))
  const [least, most] = row.inputs
  // Some writers name those that are left out at the end too.
  const given = node.inputs.findLastIndex((name) => name !== '') + 1
  if (given < least || given > most) node.fail(`${given} inputs`)
  const inputs: (Folded | undefined)[] = []
  for (const name of node.inputs) {
    const value = name === '' ? undefined : yield { scope, name }
    const isLeftOut = value instanceof LeftOut
    if (value instanceof Unknown && !isLeftOut && compiler === undefined) return unknown(node, value)
    inputs.push(isLeftOut ? undefined : value)
  }
  const isOpen = inputs.some((input) => input instanceof Unknown) || compiler?.isStep(node)
  if (compiler !== undefined && isOpen) return compiler.step(scope, node, inputs)
  const call = new Call(
    node,
    inputs as (GraphTensor | undefined)[],
    scope.attributesOf(node),
    scope.graph.opset(node.domain),
    budget,
  )
  return withScales(node.domain, node.opType, row, call, madeAtOnce(row.run, call))
}

const branchNames: readonly string[] = ['then_branch', 'else_branch']

/** On a constant condition it is the branch that it chooses. */
function* stepsOfIf(scope: Scope, node: GraphNode, compiler: Compiler | undefined): Steps {
  for (const name of compiler === undefined ? [] : node.attributes().keys()) {
    if (!branchNames.includes(name)) node.fail(`the attribute ${describe(name)} is not supported`)
  }
  const condition = yield { scope, name: node.inputs[0] ?? node.fail('the condition is missing') }
  if (!(condition instanceof Unknown)) {
    const body = bodyOf(scope, node, branchNames[condition.data[0] ? 0 : 1])
    return yield* outputsOf(body, body.graph, node)
  }
  if (compiler === undefined) return unknown(node, condition)
  const branches: Chosen[] = []
  for (const name of branchNames) {
    const body = bodyOf(scope, node, name)
    compiler.branch(body)
    branches.push({ scope: body, outputs: yield* outputsOf(body, body.graph, node) })
  }
  return compiler.choice(scope, node, condition, branches)
}

function bodyOf(scope: Scope, node: GraphNode, name: string): Scope {
  const branch = scope.attributesOf(node).get(name)
  if (typeof branch !== 'object' || !('graph' in branch)) return node.fail(`${name} is missing`)
  return scope.body(branch.graph)
}

/** The outputs of a body as those of the node that has it. */
function* outputsOf(scope: Scope, graph: Graph, node: GraphNode): Steps {
  const values: Folded[] = []
  for (const i of node.outputs.keys()) {
    const name = graph.outputs[i] ?? node.fail(`${graph.label} has ${graph.outputs.length} outputs`)
    values.push(name === '' ? new Unknown('an output without a name') : yield { scope, name })
  }
  return values
}

function unknown(node: GraphNode, why: Unknown): Folded[] {
  return node.outputs.map(() => why)
}
