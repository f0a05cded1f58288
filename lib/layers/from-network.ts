/** Makes a layer of the right class for a network's description: what model files need, with directions PyTorch does not have. */

import { chooseBackend } from '../backends/index.ts'
import type { Backend, BackendName, CellWeights, NetworkSpec } from '../backends/interface.ts'
import { LoadedNetwork } from '../calls/network-ref.ts'
import { LayerParts, makeLayer } from './construct.ts'
import { GRU } from './gru.ts'
import { LSTM } from './lstm.ts'
import { RNN } from './rnn.ts'

/** What a description leaves open. */
export interface LayerChoices {
  /** Default: the best one. */
  readonly backend?: BackendName
  readonly batchFirst?: boolean
}

/**
 * Makes a layer of checked, fresh weights; internal, so it checks nothing. `direction: 'reverse'` is possible here alone; such a layer's
 * state dict has the plain keys (`weight_ih_l0`).
 *
 * @param spec every field checked
 * @param weights index layer · D + direction, PyTorch-shaped; the layer takes them over
 */
export function layerFromSpec(
  spec: NetworkSpec,
  weights: readonly CellWeights[],
  { backend, batchFirst = false }: LayerChoices = {},
): RNN | GRU | LSTM {
  const chosen: Backend = chooseBackend(backend)
  const parts = new LayerParts(LoadedNetwork.of(spec, chosen, weights), batchFirst)
  if (spec.cell === 'rnnTanh' || spec.cell === 'rnnRelu') return makeLayer(RNN, parts)
  if (spec.cell === 'gru' || spec.cell === 'gruResetBefore') return makeLayer(GRU, parts)
  return makeLayer(LSTM, parts)
}
