/** A whole ONNX file opened to be compiled: its graph, and the inputs and outputs that it declares; knows ValueInfoProto. */

import { describe } from '../../errors.ts'
import { Budget, type Refuse } from '../../graph/budget.ts'
import type { OpenGraph } from '../../graph/flatten.ts'
import type { GraphValue } from '../../graph/plan.ts'
import { Scope } from '../../graph/scope.ts'
import { mostAxes, typeOfCode } from '../../graph/tensor.ts'
import { type ExternalData, ExternalFiles } from './external.ts'
import { graphFields } from './graph.ts'
import { FileModel } from './model.ts'
import type { Message } from './protobuf.ts'

/** Opens the bytes of a file. An initializer that is listed as an input too, as old files have them, is a constant and no input. */
export function openModel(bytes: Uint8Array, externalData?: ExternalData): OpenGraph {
  const budget = new Budget(bytes.length)
  const model = new FileModel(bytes, new ExternalFiles(externalData, budget))
  const { graph } = model
  const { message } = graph
  const lists: Record<'input' | 'output', GraphValue[]> = { input: [], output: [] }
  const declared = new Set<string>()
  budget.spend(message.end - message.start, graph.fail)
  for (const field = message.fields(); field.next(); ) {
    const isInput = field.id === graphFields.input
    if (!isInput && field.id !== graphFields.output) continue
    const what = isInput ? 'input' : 'output'
    const list = lists[what]
    budget.take(0, graph.fail)
    const info = message.message(field, what, list.length)
    const name = info.textOf(1, 'the name')
    if (isInput && graph.find(name, budget)?.kind !== 'input') continue
    const refuse: Refuse = (why) => graph.fail(`the ${what} ${describe(name)} ${why}`)
    if (declared.has(what + name)) refuse('is declared twice')
    declared.add(what + name)
    list.push({ name, ...typeOf(info, refuse) })
  }
  if (lists.output.length === 0) graph.fail('the graph has no outputs')
  return { root: new Scope(graph), inputs: lists.input, outputs: lists.output, budget }
}

/** ValueInfoProto's type: TypeProto, of a tensor. */
function typeOf(info: Message, refuse: Refuse): Pick<GraphValue, 'type' | 'shape'> {
  const type = info.messageOf(2, 'the type')
  const tensor = type?.messageOf(1, 'the tensor type')
  if (type === undefined) return refuse('has no type')
  if (tensor === undefined) return refuse('is no tensor, which is not supported')
  const code = tensor.integerOf(1, 'elem_type')
  const shape = tensor.messageOf(2, 'the shape')
  return {
    type: typeOfCode(code) ?? refuse(`has the data type ${code}, which is not supported`),
    shape: shape && sizesOf(shape, refuse),
  }
}

/** A size, a name, or undefined for an axis without either; writers have -1 for open ones too. */
function sizesOf(shape: Message, refuse: Refuse): GraphValue['shape'] {
  const sizes: (number | string | undefined)[] = []
  for (const axis of shape.messages(1, 'an axis', true)) {
    if (sizes.length === mostAxes) refuse(`has more than ${mostAxes} axes`)
    let size: number | string | undefined
    for (const part = axis.fields(); part.next(); ) {
      if (part.id === 1) {
        const value = Number(axis.anyInteger(part, 'dim_value'))
        size = value >= 0 ? value : undefined
      } else if (part.id === 2) size = axis.text(part, 'dim_param') || undefined
    }
    sizes.push(size)
  }
  return sizes
}
