/** Where names are looked up: a graph within the graph around it, or a function within a call. Keeps what was found out. */

import type { AttributeValue, Graph, GraphFunction, GraphNode } from './graph.ts'
import type { GraphTensor } from './tensor.ts'

/** A value that is not constant, and why: words that complete "which is …". */
export class Unknown {
  readonly why: string

  constructor(why: string) {
    this.why = why
  }
}

/** An input that a call of a function does not give: an operator has it as one that is left out. */
export class LeftOut extends Unknown {}

/** What a value turned out to be. */
export type Folded = GraphTensor | Unknown

/** Bodies within bodies and calls within calls: protobuf's own readers give up on nesting near this. */
export const deepest = 40

/** A graph at one place of the model: the same function called twice has two. */
export class Scope {
  readonly graph: Graph
  /** Where names go on to be looked up, if this is a body. */
  readonly parent?: Scope
  /** Where a function is called. */
  readonly call?: { readonly node: GraphNode; readonly scope: Scope }
  /** What is known of values; `undefined` under a name is one that is being computed. */
  readonly known = new Map<string, Folded | undefined>()
  readonly #depth: number

  constructor(graph: Graph, parent?: Scope, call?: Scope['call']) {
    this.graph = graph
    this.parent = parent
    this.call = call
    const { around } = this
    this.#depth = around === undefined ? 0 : around.#depth + 1
    if (this.#depth > deepest) graph.fail(`bodies and calls nest deeper than ${deepest}`)
  }

  /** Where the node stands whose body this is, or that calls it. */
  get around(): Scope | undefined {
    return this.parent ?? this.call?.scope
  }

  /** The body of a node that stands here. */
  body(graph: Graph): Scope {
    return new Scope(graph, this)
  }

  /** A function that a node here calls. */
  called(graph: GraphFunction, node: GraphNode): Scope {
    for (let scope: Scope | undefined = this; scope; scope = scope.around) {
      if (scope.graph === graph) node.fail(`${graph.label} calls itself`)
    }
    return new Scope(graph, undefined, { node, scope: this })
  }

  /** The attributes of a node here, those that stand for attributes of the call replaced by them. */
  attributesOf(node: GraphNode): ReadonlyMap<string, AttributeValue> {
    const own = node.attributes()
    let resolved: Map<string, AttributeValue> | undefined
    for (const [name, value] of own) {
      if (typeof value !== 'object' || !('ref' in value)) continue
      resolved ??= new Map(own)
      const given = this.#callAttribute(value.ref, node)
      if (given === undefined) resolved.delete(name)
      else resolved.set(name, given)
    }
    return resolved ?? own
  }

  #callAttribute(name: string, node: GraphNode): AttributeValue | undefined {
    let scope: Scope = this
    while (scope.parent !== undefined) scope = scope.parent
    const { call, graph } = scope
    if (call === undefined) return node.fail('an attribute that refers to a function, outside of any')
    return call.scope.attributesOf(call.node).get(name) ?? (graph as GraphFunction).defaults().get(name)
  }
}
