/** The lookup table, `torch.nn.Embedding`: what usually comes before a recurrent layer over symbols. */
import { describe, fail } from '../errors.ts'
import { copyOf, isInteger, zeros } from '../intrinsics/captured.ts'
import { property } from '../intrinsics/properties.ts'
import { typedArrayName } from '../intrinsics/typed-arrays.ts'
import { backendName, prefixChecks, readOptions, seed, size } from '../options/checks.ts'
import type { PrefixOptions } from '../options/options.ts'
import type { BackendName } from '../spec/spec.ts'
import { checkNotDetached, type ReadTensor, readTensor } from '../tensor/read.ts'
import { checkCount, elements } from '../tensor/shape.ts'
import { type NestedNumbers, Tensor } from '../tensor/tensor.ts'
import { Uniform } from '../weights/random.ts'
import { type StateDict, StateDictReader } from '../weights/state-dict.ts'
import { construct, finished, Module, Parts, partsOf } from './module.ts'

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

class EmbeddingParts extends Parts<EmbeddingParts> {
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly weight: Float32Array

  constructor(numEmbeddings: number, embeddingDim: number, weight: Float32Array) {
    super()
    this.numEmbeddings = numEmbeddings
    this.embeddingDim = embeddingDim
    this.weight = weight
  }

  override stateDict(): Record<string, Tensor> {
    return { weight: new Tensor(copyOf(this.weight), [this.numEmbeddings, this.embeddingDim]) }
  }

  override reload(reader: StateDictReader): EmbeddingParts {
    const { numEmbeddings, embeddingDim } = this
    return new EmbeddingParts(numEmbeddings, embeddingDim, readTable(reader, numEmbeddings, embeddingDim))
  }

  override dispose(): void {}
}

/**
 * Rows of a table by number. The table is `weight` (numEmbeddings, embeddingDim).
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 *
 * @example
 * const embedding = Embedding.fromStateDict(dict, { prefix: 'embedding.' })
 * const { output } = gru.forward(embedding.forward([7, 4, 11]))
 */
export class Embedding extends Module<EmbeddingParts> {
  /** Rows of the table. */
  readonly numEmbeddings: number
  /** Values of one row. */
  readonly embeddingDim: number

  /**
   * @param numEmbeddings rows, 1 to 2^20
   * @param embeddingDim values of one row, 1 to 2^20
   * @throws RNNError `ERR_RNN_OPTION`
   */
  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingOptions) {
    const parts = finished<EmbeddingParts>(numEmbeddings) ?? drawParts(numEmbeddings, embeddingDim, options)
    super('Embedding', parts)
    this.numEmbeddings = parts.numEmbeddings
    this.embeddingDim = parts.embeddingDim
  }

  /**
   * @param ids integers from 0 to numEmbeddings − 1: a typed array of integers, nested arrays, or a tensor
   * @returns the shape of `ids` and a last axis of `embeddingDim`
   * @throws RNNError `ERR_RNN_OPTION` for an id that is no integer of the range, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  forward(ids: Ids): Tensor {
    partsOf(this)
    const { data: values, shape } = readIds(ids)
    const D = this.embeddingDim
    const count = elements(shape)
    checkCount(count * D, 'the output of these ids')
    const y = zeros(count * D)
    const { weight } = partsOf(this)
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
   * Makes a layer of a state dict; the sizes are read off it.
   *
   * @throws RNNError `ERR_RNN_STATE_DICT`, `ERR_RNN_OPTION`
   */
  static fromStateDict(dict: StateDict, options?: PrefixOptions & { backend?: BackendName }): Embedding {
    const { prefix } = readOptions(options, { ...prefixChecks, backend: backendName }, 'Embedding.fromStateDict')
    const reader = new StateDictReader(dict, prefix)
    const [rows, D] = reader.matrix('weight')
    reader.sizes({ num_embeddings: rows, embedding_dim: D })
    return construct(Embedding, new EmbeddingParts(rows, D, readTable(reader, rows, D)))
  }
}

function drawParts(numEmbeddings: number, embeddingDim: number, given: unknown): EmbeddingParts {
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
  const data = property(ids, 'data')
  const floats = integerArrays.has(typedArrayName(data) ?? '') ? new Float32Array(data as Int32Array) : data
  const read = readTensor({ data: floats, shape: property(ids, 'shape'), dims: property(ids, 'dims') }, 'ids')
  checkNotDetached('ids', read)
  return read
}
