/** Makes a layer of the right class for a network's description: what model files need, with directions PyTorch does not have. */

import { chooseBackend } from '../backends/index.ts'
import type { Backend } from '../backends/interface.ts'
import { NetworkRef } from '../calls/network-ref.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import type { BackendName, CellWeights, ClassName, NetworkSpec } from '../spec/spec.ts'
import { checkRange } from '../weights/range.ts'
import { LayerParts } from './construct.ts'
import { GRU } from './gru.ts'
import { LSTM } from './lstm.ts'
import { construct } from './module.ts'
import { RNN } from './rnn.ts'

/** What a description leaves open. */
export interface LayerChoices {
  /** Default: the best one. */
  readonly backend?: BackendName
  readonly batchFirst?: boolean
}

/**
 * Makes a layer of checked, fresh weights; internal, so it checks nothing but that the format of the
 * weights can hold them. `direction: 'reverse'` is possible here alone; such a layer's
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
  checkRange(spec, weights)
  const chosen: Backend = chooseBackend(backend)
  const parts = new LayerParts(NetworkRef.of(spec, chosen, weights), batchFirst)
  return construct<RNN | GRU | LSTM>(classes[cellTraits[spec.cell].className], parts)
}

const classes = { RNN, GRU, LSTM } as const satisfies Record<ClassName, unknown>
