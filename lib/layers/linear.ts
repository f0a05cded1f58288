/** The fully connected layer, `torch.nn.Linear`: what usually follows a recurrent layer. */

import { chooseBackend } from '../backends/index.ts'
import type { Backend, OperatorCore } from '../backends/interface.ts'
import { checkApart, outTensor, readOutTensor } from '../calls/out.ts'
import { checkThis, failShape } from '../errors.ts'
import { sqrt, zeros } from '../intrinsics/captured.ts'
import {
  backendName,
  boolean,
  precisionChecks,
  precisionOf,
  prefixChecks,
  readOptions,
  seed,
  size,
} from '../options/checks.ts'
import type { PrecisionOptions, PrefixOptions } from '../options/options.ts'
import type { BackendName } from '../spec/spec.ts'
import type { Precision } from '../spec/weight-types.ts'
import { checkNotDetached, readTensor } from '../tensor/read.ts'
import { checkCount, elements } from '../tensor/shape.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'
import { checkMatrix } from '../weights/names.ts'
import { Uniform } from '../weights/random.ts'
import { type StateDict, StateDictReader } from '../weights/state-dict.ts'
import { construct, finished, Module, Parts, partsOf } from './module.ts'

/** Options of {@link Linear}. */
export interface LinearOptions extends PrecisionOptions {
  /** Whether a bias is added; true by default. */
  bias?: boolean
  /** Any integer: makes the initial weights reproducible. They are U(−1/√in, 1/√in). */
  seed?: number
  /** Default: the best one this machine can run. */
  backend?: BackendName
}

const outChecks = { out: outTensor } as const

interface LinearWeights {
  readonly weight: Float32Array
  readonly bias?: Float32Array
}

class LinearParts extends Parts<LinearParts> {
  readonly inFeatures: number
  readonly outFeatures: number
  readonly backend: Backend
  readonly precision: Precision
  readonly hasBias: boolean
  /** It alone has the weights. */
  readonly core: OperatorCore

  constructor(
    inFeatures: number,
    outFeatures: number,
    { weight, bias }: LinearWeights,
    backend: Backend,
    precision: Precision,
  ) {
    super()
    this.inFeatures = inFeatures
    this.outFeatures = outFeatures
    this.backend = backend
    this.precision = precision
    this.hasBias = bias !== undefined
    this.core = backend.operator('linear', [inFeatures, outFeatures], [weight, bias], precision)
  }

  override stateDict(): Record<string, Tensor> {
    const weights = this.core.weights()
    // By index: iterators may have been replaced.
    const weight = new Tensor(weights[0], [this.outFeatures, this.inFeatures])
    return this.hasBias ? { weight, bias: new Tensor(weights[1], [this.outFeatures]) } : { weight }
  }

  override reload(reader: StateDictReader): LinearParts {
    const { inFeatures, outFeatures, hasBias, backend, precision } = this
    const read = readWeights(reader, inFeatures, outFeatures, hasBias, precision)
    return new LinearParts(inFeatures, outFeatures, read, backend, precision)
  }

  override get weightBytes(): number {
    return this.core.weightBytes
  }

  override dispose(): void {
    this.core.dispose()
  }
}

/**
 * y = x · Wᵀ + b over the last axis. The weights are `weight` (out, in) and `bias` (out).
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
 *
 * @example
 * const head = Linear.fromStateDict(dict, { prefix: 'head.' })
 * const logits = head.forward(rnn.forward(x).output)
 */
export class Linear extends Module<LinearParts> {
  readonly inFeatures: number
  readonly outFeatures: number
  /** Whether a bias is added. */
  readonly bias: boolean
  /** The backend that computes. */
  readonly backend: BackendName

