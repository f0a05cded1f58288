/** Whole models: the public class, how one is read from a file, and its life. */

import { chooseBackend } from '../backends/index.ts'
import { checkThis, describe, fail, failOption } from '../errors.ts'
import { checkBytes, onnxFile } from '../formats/file-kind.ts'
import { checkPath, readAt } from '../formats/files.ts'
import { openModel } from '../formats/onnx/open.ts'
import { flatten } from '../graph/flatten.ts'
import { bytesIn, freeze } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { rejected } from '../intrinsics/stack.ts'
import { precisionOf } from '../options/checks.ts'
import type { BackendName } from '../spec/spec.ts'
import type { BatcherOptions } from '../streams/batch/options.ts'
import { ModelBatcher, type ModelBatcherOptions } from './batcher.ts'
import { filesBeside } from './beside.ts'
import { ModelCore } from './core.ts'
import type { ModelStreamOptions } from './opening.ts'
import { type ModelOptions, type ReadModelOptions, readConstants, readModelOptions } from './options.ts'
import { runModel, runModelAsync } from './run.ts'
import { openSharedModel, type SharedModel, shareModel } from './shared-model.ts'
import { type ModelStream, openModelStream } from './stream.ts'
import { type ModelInput, type ModelTensor, type ModelValue, modelValue } from './values.ts'
import { checkWeights } from './weights.ts'

/** Options of `model.run`. */
export interface ModelRunOptions {
  /** The names of the outputs that are wanted; what only others need is not computed. Default: all. */
  outputs?: readonly string[]
}

/** Options of `model.runAsync`. */
export interface ModelRunAsyncOptions extends ModelRunOptions {
  /** Ends the run: it rejects with the signal's reason. */
  signal?: AbortSignal
}

/**
 * A whole model out of an ONNX file: recurrent layers and what stands around them, as PyTorch, Keras and Paddle export it. The graph is compiled
 * when it is read: constants are folded, and branches that constants decide are gone. For each set of input shapes it is then made into a
 * program, which is kept; one run is one call of native code.
 *
 * Models are made by `Model.read` and `Model.load`.
 *
 * @example
 * const model = await Model.load('model.onnx')
 * const { logits } = model.run({ features: [[[0.1, 0.2, 0.3]]] })
 */
export class Model {
  /** What the model takes, without the inputs that options made constants. */
  readonly inputs: readonly ModelValue[]
  /** What it gives. */
  readonly outputs: readonly ModelValue[]
  /** The backend that computes. */
  readonly backend: BackendName
  #core: ModelCore | undefined

  private constructor(core: ModelCore) {
    if (!(core instanceof ModelCore)) failOption('models are made by Model.read() or Model.load(), not by new')
    this.inputs = freeze(core.graph.inputs.map(modelValue))
    this.outputs = freeze(core.graph.outputs.map(modelValue))
    this.backend = core.backend.name
    this.#core = core
  }

  /**
   * Reads a model. The file need not be trusted: what it asks of memory and work is bounded by its own size.
   *
   * @param bytes the whole ONNX file; not needed afterwards
   * @param options constants in place of inputs, weights in other files, backend and threads
   * @throws RNNError `ERR_RNN_MODEL_FILE` for a file that is damaged or no ONNX file, or an operator, an attribute or a type that is not
   * supported, naming node, operator and opset; `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_BACKEND`
   * @example
   * const vad = Model.read(await readFile('silero_vad.onnx'), { constants: { sr: 16000n } })
   */
  static read(bytes: Uint8Array, options?: ModelOptions): Model {
    checkBytes(bytes, 'await Model.load(path)')
    return readModel(bytes, readModelOptions(options, 'Model.read'))
  }

  /**
   * Reads a model from disk, or in a page from a server, see {@link Model.read}. Weights that lie in other files are looked for in the folder
   * of the model and those below it, unless `externalData` gives them; in a page it must.
   *
   * @param path of the file; where there are no files, a URL or what `fetch` makes one of
   *
   * @throws (rejects) what `Model.read` throws, with the path in the message; errors of the file system and of the network pass as they are
   * @example
   * const model = await Model.load(new URL('model.onnx', import.meta.url))
   */
  static async load(path: string | URL, options?: ModelOptions): Promise<Model> {
    checkPath(path, 'Model.read')
    const read = readModelOptions(options, 'Model.load')
    return readAt(path, (bytes) => readModel(bytes, read, read.externalData ?? filesBeside(path)))
  }

