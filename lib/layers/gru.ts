/** Gated recurrent units, `torch.nn.GRU`, with the reset gate after the product or before it. */

import type { SharedLayer } from '../calls/shared-layer.ts'
import { boolean, layerChecks } from '../options/checks.ts'
import { functionsOf } from '../options/functions.ts'
import type { FromStateDictOptions, GRUOptions } from '../options/options.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import type { StateDict } from '../weights/state-dict.ts'
import { type LayerClass, partsFromShared, partsFromStateDict } from './construct.ts'
import { type HiddenTypes, Layer } from './layer.ts'
import { construct, partsOf } from './module.ts'

const layerClass: LayerClass = {
  name: 'GRU',
  checks: { ...layerChecks, resetAfter: boolean, functions: functionsOf('gate', 'candidate') },
  cell: ({ resetAfter }) => (resetAfter === false ? 'gruResetBefore' : 'gru'),
}

/**
 * Gated recurrent units with the semantics and weights of `torch.nn.GRU` (gates r z n); with `resetAfter: false` those of the paper,
 * ONNX's default and Keras 1.
 *
 * Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014);
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
 *
 * @example
 * const gru = GRU.fromStateDict(await loadSafetensors('gru.safetensors'))
 * const { hn } = gru.forward(frames, { returnOutput: false })
 */
export class GRU extends Layer<HiddenTypes> {
  /** Whether the reset gate acts on the product (PyTorch) or on the state before it. */
  readonly resetAfter: boolean

  /**
   * @param inputSize I, 1 to 2^20
   * @param hiddenSize H, 1 to 2^20
   * @param options see {@link GRUOptions}
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   */
  constructor(inputSize: number, hiddenSize: number, options?: GRUOptions) {
    super(layerClass, inputSize, hiddenSize, options)
    this.resetAfter = cellTraits[partsOf(this).ref.spec.cell].candidateGates === 0
  }

  /**
   * Makes a layer of a state dict; sizes, layers, bias and directions are read off its keys and shapes.
   *
   * @param dict weights by PyTorch's names; keys outside the prefix are ignored
   * @throws RNNError `ERR_RNN_STATE_DICT` naming every weight that does not fit, `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   */
  static fromStateDict(dict: StateDict, options?: FromStateDictOptions<GRUOptions>): GRU {
    return construct(GRU, partsFromStateDict(layerClass, dict, options))
  }

  /**
   * Opens a layer that another thread shares: the same weights, not a copy.
   *
   * @param handle what `share()` gave there
   * @throws RNNError `ERR_RNN_OPTION` for anything else, `ERR_RNN_BACKEND` where this thread cannot run its backend
   */
  static fromShared(handle: SharedLayer): GRU {
    return construct(GRU, partsFromShared(layerClass, handle))
  }
}
