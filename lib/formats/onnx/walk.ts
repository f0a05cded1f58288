/** Finds every recurrent node of a file, in bodies and functions too; keeps nothing of all other nodes. */

import type { Budget } from '../../graph/budget.ts'
import type { GraphFunction } from '../../graph/graph.ts'
import { recurrent } from '../../graph/recurrent/parts.ts'
import { deepest, Scope } from '../../graph/scope.ts'
import { latin } from '../file-kind.ts'
import type { FileNode } from './file-node.ts'
import type { FileFunction, FileGraph } from './graph.ts'
import type { FileModel } from './model.ts'
import type { Field, Message } from './protobuf.ts'

/** A recurrent node and where it stands; a function's nodes come once for each call. */
export interface Place {
  readonly scope: Scope
  readonly node: FileNode
  readonly name: string
}

/** Those that can be read, and one that is refused by name. */
const wanted: Readonly<Record<string, string>> = { __proto__: null as never, ...recurrent, AttnLSTM: 'com.microsoft' }
const isWanted = ({ domain, opType }: FileNode) => wanted[opType] === domain

export function recurrentNodes(model: FileModel, budget: Budget): Generator<Place> {
  /** Which functions have a recurrent node, or call one that has; undefined while that is looked up. */
  const reaching = new Map<GraphFunction, boolean | undefined>()
  return nodesIn(new Scope(model.graph), model.graph, '')

  function* nodesIn(scope: Scope, graph: FileGraph, prefix: string): Generator<Place> {
    for (const node of nodesOf(graph)) {
      const name = `${prefix}${node.name || node.outputs.find((output) => output !== '') || ''}`
      if (isWanted(node)) yield { scope, node, name }
      for (const body of bodiesOf(node, graph)) yield* nodesIn(scope.body(body), body, prefix)
      const callee = graph.callee(node)
      if (callee && reaches(callee, 0)) yield* nodesIn(scope.called(callee, node), callee, `${name}/`)
    }
  }

  /** The nodes that may be wanted, have bodies, or call functions. */
  function* nodesOf(graph: FileGraph): Generator<FileNode> {
    const { message, fields } = graph
    let number = 0
    budget.spend(message.end - message.start, graph.fail)
    for (const field = message.fields(); field.next(); ) {
      if (field.id !== fields.node) continue
      if (matters(message.message(field, 'node', number))) yield graph.node(field, number)
      number++
    }
  }

  /** Whether a node need be looked at, by what is to be seen without making anything of it. */
  function matters(node: Message): boolean {
    let mayRecur = false
    let hasBodies = false
    for (const field = node.fields(); field.next(); ) {
      // No name that is wanted is as long as that.
      if (field.id === 4) mayRecur = latin(node.bytes, field.start, Math.min(field.end, field.start + 32)) in wanted
      else if (field.id === 5) hasBodies ||= hasBody(node, field)
    }
    return mayRecur || hasBodies || model.functions.size > 0
  }

  function reaches(graph: FileFunction, depth: number): boolean {
    const known = reaching.get(graph)
    if (known !== undefined) return known
    if (reaching.has(graph)) return graph.fail(`${graph.label} calls itself`)
    reaching.set(graph, undefined)
    const found = reachesFrom(graph, depth)
    reaching.set(graph, found)
    return found
  }

  function reachesFrom(graph: FileGraph, depth: number): boolean {
    if (depth > deepest) graph.fail(`bodies and calls nest deeper than ${deepest}`)
    for (const node of nodesOf(graph)) {
      if (isWanted(node) || bodiesOf(node, graph).some((body) => reachesFrom(body, depth + 1))) return true
      const callee = graph.callee(node)
      if (callee && reaches(callee, depth + 1)) return true
    }
    return false
  }
}

/** As deep as scopes go. */
/** Whether an attribute holds a graph, or several. */
function hasBody(node: Message, field: Field): boolean {
  for (const part = node.message(field, 'attribute').fields(); part.next(); ) {
    if (part.id === 6 || part.id === 11) return true
  }
  return false
}

/** The graphs among a node's attributes, in their order. */
function bodiesOf(node: FileNode, graph: FileGraph): FileGraph[] {
  const bodies: FileGraph[] = []
  for (const attribute of node.message.messages(5, `attribute of ${node.label}`)) {
    for (const part = attribute.fields(); part.next(); ) {
      if (part.id !== 6 && part.id !== 11) continue
      bodies.push(graph.body(attribute.message(part, 'a graph'), attribute, node.label))
    }
  }
  return bodies
}
