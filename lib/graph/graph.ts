/** What a graph is, whatever file it stands in: nodes, attributes, values by name, bodies and functions. Knows no operator. */

import type { Budget, Refuse } from './budget.ts'
import type { GraphTensor } from './tensor.ts'

/** A tensor that lies somewhere and is read when it is wanted. */
export interface StoredTensor {
  read(budget: Budget): GraphTensor
}

/** What an attribute holds. Integers beyond 2^53 are bigints. */
export type AttributeValue =
  | number
  | bigint
  | string
  | readonly (number | bigint)[]
  | readonly string[]
  | { readonly tensor: StoredTensor }
  | { readonly graph: Graph }
  /** Of a kind that no operator here has. */
  | { readonly unread: true }
  /** In a function: the attribute of this name at the call. */
  | { readonly ref: string }

/** A node. What it computes is its operator's to know. */
export interface GraphNode {
  readonly name: string
  readonly opType: string
  /** Empty for ONNX's own operators. */
  readonly domain: string
  /** Names of values; an empty one is an optional input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** `node 3 "gate" (Slice)`, for people. */
  readonly label: string
  /** Attributes as they stand, by name. */
  attributes(): ReadonlyMap<string, AttributeValue>
  /** Throws an error that begins with the node. */
  readonly fail: Refuse
}

/** Where a value of a graph comes from. */
export type Source =
  | { readonly kind: 'tensor'; readonly tensor: StoredTensor }
  | { readonly kind: 'node'; readonly node: GraphNode }
  | { readonly kind: 'input'; readonly index: number }

/** A graph, the body of a node, or of a function. */
export interface Graph {
  /** `the graph`, `then_branch of node 3 "choice" (If)`, for people. */
  readonly label: string
  readonly outputs: readonly string[]
  /** What makes the value of this name in this very graph. */
  find(name: string, budget: Budget): Source | undefined
  /** The version of a domain's operators. */
  opset(domain: string): number
  /** The function of the file that a node calls, where it is no operator. */
  callee(node: GraphNode): GraphFunction | undefined
  readonly fail: Refuse
}

/** A function of the file: its `find` knows its inputs by their place. */
export interface GraphFunction extends Graph {
  /** Attributes that a call may leave out. */
  defaults(): ReadonlyMap<string, AttributeValue>
}
