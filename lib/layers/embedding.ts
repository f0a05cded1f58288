/** The lookup table, `torch.nn.Embedding`: what usually comes before a recurrent layer over symbols. */
import { fail } from '../errors.ts'
import { copyOf, isInteger, zeros } from '../intrinsics/captured.ts'
import { backendName, prefixChecks, readOptions, seed, size } from '../options/checks.ts'
import type { PrefixOptions } from '../options/options.ts'
import type { BackendName } from '../spec/spec.ts'
import { type IntegerArray, type IntegerTensor, type NestedIntegers, readIntegers } from '../tensor/integers.ts'
import { checkCount, elements } from '../tensor/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { Uniform } from '../weights/random.ts'
import { type StateDict, StateDictReader } from '../weights/state-dict.ts'
import { construct, finished, Module, Parts, partsOf } from './module.ts'

/** Whole numbers in any shape: which rows to look up. */
export type Ids = NestedIntegers | IntegerArray | IntegerTensor

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
   * @param ids integers from 0 to numEmbeddings − 1: any typed array (of bigints too), nested arrays, or an integer tensor
   * @returns the shape of `ids` and a last axis of `embeddingDim`
   * @throws RNNError `ERR_RNN_OPTION` for an id that is no integer of the range, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  forward(ids: Ids): Tensor {
    partsOf(this)
    const { data: values, shape } = readIntegers(ids, 'ids')
    const { weight, numEmbeddings, embeddingDim: D } = partsOf(this)
    const count = elements(shape)
    checkCount(count * D, 'the output of these ids')
    const y = zeros(count * D)
    for (let i = 0; i < count; i++) {
      const id = values[i]
      if (!isInteger(id) || id < 0 || id >= numEmbeddings) {
        fail(
          'ERR_RNN_OPTION',
          `index out of range: ids[${i}] must be an integer from 0 to ${numEmbeddings - 1}, got ${id}`,
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
