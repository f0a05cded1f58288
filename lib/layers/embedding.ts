/** The lookup table, `torch.nn.Embedding`: what usually comes before a recurrent layer over symbols. */
import { checkThis, failOption } from '../errors.ts'
import { fround, isInteger, zeros } from '../intrinsics/captured.ts'
import { backendName, precisionChecks, prefixChecks, readOptions, seed, size } from '../options/checks.ts'
import type { PrefixOptions } from '../options/options.ts'
import { KeptMatrix } from '../precision/kept.ts'
import type { BackendName } from '../spec/spec.ts'
import type { WeightType } from '../spec/weight-types.ts'
import { type IntegerArray, type IntegerTensor, type NestedIntegers, readIntegers } from '../tensor/integers.ts'
import { checkCount, elements } from '../tensor/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { checkMatrix } from '../weights/names.ts'
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
  /** How the table is kept, as for recurrent layers; of int8 each row has its scale. What is looked up is float32. */
  weights?: WeightType
}

const checks = { backend: backendName, weights: precisionChecks.weights } as const

class EmbeddingParts extends Parts<EmbeddingParts> {
  readonly table: KeptMatrix

  constructor(numEmbeddings: number, embeddingDim: number, weight: Float32Array, type: WeightType) {
    super()
    this.table = KeptMatrix.of(type, weight, numEmbeddings, embeddingDim)
  }

  override stateDict(): Record<string, Tensor> {
    const { rows, columns } = this.table
    return { weight: new Tensor(this.table.plain(), [rows, columns]) }
  }

  override reload(reader: StateDictReader): EmbeddingParts {
    const { rows, columns, type } = this.table
    return new EmbeddingParts(rows, columns, readTable(reader, rows, columns, type), type)
  }

  override get weightBytes(): number {
    return this.table.bytes
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
    this.numEmbeddings = parts.table.rows
    this.embeddingDim = parts.table.columns
  }

  /**
   * @param ids integers from 0 to numEmbeddings − 1: any typed array (of bigints too), nested arrays, or an integer tensor
   * @returns the shape of `ids` and a last axis of `embeddingDim`
   * @throws RNNError `ERR_RNN_OPTION` for an id that is no integer of the range, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  forward(ids: Ids): Tensor {
    checkThis(this, Embedding, 'embedding.forward')
    partsOf(this)
    const { data: values, shape } = readIntegers(ids, 'ids')
    const { table } = partsOf(this)
    const { rows: numEmbeddings, columns: D } = table
    const row = zeros(D)
    const count = elements(shape)
    checkCount(count * D, 'the output of these ids')
    const y = zeros(count * D)
    for (let i = 0; i < count; i++) {
      const id = values[i]
      if (!isInteger(id) || id < 0 || id >= numEmbeddings) {
        failOption(`index out of range: ids[${i}] must be an integer from 0 to ${numEmbeddings - 1}, got ${id}`)
      }
      table.read(id, 1, row)
      const scale = table.scale(id)
      for (let j = 0; j < D; j++) y[i * D + j] = fround(scale * row[j])
    }
    return new Tensor(y, [...shape, D])
  }

  /**
   * Makes a layer of a state dict; the sizes are read off it.
   *
   * @throws RNNError `ERR_RNN_STATE_DICT`, `ERR_RNN_OPTION`
   */
  static fromStateDict(dict: StateDict, options?: PrefixOptions & Omit<EmbeddingOptions, 'seed'>): Embedding {
    const { prefix, weights = 'f32' } = readOptions(options, { ...prefixChecks, ...checks }, 'Embedding.fromStateDict')
    const reader = new StateDictReader(dict, prefix)
    const [rows, D] = reader.matrix('weight')
    reader.sizes({ num_embeddings: rows, embedding_dim: D })
    return construct(Embedding, new EmbeddingParts(rows, D, readTable(reader, rows, D, weights), weights))
  }
}

function drawParts(numEmbeddings: number, embeddingDim: number, given: unknown): EmbeddingParts {
  const rows = size(numEmbeddings, 'numEmbeddings')
  const D = size(embeddingDim, 'embeddingDim')
  const options = readOptions(given, { seed, ...checks }, 'Embedding')
  checkMatrix('weight', [rows, D])
  const random = new Uniform(options.seed)
  return new EmbeddingParts(rows, D, random.normals(rows * D), options.weights ?? 'f32')
}

function readTable(reader: StateDictReader, rows: number, D: number, type: WeightType): Float32Array {
  const weight = zeros(rows * D)
  reader.take('weight', [rows, D], weight, type)
  reader.finish()
  return weight
}
