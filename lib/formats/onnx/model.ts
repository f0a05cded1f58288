/** A whole ONNX file: its graph, its functions, the versions of its operators; knows ModelProto. */

import { describe, fail } from '../../errors.ts'
import type { ExternalFiles } from './external.ts'
import { domainOf } from './file-node.ts'
import { FileFunction, FileGraph, type GraphHome, readOpsets } from './graph.ts'
import { Message } from './protobuf.ts'

/** Protobuf's own bound of one message. */
const largestFile = 2 ** 31

export class FileModel implements GraphHome {
  readonly files: ExternalFiles
  readonly graph: FileGraph
  readonly #message: Message
  readonly #opsets: ReadonlyMap<string, number>
  #functions: ReadonlyMap<string, FileFunction> | undefined

  constructor(bytes: Uint8Array, files: ExternalFiles) {
    const model = new Message(bytes, 0, bytes.length, 'the model')
    if (bytes.length >= largestFile) model.fail('a file of 2 GiB or more', bytes.length)
    let graph: Message | undefined
    for (const field = model.fields(); field.next(); ) {
      if (field.id !== 7) continue
      if (graph !== undefined) model.fail('a second graph', field.at)
      graph = model.message(field, 'the graph')
    }
    this.files = files
    this.#message = model
    this.#opsets = readOpsets(model, 8)
    this.graph = new FileGraph(this, graph ?? model.fail('no graph; is this an ONNX file?', bytes.length), 'the graph')
  }

  fail(what: string): never {
    return fail('ERR_RNN_MODEL_FILE', `The ONNX file cannot be read: ${what}`)
  }

  /** Files from before there were versions have the first. */
  opset(domain: string): number {
    return this.#opsets.get(domain) ?? 1
  }

  /** All of them by {@link keyOf}, read when somebody asks. */
  get functions(): ReadonlyMap<string, FileFunction> {
    this.#functions ??= readFunctions(this, this.#message)
    return this.#functions
  }

  /** The function that a node of this domain and type calls, if the file has one. */
  function(domain: string, name: string): FileFunction | undefined {
    return this.functions.get(keyOf(domain, name))
  }
}

// A line break is in no name of both that could be mistaken for the other's end: the length of the first comes first.
const keyOf = (domain: string, name: string) => `${domain.length}:${domain}:${name}`

function readFunctions(model: FileModel, message: Message): Map<string, FileFunction> {
  const functions = new Map<string, FileFunction>()
  for (const body of message.messages(25, 'function', true)) {
    const name = body.textOf(1, 'the name')
    const key = keyOf(domainOf(body.textOf(10, 'the domain')), name)
    if (functions.has(key)) body.fail(`a second function named ${describe(name)}`, body.start)
    functions.set(key, new FileFunction(model, body, `function ${describe(name)}`))
  }
  return functions
}