  /**
   * Runs the model.
   *
   * @param inputs a value for each input, by its name; read as the input's type asks
   * @param options which outputs are wanted
   * @returns the outputs by their names, in arrays of the caller's own
   * @throws RNNError `ERR_RNN_OPTION` for a name that the model does not have, an input that is missing, a value or an index out of range,
   * `ERR_RNN_SHAPE` also for shapes that the graph cannot take, naming the node; `ERR_RNN_MODEL_FILE`, `ERR_RNN_DISPOSED`
   * @example
   * const { output, stateN } = model.run({ input: { data: frame, shape: [1, 576] }, state })
   */
  run(inputs: Record<string, ModelInput>, options?: ModelRunOptions): Record<string, ModelTensor> {
    checkThis(this, Model, 'model.run')
    return runModel(() => this.#use(), inputs, options)
  }

  /**
   * Runs the model beside the JavaScript thread: `run`'s numbers, to the bit, with the event loop free meanwhile. The inputs are copied before it
   * returns, and the model may be disposed while it runs.
   *
   * @param inputs as for `run`
   * @param options as for `run`, and a `signal`
   * @returns what `run` gives
   * @throws (rejects) what `run` throws; `signal.reason` when aborted
   * @example
   * const { logits } = await model.runAsync({ features }, { signal: AbortSignal.timeout(1000) })
   */
  runAsync(inputs: Record<string, ModelInput>, options?: ModelRunAsyncOptions): Promise<Record<string, ModelTensor>> {
    try {
      checkThis(this, Model, 'model.runAsync')
      return runModelAsync(() => this.#use(), inputs, options)
    } catch (error) {
      return rejected(error)
    }
  }

  /**
   * Opens a live sequence: inputs that are states are kept by the stream.
   *
   * @param options which inputs are states, and the sizes that the file leaves open
   * @throws RNNError `ERR_RNN_OPTION` for an unknown name, a size that is open, or an input whose values decide shapes; `ERR_RNN_SHAPE`
   * also for shapes that the graph cannot take; `ERR_RNN_MODEL_FILE`, `ERR_RNN_DISPOSED`
   * @example
   * const stream = vad.stream({ states: { state: 'stateN' }, shapes: { input: [1, 576] } })
   * for (const frame of frames) console.log(stream.step(frame).output[0])
   */
  stream(options?: ModelStreamOptions): ModelStream {
    checkThis(this, Model, 'model.stream')
    return openModelStream(() => this.#use(), options, 'Model.stream')
  }

  /**
   * Opens a stream on states that `stream.save()` gave, on any backend and machine. Its outputs are zeros until the next step.
   *
   * @param options as for `stream`, with the same states
   * @throws RNNError `ERR_RNN_STATE` for bytes that are damaged or of another model or other states; what `stream` throws
   */
  restoreStream(bytes: Uint8Array, options?: ModelStreamOptions): ModelStream {
    checkThis(this, Model, 'model.restoreStream')
    return openModelStream(() => this.#use(), options, 'Model.restoreStream', { bytes })
  }

  /**
   * Makes a batcher: many live streams of the model, whose steps run in batches beside the JavaScript thread.
   *
   * @param options how many steps run together, how long one may wait for others, how many may wait, how many streams there may be and how long
   * without a step; and what a stream takes
   * @throws RNNError `ERR_RNN_OPTION` also for a graph in which rows of a batch do not stay apart, naming the operator; `ERR_RNN_SHAPE`,
   * `ERR_RNN_MODEL_FILE`, `ERR_RNN_DISPOSED`
   * @example
   * const batcher = vad.batcher({ states: { state: 'stateN' }, shapes: { input: [1, 576] } })
   */
  batcher(options?: ModelBatcherOptions): ModelBatcher
  /** Options that were put together of those of a layer's batcher and a model's stream. */
  batcher(options: BatcherOptions & ModelStreamOptions): ModelBatcher
  batcher(options?: object): ModelBatcher {
    checkThis(this, Model, 'model.batcher')
    return new ModelBatcher({ current: () => this.#use(), coreOf: Model.#coreOf }, options)
  }

  /**
   * A handle that postMessage can carry: `Model.fromShared` opens the model in any thread of the process. Its constants and what is packed of
   * them are not copied, and live as long as any thread has a model, a stream or a handle on them. The first call moves them to shared memory.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   * @example
   * worker.postMessage(model.share()) // there: parentPort.once('message', (handle) => Model.fromShared(handle))
   */
  share(): SharedModel {
    checkThis(this, Model, 'model.share')
    return shareModel(this.#use())
  }

  /**
   * Opens a handle of `share()`, in any thread of the process.
   *
   * @throws RNNError `ERR_RNN_OPTION` for what is no handle, or one of another version; `ERR_RNN_BACKEND`
   */
  static fromShared(handle: SharedModel): Model {
    return modelOf(openSharedModel(handle))
  }

  /**
   * What the model's weights take, in bytes: its constants as the file has them, and what the backend has packed of them so far, in the format that
   * `weights` asks for.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  memory(): { weights: number } {
    checkThis(this, Model, 'model.memory')
    const { graph, store } = this.#use()
    let weights = store.bytes
    for (const { data } of graph.constants.values()) weights += bytesIn(data)
    return { weights }
  }

  /** Frees the model. Idempotent; a later use is `ERR_RNN_DISPOSED`. Open streams, and runs that have begun, live on. */
  dispose(): void {
    checkThis(this, Model, 'model.dispose')
    this.#core?.release()
    this.#core = undefined
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  static #coreOf(model: unknown): ModelCore | undefined {
    return isObject(model) && #core in model ? (model as Model).#use() : undefined
  }

  #use(): ModelCore {
    return this.#core ?? fail('ERR_RNN_DISPOSED', 'the model was disposed and cannot be used any more')
  }
}

/** The constructor is private, so that no public type shows what it takes. */
const modelOf = (core: ModelCore): Model => new (Model as unknown as new (core: ModelCore) => Model)(core)

function readModel(bytes: Uint8Array, options: ReadModelOptions, externalData = options.externalData): Model {
  const file = onnxFile(bytes)
  const precision = precisionOf(options)
  const backend = chooseBackend(options.backend)
  const opened = openModel(file, externalData)
  const graph = flatten(opened, readConstants(options.constants, opened.inputs))
  for (const { name, type } of graph.inputs)
    if (backend.takes?.(type) === false)
      fail(
        'ERR_RNN_MODEL_FILE',
        `The ONNX file cannot run on ${backend.name}: its input ${describe(name)} of type ${type} is not supported. Export it with float32 there, or read it with { backend: 'typescript' }`,
      )
  checkWeights(graph, precision)
  return modelOf(new ModelCore(graph, backend, options.threads ?? 1, precision, opened.budget.bytes))
}
