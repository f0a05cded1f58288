/** Layers of Keras and tfjs as layers of this package: the one public function, and the network that weights and config make. */

import { failOption } from '../../errors.ts'
import { layerFromSpec } from '../../layers/from-network.ts'
import type { GRU } from '../../layers/gru.ts'
import type { LSTM } from '../../layers/lstm.ts'
import type { RNN } from '../../layers/rnn.ts'
import { anything, checkOwn, layerChecks, precisionOf, readOptions } from '../../options/checks.ts'
import { cellOfOptions } from '../../options/functions.ts'
import type { LayerOptions } from '../../options/options.ts'
import type { ClassName, Direction } from '../../spec/spec.ts'
import type { TensorLike } from '../../tensor/tensor.ts'
import { type KerasConfig, type KerasType, kerasType, readConfig } from './config.ts'
import { convertWeights, readTensors } from './weights.ts'

export type { KerasActivation, KerasConfig, KerasType } from './config.ts'

/** A recurrent layer as Keras or tfjs has it. */
export interface KerasLayer<Type extends KerasType = KerasType> {
  /** The layer's class; of a `Bidirectional` the class of the layer inside. */
  type: Type
  /** What `layer.get_weights()` gives, in its order; of a `Bidirectional` the forward layer's, then the backward one's. */
  weights: readonly TensorLike[]
  /** What `layer.get_config()` gives, or the part of it that is not the default. */
  config?: KerasConfig
}

/** The class that a layer of Keras becomes. */
export type KerasResult<Type extends KerasType> = Type extends 'SimpleRNN'
  ? RNN
  : Type extends 'GRU' | 'CuDNNGRU'
    ? GRU
    : LSTM

/**
 * Makes a layer of a Keras or tfjs layer's weights and config. The layout of sequences is an option as ever: Keras's own, (B, T, …), is
 * `batchFirst: true`.
 *
 * A layer with `go_backwards` runs from the last step to the first; its `output` stands in the order of time, where Keras's stands in the order
 * of computation.
 *
 * Source: https://keras.io/api/layers/recurrent_layers/
 *
 * @param layer its class, weights and config
 * @param options as for a constructor; sizes, bias and directions are the layer's own, and an option that says otherwise is an error
 * @throws RNNError `ERR_RNN_STATE_DICT` for weights that do not fit, saying which are expected, or that are not finite; `ERR_RNN_OPTION` for a
 * config that asks for what cannot be computed, by its name; `ERR_RNN_SHAPE` for a weight that is no tensor; `ERR_RNN_BACKEND`
 * @example
 * const file = await loadSafetensors('lstm.safetensors')
 * const lstm = fromKeras({ type: 'LSTM', weights: [file.kernel, file.recurrent_kernel, file.bias] }, { batchFirst: true })
 */
export function fromKeras<Type extends KerasType>(layer: KerasLayer<Type>, options?: LayerOptions): KerasResult<Type> {
  const read = readOptions(layer, { type: kerasType, weights: anything, config: anything }, 'a Keras layer')
  const type = read.type ?? kerasType(undefined, 'type')
  const given = readOptions(options, layerChecks, 'fromKeras')
  const config = readConfig(type, read.config)
  const { className, weights, resetAfter, ...sizes } = convertWeights(type, readTensors(read.weights), config)
  const direction = directionOf(weights.length, config.goBackwards, config.bidirectional)
  checkOwn(given, { bias: sizes.bias, direction }, 'the Keras layer')
  const cells = { RNN: 'rnnTanh', GRU: resetAfter ? 'gru' : 'gruResetBefore', LSTM: 'lstm' } as const
  const { candidate, gate } = config
  const functions = { gate, candidate, output: candidate }
  const chosen = { clip: given.clip, nonlinearity: candidate, functions }
  const spec = {
    ...cellOfOptions(cells[className satisfies ClassName], className, weights.length, chosen),
    ...sizes,
    projSize: 0,
    numLayers: 1,
    direction,
    threads: given.threads ?? 1,
    ...precisionOf(given),
  }
  return layerFromSpec(spec, weights, given) as KerasResult<Type>
}

function directionOf(directions: number, goBackwards: boolean, bidirectional: boolean | undefined): Direction {
  if (directions === 1) return goBackwards ? 'reverse' : 'forward'
  if (!goBackwards) return 'bidirectional'
  const where = bidirectional ? 'config.layer' : 'config'
  return failOption(`${where}.go_backwards of a Bidirectional's forward layer must be false, got true`)
}
