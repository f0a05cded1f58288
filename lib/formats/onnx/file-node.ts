/** One node of an ONNX file, read out of its bytes when somebody wants it; knows NodeProto and AttributeProto. */

import { describe } from '../../errors.ts'
import type { Refuse } from '../../graph/budget.ts'
import type { AttributeValue, Graph, GraphNode, StoredTensor } from '../../graph/graph.ts'
import type { Field, Message } from './protobuf.ts'

/** More attributes than any operator has: they are kept as objects, each far larger than its bytes. */
const mostAttributes = 256
/** More inputs or outputs than any node has, for the same reason. */
const mostNames = 2 ** 16

/** The domain of ONNX's own operators has two names. */
export function domainOf(name: string): string {
  return name === 'ai.onnx' ? '' : name
}

/** What a node needs of the graph that it stands in. */
export interface NodeHome {
  fail(what: string): never
  tensor(message: Message): StoredTensor
  /** The graph that an attribute holds. */
  body(message: Message, attribute: Message, owner: string): Graph
}

export class FileNode implements GraphNode {
  readonly name: string = ''
  readonly opType: string = ''
  readonly domain: string = ''
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly message: Message
  readonly #graph: NodeHome
  #attributes: ReadonlyMap<string, AttributeValue> | undefined

  constructor(message: Message, graph: NodeHome) {
    const inputs: string[] = []
    const outputs: string[] = []
    for (const field = message.fields(); field.next(); ) {
      if (field.id === 1 && inputs.length <= mostNames) inputs.push(message.text(field, 'the name of an input'))
      else if (field.id === 2 && outputs.length <= mostNames) outputs.push(message.text(field, 'the name of an output'))
      else if (field.id === 3) this.name = message.text(field, 'the name')
      else if (field.id === 4) this.opType = message.text(field, 'op_type')
      else if (field.id === 7) this.domain = domainOf(message.text(field, 'domain'))
    }
    if (inputs.length > mostNames || outputs.length > mostNames) {
      message.fail(`more than ${mostNames} inputs or outputs`, message.start)
    }
    this.inputs = inputs
    this.outputs = outputs
    this.message = message
    this.#graph = graph
  }

  /** `node 3 "gate" (Slice)` */
  get label(): string {
    return `${this.#place} (${describe(this.opType).slice(1, -1)})`
  }

  get #place(): string {
    return this.name === '' ? this.message.name : `${this.message.name} ${describe(this.name)}`
  }

  readonly fail: Refuse = (what) => this.#graph.fail(`${this.label}: ${what}`)

  /** As `fail`, without the operator, where what was wrong says it. */
  readonly refuse: Refuse = (what) => this.#graph.fail(`${this.#place}: ${what}`)

  attributes(): ReadonlyMap<string, AttributeValue> {
    this.#attributes ??= readAttributes(this.message, 5, this.#graph, this.label)
    return this.#attributes
  }
}

/** The attributes among a message's fields of one number. */
export function readAttributes(message: Message, id: number, graph: NodeHome, owner: string) {
  const attributes = new Map<string, AttributeValue>()
  for (const attribute of message.messages(id, `attribute of ${owner}`)) {
    const { name, value } = readAttribute(attribute, graph, owner)
    if (attributes.has(name)) attribute.fail(`a second attribute named ${describe(name)}`, attribute.start)
    if (attributes.size >= mostAttributes) attribute.fail(`more than ${mostAttributes} attributes`, attribute.start)
    attributes.set(name, value ?? { unread: true })
  }
  return attributes
}

function readAttribute(message: Message, graph: NodeHome, owner: string) {
  let name = ''
  let ref = ''
  let type = 0
  let firstType = 0
  const floats: number[] = []
  const integers: (number | bigint)[] = []
  const strings: string[] = []
  // A writer may leave out a value that is zero or empty.
  const values: Record<number, AttributeValue | undefined> = { 1: 0, 2: 0, 3: '', 6: floats, 7: integers, 8: strings }
  for (const field = message.fields(); field.next(); ) {
    // AttributeProto's types stand in the order of the fields that hold their values, 2 to 9.
    if (field.id > 1 && field.id < 10) firstType ||= field.id - 1
    if (field.id === 1) name = message.text(field, 'the name')
    else if (field.id === 2) values[1] = readFloats(message, field, 'f', [])[0]
    else if (field.id === 3) values[2] = message.anyInteger(field, 'i')
    else if (field.id === 4) values[3] = bytesAsText(message, field)
    else if (field.id === 5) values[4] = { tensor: graph.tensor(message.message(field, `the tensor of ${owner}`)) }
    else if (field.id === 6) values[5] = { graph: graph.body(message.message(field, 'a graph'), message, owner) }
    else if (field.id === 7) readFloats(message, field, 'floats', floats)
    else if (field.id === 8) message.integers(field, 'ints', (value) => integers.push(value))
    else if (field.id === 9) strings.push(bytesAsText(message, field))
    else if (field.id === 20) type = message.integer(field, 'type')
    else if (field.id === 21) ref = message.text(field, 'ref_attr_name')
  }
  // The oldest files leave the type out: then it is that of the value which is there.
  return { name, value: ref === '' ? values[type || firstType] : { ref } }
}

/** Texts among attributes are bytes, and operators of other domains keep anything in them. */
function bytesAsText(message: Message, field: Field): string {
  try {
    return message.text(field, 'a text')
  } catch {
    return '\ufffd'
  }
}

function readFloats(message: Message, field: Field, what: string, into: number[]): number[] {
  message.checkFixed(field, what, 4, true)
  const view = new DataView(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength)
  for (let at = field.start; at < field.end; at += 4) into.push(view.getFloat32(at, true))
  return into
}