  /**
   * @param inFeatures length of the last axis of the input, 1 to 2^20
   * @param outFeatures length of the last axis of the output, 1 to 2^20
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   */
  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    const parts = finished<LinearParts>(inFeatures) ?? drawParts(inFeatures, outFeatures, options)
    super('Linear', parts)
    this.inFeatures = parts.inFeatures
    this.outFeatures = parts.outFeatures
    this.bias = parts.hasBias
    this.backend = parts.backend.name
  }

  /**
   * @param x any shape whose last axis has length `inFeatures`
   * @param options `out`: a tensor of the result's shape, which is written into and comes back; it must share no memory with `x`
   * @returns the same shape with last axis `outFeatures`
   * @throws RNNError `ERR_RNN_SHAPE`, `ERR_RNN_OPTION`, `ERR_RNN_DISPOSED`
   */
  forward(x: TensorLike, options?: { out?: Tensor }): Tensor {
    checkThis(this, Linear, 'linear.forward')
    partsOf(this)
    const given = options === undefined ? undefined : readOptions(options, outChecks, 'Linear.forward').out
    const input = readTensor(x, 'input')
    const last = input.shape.at(-1)
    if (last !== this.inFeatures) {
      failShape(`input.size(-1) must be equal to in_features. Expected ${this.inFeatures}, got ${last}`)
    }
    const rows = elements(input.shape) / this.inFeatures
    checkCount(rows * this.outFeatures, 'the output of this input')
    const shape = [...input.shape.slice(0, -1), this.outFeatures]
    const out = given && readOutTensor(given, 'out', shape)
    checkNotDetached('input', input)
    if (out) {
      checkNotDetached('out', out)
      checkApart('out', out, 'input', input)
    }
    const { core } = partsOf(this)
    const y = rows === 0 ? zeros(0) : core.run(input.data, rows, out?.data)
    return given ?? new Tensor(y, shape)
  }

  /**
   * Makes a layer of a state dict; sizes and bias are read off it.
   *
   * @throws RNNError `ERR_RNN_STATE_DICT`, `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   */
  static fromStateDict(
    dict: StateDict,
    options?: PrefixOptions & PrecisionOptions & { backend?: BackendName },
  ): Linear {
    const checks = { ...prefixChecks, ...precisionChecks, backend: backendName }
    const read = readOptions(options, checks, 'Linear.fromStateDict')
    const { prefix, backend } = read
    const precision = precisionOf(read)
    const reader = new StateDictReader(dict, prefix)
    const [outFeatures, inFeatures] = reader.matrix('weight')
    reader.sizes({ in_features: inFeatures, out_features: outFeatures })
    const weights = readWeights(reader, inFeatures, outFeatures, reader.has('bias'), precision)
    return construct(Linear, new LinearParts(inFeatures, outFeatures, weights, chooseBackend(backend), precision))
  }
}

function drawParts(inFeatures: number, outFeatures: number, given: unknown): LinearParts {
  const I = size(inFeatures, 'inFeatures')
  const O = size(outFeatures, 'outFeatures')
  const options = readOptions(given, { bias: boolean, seed, backend: backendName, ...precisionChecks }, 'Linear')
  const precision = precisionOf(options)
  checkMatrix('weight', [O, I])
  const backend = chooseBackend(options.backend)
  const random = new Uniform(options.seed, backend.fill)
  const bound = 1 / sqrt(I)
  const draw = (count: number) => {
    const values = zeros(count)
    random.fill(values, 0, count, bound)
    return values
  }
  const weight = draw(O * I)
  const bias = (options.bias ?? true) ? draw(O) : undefined
  return new LinearParts(I, O, { weight, bias }, backend, precision)
}

function readWeights(
  reader: StateDictReader,
  I: number,
  O: number,
  hasBias: boolean,
  { weights: type }: Precision,
): LinearWeights {
  const weight = zeros(O * I)
  const bias = hasBias ? zeros(O) : undefined
  reader.take('weight', [O, I], weight, type)
  if (bias) reader.take('bias', [O], bias, 'f32')
  reader.finish()
  return { weight, bias }
}
