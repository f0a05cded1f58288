/** The Elman network, `torch.nn.RNN`: h' = tanh, relu or another function of W_ih·x + b_ih + W_hh·h + b_hh. */
import type { SharedLayer } from '../calls/shared-layer.ts'
import { layerChecks } from '../options/checks.ts'
import { activation, shownActivation } from '../options/functions.ts'
import type { Activation, FromStateDictOptions, RNNOptions } from '../options/options.ts'
import type { StateDict } from '../weights/state-dict.ts'
import { type LayerClass, partsFromShared, partsFromStateDict } from './construct.ts'
import { type HiddenTypes, Layer } from './layer.ts'
import { construct, partsOf } from './module.ts'

const layerClass: LayerClass = {
  name: 'RNN',
  checks: { ...layerChecks, nonlinearity: activation },
  cell: () => 'rnnTanh',
}

/**
 * An Elman recurrent network with the semantics and weights of `torch.nn.RNN`.
 *
 * Source: J. L. Elman, "Finding structure in time" (1990); https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html
 *
 * @example
 * const rnn = new RNN(3, 4, { batchFirst: true })
 * rnn.loadStateDict(await loadSafetensors('rnn.safetensors'))
 * const { output, hn } = rnn.forward([[[1, 2, 3], [3, 4, 5], [5, 6, 7]]])
 */
export class RNN extends Layer<HiddenTypes> {
  /** What follows the sum of each unit. */
  readonly nonlinearity: 'tanh' | 'relu' | Activation

  /**
   * @param inputSize I, 1 to 2^20
   * @param hiddenSize H, 1 to 2^20
   * @param options see {@link RNNOptions}
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   */
  constructor(inputSize: number, hiddenSize: number, options?: RNNOptions) {
    super(layerClass, inputSize, hiddenSize, options)
    const { cell, functions } = partsOf(this).ref.spec
    this.nonlinearity = functions ? shownActivation(functions.directions[0][0]) : cell === 'rnnRelu' ? 'relu' : 'tanh'
  }

  /**
   * Makes a layer of a state dict; sizes, layers, bias and directions are read off its keys and shapes.
   *
   * @param dict weights by PyTorch's names; keys outside the prefix are ignored
   * @throws RNNError `ERR_RNN_STATE_DICT` naming every weight that does not fit, `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   * @example
   * const rnn = RNN.fromStateDict(await loadSafetensors('model.safetensors'), { prefix: 'rnn.' })
   */
  static fromStateDict(dict: StateDict, options?: FromStateDictOptions<RNNOptions>): RNN {
    return construct(RNN, partsFromStateDict(layerClass, dict, options))
  }

  /**
   * Opens a layer that another thread shares: the same weights, not a copy.
   *
   * @param handle what `share()` gave there
   * @throws RNNError `ERR_RNN_OPTION` for anything else, `ERR_RNN_BACKEND` where this thread cannot run its backend
   */
  static fromShared(handle: SharedLayer): RNN {
    return construct(RNN, partsFromShared(layerClass, handle))
  }
}
