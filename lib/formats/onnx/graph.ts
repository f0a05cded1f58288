/** A graph of an ONNX file as folding sees it: names are found in the bytes, nodes and tensors made when they are asked for. */

import { describe } from '../../errors.ts'
import type { Budget, Refuse } from '../../graph/budget.ts'
import type { AttributeValue, Graph, GraphFunction, GraphNode, Source } from '../../graph/graph.ts'
import { encodeUtf8 } from '../../platform/text.ts'
import type { ExternalFiles } from './external.ts'
import { domainOf, FileNode, type NodeHome, readAttributes } from './file-node.ts'
import { NameTable } from './names.ts'
import type { Field, Message } from './protobuf.ts'
import { FileTensor, tensorName } from './tensor.ts'

/** The numbers of the fields that a graph and a function have alike. */
export interface GraphFields {
  readonly node: number
  readonly input: number
  readonly output: number
  /** 0 where there are none. */
  readonly initializer: number
  readonly sparse: number
}

export const graphFields: GraphFields = { node: 1, input: 11, output: 12, initializer: 5, sparse: 15 }
export const functionFields: GraphFields = { node: 7, input: 4, output: 5, initializer: 0, sparse: 0 }

/** What a name stands for. */
const Kind = { node: 0, initializer: 1, sparse: 2, input: 3, twice: 4 } as const
type Kind = (typeof Kind)[keyof typeof Kind]

/** What a graph needs of the file that it stands in. */
export interface GraphHome {
  readonly files: ExternalFiles
  fail(what: string): never
  opset(domain: string): number
  function(domain: string, name: string): FileFunction | undefined
}

/** A graph, or the body of a node. */
export class FileGraph implements Graph, NodeHome {
  readonly label: string
  readonly message: Message
  readonly fields: GraphFields
  readonly model: GraphHome
  /** Whose operator sets this graph has: the file's, or those of the function around it. */
  protected owner: Pick<GraphHome, 'opset'>
  #table: NameTable | undefined
  #outputs: readonly string[] | undefined

  constructor(
    model: GraphHome,
    message: Message,
    label: string,
    fields = graphFields,
    owner: FileGraph['owner'] = model,
  ) {
    this.model = model
    this.message = message
    this.label = label
    this.fields = fields
    this.owner = owner
  }

  readonly fail: Refuse = (what) => this.model.fail(this.label === 'the graph' ? what : `${what}, in ${this.label}`)

  get outputs(): readonly string[] {
    this.#outputs ??= this.#readOutputs()
    return this.#outputs
  }

  opset(domain: string): number {
    return this.owner.opset(domain)
  }

  callee(node: GraphNode): FileFunction | undefined {
    return this.model.function(node.domain, node.opType)
  }

  /** The node of a field that this graph has. */
  node(field: Field, number: number): FileNode {
    return new FileNode(this.message.message(field, 'node', number), this)
  }

  tensor(message: Message): FileTensor {
    return new FileTensor(message, this.model.files)
  }

  /** A graph within an attribute of a node here. */
  body(message: Message, attribute: Message, owner: string): FileGraph {
    const label = `${describe(attribute.textOf(1, 'the name')).slice(1, -1)} of ${owner}`
    return new FileGraph(this.model, message, label, graphFields, this.owner)
  }

  find(name: string, budget: Budget): Source | undefined {
    this.#table ??= this.#readNames(budget)
    const place = this.#table.find(encodeUtf8(name), budget)
    if (place === undefined) return undefined
    const { at, kind, number } = place
    if (kind === Kind.input) return { kind: 'input', index: number }
    const field = this.message.fields()
    this.message.field(at, field)
    if (kind === Kind.node) return { kind: 'node', node: this.node(field, number) }
    if (kind === Kind.twice) this.message.fail(`a second value named ${describe(name)}`, at)
    if (kind === Kind.sparse) this.fail(`tensor ${describe(name)}: sparse tensors are not supported`)
    return { kind: 'tensor', tensor: this.tensor(this.message.message(field, 'initializer', number)) }
  }

