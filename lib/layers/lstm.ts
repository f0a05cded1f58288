/** Long short-term memory, `torch.nn.LSTM`, with projection and peepholes. */
import type { SharedLayer } from '../calls/shared-layer.ts'
import { boolean, integer, largestSize, layerChecks } from '../options/checks.ts'
import { functionsOf } from '../options/functions.ts'
import type { FromStateDictOptions, LSTMOptions } from '../options/options.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import type { StateDict } from '../weights/state-dict.ts'
import { type LayerClass, partsFromShared, partsFromStateDict } from './construct.ts'
import { type CellStateTypes, Layer } from './layer.ts'
import { construct, partsOf } from './module.ts'

const layerClass: LayerClass = {
  name: 'LSTM',
  checks: {
    ...layerChecks,
    projSize: integer(0, largestSize),
    peepholes: boolean,
    inputForget: boolean,
    functions: functionsOf('gate', 'candidate', 'output'),
  },
  cell: ({ peepholes }) => (peepholes ? 'lstmPeephole' : 'lstm'),
}

/**
 * Long short-term memory with the semantics and weights of `torch.nn.LSTM` (gates i f g o), and peepholes as in ONNX: i and f see the
 * old cell state, o the new one.
 *
 * Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory" (1997); F. A. Gers, J. Schmidhuber, "Recurrent nets that time and
 * count" (2000); H. Sak et al., "Long short-term memory based recurrent neural network architectures" (2014) for the projection;
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 *
 * @example
 * const lstm = new LSTM(8, 64, { numLayers: 2, seed: 1 })
 * const { output, hn, cn } = lstm.forward(frames)
 */
export class LSTM extends Layer<CellStateTypes> {
  /** P, or 0 where there is no projection. */
  readonly projSize: number
  /** Whether the gates see the cell state. */
  readonly peepholes: boolean

  /**
   * @param inputSize I, 1 to 2^20
   * @param hiddenSize H, 1 to 2^20
   * @param options see {@link LSTMOptions}
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   */
  constructor(inputSize: number, hiddenSize: number, options?: LSTMOptions) {
    super(layerClass, inputSize, hiddenSize, options)
    const { cell, projSize } = partsOf(this).ref.spec
    this.projSize = projSize
    this.peepholes = cellTraits[cell].hasPeepholes
  }

  /**
   * Makes a layer of a state dict; sizes, layers, bias, directions, projection and peepholes are read off its keys and shapes.
   *
   * @param dict weights by PyTorch's names; keys outside the prefix are ignored
   * @throws RNNError `ERR_RNN_STATE_DICT` naming every weight that does not fit, `ERR_RNN_OPTION`, `ERR_RNN_BACKEND`
   */
  static fromStateDict(dict: StateDict, options?: FromStateDictOptions<LSTMOptions>): LSTM {
    return construct(LSTM, partsFromStateDict(layerClass, dict, options))
  }

  /**
   * Opens a layer that another thread shares: the same weights, not a copy.
   *
   * @param handle what `share()` gave there
   * @throws RNNError `ERR_RNN_OPTION` for anything else, `ERR_RNN_BACKEND` where this thread cannot run its backend
   */
  static fromShared(handle: SharedLayer): LSTM {
    return construct(LSTM, partsFromShared(layerClass, handle))
  }
}
