/** The lookup table, `torch.nn.Embedding`: what usually comes before a recurrent layer over symbols. */
import { describe, fail } from '../errors.ts'
import { backendName, prefixChecks, readOptions, seed, size } from '../options/checks.ts'
import type { PrefixOptions } from '../options/options.ts'
import type { BackendName } from '../spec/spec.ts'
import { copyOf, isInteger, zeros } from '../tensor/intrinsics.ts'
import { checkNotDetached, type ReadTensor, readTensor } from '../tensor/read.ts'
import { checkCount, elements } from '../tensor/shape.ts'
import { type NestedNumbers, Tensor } from '../tensor/tensor.ts'
import { typedArrayName } from '../tensor/typed-arrays.ts'
import { Uniform } from '../weights/random.ts'
import { type StateDict, StateDictReader } from '../weights/state-dict.ts'

/** Whole numbers in any shape: which rows to look up. */
export type Ids =
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | NestedNumbers
  | { readonly data: Int32Array | Float32Array; readonly shape: readonly number[] }
  | { readonly data: Int32Array | Float32Array; readonly dims: readonly number[] }

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** Any integer: makes the initial weights reproducible. They are standard normal. */
  seed?: number
  /** Taken so that one options object serves all layers; a lookup is the same on every backend. */
  backend?: BackendName
}

class EmbeddingParts {
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly weight: Float32Array

  constructor(numEmbeddings: number, embeddingDim: number, weight: Float32Array) {
    this.numEmbeddings = numEmbeddings
    this.embeddingDim = embeddingDim
    this.weight = weight
  }
}

/**
 * Rows of a table by number.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 *
 * @example
 * const embedding = Embedding.fromStateDict(dict, { prefix: 'embedding.' })
 * const { output } = gru.forward(embedding.forward([7, 4, 11]))
 */
export class Embedding {
  /** Rows of the table. */
  readonly numEmbeddings: number
  /** Values of one row. */
  readonly embeddingDim: number
  #weight: Float32Array | undefined

  /**
   * @param numEmbeddings rows, 1 to 2^20
   * @param embeddingDim values of one row, 1 to 2^20
   * @throws RNNError `ERR_RNN_OPTION`
   */
  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingOptions) {
    const given: unknown = numEmbeddings
    const parts = given instanceof EmbeddingParts ? given : makeParts(numEmbeddings, embeddingDim, options)
    this.numEmbeddings = parts.numEmbeddings
    this.embeddingDim = parts.embeddingDim
    this.#weight = parts.weight
  }

  /**
   * @param ids integers from 0 to numEmbeddings − 1: a typed array of integers, nested arrays, or a tensor
   * @returns the shape of `ids` and a last axis of `embeddingDim`
   * @throws RNNError `ERR_RNN_OPTION` for an id that is no integer of the range, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  forward(ids: Ids): Tensor {
    this.#use()
    const { data: values, shape } = readIds(ids)
    const D = this.embeddingDim
    const count = elements(shape)
    checkCount(count * D, 'the output of these ids')
    const y = zeros(count * D)
    const weight = this.#use()
    for (let i = 0; i < count; i++) {
      const id = values[i]
      if (!isInteger(id) || id < 0 || id >= this.numEmbeddings) {
        fail(
          'ERR_RNN_OPTION',
          `index out of range: ids[${i}] must be an integer from 0 to ${this.numEmbeddings - 1}, got ${id}`,
        )
      }
      for (let j = 0; j < D; j++) y[i * D + j] = weight[id * D + j]
    }
    return new Tensor(y, [...shape, D])
  }

  /**
   * The table by PyTorch's name: `weight` (numEmbeddings, embeddingDim); a copy.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  stateDict(): Record<string, Tensor> {
    return { weight: new Tensor(copyOf(this.#use()), [this.numEmbeddings, this.embeddingDim]) }
  }

  /**
   * Replaces the table, or, where anything is wrong, nothing.
   *
   * @throws RNNError `ERR_RNN_STATE_DICT`, `ERR_RNN_OPTION`, `ERR_RNN_DISPOSED`
   */
  loadStateDict(dict: StateDict, options?: PrefixOptions): void {
    this.#use()
    const { prefix } = readOptions(options, prefixChecks, 'Embedding.loadStateDict')
    const weight = readTable(new StateDictReader(dict, prefix), this.numEmbeddings, this.embeddingDim)
    this.#use()
    this.#weight = weight
  }

  /**
   * Makes a layer of a state dict; the sizes are read off it.
   *
   * @throws RNNError `ERR_RNN_STATE_DICT`, `ERR_RNN_OPTION`
   */
  static fromStateDict(dict: StateDict, options?: PrefixOptions & { backend?: BackendName }): Embedding {
    const { prefix } = readOptions(options, { ...prefixChecks, backend: backendName }, 'Embedding.fromStateDict')
    const reader = new StateDictReader(dict, prefix)
    const [rows, D] = reader.matrix('weight')
    reader.sizes({ num_embeddings: rows, embedding_dim: D })
    const parts: unknown = new EmbeddingParts(rows, D, readTable(reader, rows, D))
    return new Embedding(parts as number, D)
  }

  /** Frees the table. Idempotent; a later use is `ERR_RNN_DISPOSED`. */
  dispose(): void {
    this.#weight = undefined
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #use(): Float32Array {
    return this.#weight ?? fail('ERR_RNN_DISPOSED', 'the Embedding was disposed and cannot be used any more')
  }
}

function makeParts(numEmbeddings: number, embeddingDim: number, given: unknown): EmbeddingParts {
  const rows = size(numEmbeddings, 'numEmbeddings')
  const D = size(embeddingDim, 'embeddingDim')
  const options = readOptions(given, { seed, backend: backendName }, 'Embedding')
  if (rows * D > 2 ** 30)
    fail('ERR_RNN_OPTION', `the sizes are too large together: weight of shape (${rows}, ${D}) passes 2^30 values`)
  const random = new Uniform(options.seed)
  return new EmbeddingParts(rows, D, random.normals(rows * D))
}

function readTable(reader: StateDictReader, rows: number, D: number): Float32Array {
  const weight = zeros(rows * D)
  reader.take('weight', [rows, D], weight)
  reader.finish()
  return weight
}

const integerArrays = new Set(['Int32Array', 'Uint32Array', 'Int16Array', 'Uint16Array', 'Int8Array', 'Uint8Array'])

/** As float32, which is exact up to 2^24: past that every id is out of range, rounded or not. */
function readIds(ids: unknown): ReadTensor {
  if (integerArrays.has(typedArrayName(ids) ?? '')) {
    const data = new Float32Array(ids as Int32Array)
    return { data, shape: [data.length] }
  }
  if (typedArrayName(ids) !== undefined) {
    const hint = '; Int32Array.from(ids, Number) makes one'
    fail('ERR_RNN_SHAPE', `ids must be a typed array of integers up to 32 bits, got ${describe(ids)}${hint}`)
  }
  if (typeof ids !== 'object' || ids === null || Array.isArray(ids)) return readTensor(ids, 'ids')
  const { data, shape, dims } = ids as { data?: unknown; shape?: unknown; dims?: unknown }
  const floats = integerArrays.has(typedArrayName(data) ?? '') ? new Float32Array(data as Int32Array) : data
  const read = readTensor({ data: floats, shape, dims }, 'ids')
  checkNotDetached('ids', read)
  return read
}