  /** All names of values; two passes, so that the table is made in its size. */
  #readNames(budget: Budget): NameTable {
    const { message } = this
    budget.spend(2 * (message.end - message.start), this.fail)
    let names = 0
    this.#eachName(() => names++)
    // What a table of so many names takes; each name has more bytes in the file than a sixteenth of it.
    budget.take(28 * names, this.fail)
    const table = new NameTable(message.bytes, names, this.fail)
    this.#eachName((name, at, kind, number) => {
      if (name.end === name.start) return
      const place = { at, kind, number }
      table.add(name.start, name.end, place, budget, (known) => {
        if (kind === Kind.initializer || kind === Kind.sparse) {
          // The default of an input is an initializer of the same name, which counts.
          if (known.kind === Kind.input) return place
          message.fail(`a second tensor named ${describe(message.text(name, 'a name'))}`, name.at)
        }
        if (kind === Kind.input && known.kind !== Kind.node) return known
        // Nobody minds two outputs of one name as long as nobody wants either.
        return { ...place, kind: Kind.twice }
      })
    })
    return table
  }

  #eachName(visit: (name: Field, at: number, kind: Kind, number: number) => void): void {
    const { message, fields } = this
    const numbers = { node: 0, tensor: 0, input: 0 }
    for (const field = message.fields(); field.next(); ) {
      const { id } = field
      if (id === fields.node) {
        const node = message.message(field, 'node', numbers.node)
        for (const part = node.fields(); part.next(); ) {
          if (part.id === 2 && part.wire === 2) visit(part, field.at, Kind.node, numbers.node)
        }
        numbers.node++
      } else if (id === fields.initializer || id === fields.sparse) {
        const tensor = message.message(field, 'initializer', numbers.tensor)
        // SparseTensorProto's name is that of its values.
        const values = id === fields.sparse ? tensor.messageOf(1, 'the values of a sparse initializer') : tensor
        const name = values?.last(tensorName)
        if (name !== undefined) {
          visit(name, field.at, id === fields.sparse ? Kind.sparse : Kind.initializer, numbers.tensor)
        }
        numbers.tensor++
      } else if (id === fields.input) {
        const name = fields.initializer === 0 ? field : message.message(field, 'input', numbers.input).last(1)
        if (name !== undefined) visit(name, field.at, Kind.input, numbers.input)
        numbers.input++
      }
    }
  }

  #readOutputs(): string[] {
    const { message, fields } = this
    const names: string[] = []
    for (const field = message.fields(); field.next(); ) {
      if (field.id !== fields.output) continue
      if (fields.initializer === 0) names.push(message.text(field, 'the name of an output'))
      else names.push(message.message(field, 'output', names.length).textOf(1, 'the name'))
    }
    return names
  }
}

/** A function of the file. It has operator sets of its own, and sees nothing of what is around its calls. */
export class FileFunction extends FileGraph implements GraphFunction {
  readonly #opsets: ReadonlyMap<string, number>
  #defaults: ReadonlyMap<string, AttributeValue> | undefined

  constructor(model: GraphHome, message: Message, label: string) {
    super(model, message, label, functionFields)
    this.#opsets = readOpsets(message, 9)
    this.owner = this
  }

  override opset(domain: string): number {
    return this.#opsets.get(domain) ?? this.model.opset(domain)
  }

  defaults(): ReadonlyMap<string, AttributeValue> {
    this.#defaults ??= readAttributes(this.message, 11, this, this.label)
    return this.#defaults
  }
}

/** The versions of operators by domain, of a model or a function. */
export function readOpsets(message: Message, id: number): ReadonlyMap<string, number> {
  const opsets = new Map<string, number>()
  for (const set of message.messages(id, 'opset_import')) {
    opsets.set(domainOf(set.textOf(1, 'the domain')), set.integerOf(2, 'the version'))
  }
  return opsets
}
