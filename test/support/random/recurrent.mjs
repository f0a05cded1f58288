// Recurrent nodes, their weights in the file.

import { largest, within } from './common.mjs'

const gates = { RNN: 1, GRU: 3, LSTM: 4 }
const recurrent = (opType) => ({
  since: 7,
  add(g) {
    // (T, B, I): time is axis 0, rows are axis 1.
    if (g.rows !== undefined) return
    const x = g.tame(g.float({ ranks: [3] }), 4)
    const [T, B, I] = x.dims
    const [H, D] = [1 + g.below(6), 1 + g.below(2)]
    const G = gates[opType]
    const inputs = [
      x,
      g.weights([D, G * H, I]),
      g.weights([D, G * H, H], 0.5),
      g.flag() ? g.weights([D, 2 * G * H]) : undefined,
    ]
    if (g.flag()) {
      const state = () =>
        g.any(
          'float32',
          (one) => `${one.dims}` === `${[D, B, H]}` && largest(one) <= 16,
          () => [D, B, H],
        )
      const lengths = g.flag() ? g.constant('int32', [B], { make: () => 1 + (g.noise() % T) }) : undefined
      inputs.push(lengths, state(), ...(opType === 'LSTM' ? [state()] : []))
    }
    const direction = D === 2 ? 'bidirectional' : g.of(['forward', 'reverse'])
    const state = { dims: [D, B, H], ...within(17) }
    const results = [
      { dims: [T, D, B, H], ...within(17) },
      state,
      ...(opType === 'LSTM' ? [{ ...state, ...within(16 + T) }] : []),
    ]
    g.emitAll(
      opType,
      inputs,
      { hidden_size: H, direction, ...(opType === 'GRU' && { linear_before_reset: g.below(2) }) },
      results,
    )
  },
})

export const recurrents = { RNN: recurrent('RNN'), GRU: recurrent('GRU'), LSTM: recurrent('LSTM') }
