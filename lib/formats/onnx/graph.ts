/** Reads an ONNX file's nodes, and which tensors it holds; knows the messages around them, not what a node computes. */

import { describe } from '../../errors.ts'
import { type Field, Message } from './protobuf.ts'
import { type FileTensor, readFileTensor, readSparseFileTensor } from './tensor.ts'

/** What an attribute of a node may hold; tensors and graphs are not among what recurrent nodes have. */
export type AttributeValue = number | string | number[] | string[]

/** A node of the graph. Its attributes stay unread until somebody asks. */
export interface GraphNode {
  readonly name: string
  readonly opType: string
  readonly domain: string
  /** Names of values; an empty one is an optional input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly message: Message
  readonly attributes: readonly Field[]
}

/** What a graph holds, in the order of the file. */
export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly tensors: ReadonlyMap<string, FileTensor>
}

// The messages nest five deep (model, graph, node, attribute, tensor) and none is read from within itself: subgraphs
// and functions are stepped over. So no file can make the reading deeper.

/** Reads a whole file down to its nodes, and the tensors among its initializers and `Constant` nodes. */
export function readGraph(bytes: Uint8Array): Graph {
  const model: Message = new Message(bytes, 0, bytes.length, 'the model')
  let graph: Message | undefined
  for (const field of model.fields()) {
    if (field.id !== 7) continue
    if (graph !== undefined) model.fail('a second graph', field.at)
    graph = model.message(field, 'the graph')
  }
  if (graph === undefined) model.fail('no graph; is this an ONNX file?', bytes.length)

  const nodes: GraphNode[] = []
  const tensors = new Map<string, FileTensor>()
  const add = (name: string, tensor: FileTensor) => {
    if (name === '') return
    if (tensors.has(name)) tensor.message.fail(`a second tensor named ${describe(name)}`, tensor.message.start)
    tensors.set(name, tensor)
  }
  for (const field of graph.fields()) {
    if (field.id === 1) nodes.push(readNode(graph.message(field, `node ${nodes.length}`)))
    else if (field.id === 5 || field.id === 15) {
      const read = field.id === 5 ? readFileTensor : readSparseFileTensor
      const tensor = read(graph.message(field, `initializer ${tensors.size}`))
      add(tensor.name, tensor)
    }
  }
  // ONNX asks that nodes stand in an order of computing, so one pass sees through every chain of Identity nodes.
  for (const node of nodes) {
    if (!isStandard(node)) continue
    if (node.opType === 'Constant') {
      const tensor = constantTensor(node)
      if (tensor !== undefined) add(node.outputs[0] ?? '', { ...tensor, name: node.outputs[0] })
    } else if (node.opType === 'Identity') {
      const tensor = tensors.get(node.inputs[0])
      if (tensor !== undefined) add(node.outputs[0] ?? '', tensor)
    }
  }
  return { nodes, tensors }
}

/** Whether a node's operator is one of ONNX itself, not of an extension that may use the same name. */
export function isStandard(node: GraphNode): boolean {
  return node.domain === '' || node.domain === 'ai.onnx'
}

function readNode(message: Message): GraphNode {
  const node = { name: '', opType: '', domain: '' }
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes: Field[] = []
  for (const field of message.fields()) {
    if (field.id === 1) inputs.push(message.text(field, 'the name of an input'))
    else if (field.id === 2) outputs.push(message.text(field, 'the name of an output'))
    else if (field.id === 3) node.name = message.text(field, 'the name')
    else if (field.id === 4) node.opType = message.text(field, 'op_type')
    else if (field.id === 5) attributes.push(field)
    else if (field.id === 7) node.domain = message.text(field, 'domain')
  }
  return { ...node, inputs, outputs, message, attributes }
}

function constantTensor(node: GraphNode): FileTensor | undefined {
  let tensor: FileTensor | undefined
  for (const field of node.attributes) {
    const attribute = node.message.message(field, `attribute of ${node.message.name}`)
    for (const part of attribute.fields()) {
      if (part.id === 5) tensor = readFileTensor(attribute.message(part, `the tensor of ${node.message.name}`))
    }
  }
  return tensor
}

/** The attributes of a node by name. */
export function readAttributes(node: GraphNode): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = Object.create(null)
  for (const field of node.attributes) {
    const message = node.message.message(field, `attribute of ${node.message.name}`)
    const { name, value } = readAttribute(message)
    if (name in attributes) message.fail(`a second attribute named ${describe(name)}`, message.start)
    attributes[name] = value ?? message.fail('an attribute that is neither numbers nor text', message.start)
  }
  return attributes
}

/** AttributeProto's types by the field that holds their value. */
const typeOfField: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 3, 7: 6, 8: 7, 9: 8 }

function readAttribute(message: Message): { name: string; value: AttributeValue | undefined } {
  let name = ''
  let type = 0
  let firstType = 0
  const floats: number[] = []
  const integers: number[] = []
  const strings: string[] = []
  // A writer may leave out a value that is zero or empty.
  const values: Record<number, AttributeValue | undefined> = { 1: 0, 2: 0, 3: '', 6: floats, 7: integers, 8: strings }
  for (const field of message.fields()) {
    firstType ||= typeOfField[field.id] ?? 0
    if (field.id === 1) name = message.text(field, 'the name')
    else if (field.id === 2) values[1] = readFloats(message, field, 'f', [])[0]
    else if (field.id === 3) values[2] = message.integer(field, 'i')
    else if (field.id === 4) values[3] = message.text(field, 's')
    else if (field.id === 7) readFloats(message, field, 'floats', floats)
    else if (field.id === 8) message.integers(field, 'ints', integers)
    else if (field.id === 9) strings.push(message.text(field, 'strings'))
    else if (field.id === 20) type = message.integer(field, 'type')
    else if (field.id === 21) message.fail('an attribute that refers to a function is not supported', field.at)
  }
  // The oldest files leave the type out: then it is that of the value which is there.
  return { name, value: values[type || firstType] }
}

function readFloats(message: Message, field: Field, what: string, into: number[]): number[] {
  const [start, end] = message.fixed(field, what, 4, true)
  const view = new DataView(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength)
  for (let at = start; at < end; at += 4) into.push(view.getFloat32(at, true))
  return into
}
