/** The options that layers share: their names, types and defaults, as users read them. */
import type { BackendName } from '../spec/spec.ts'

/** What RNN, GRU and LSTM have in common. */
export interface LayerOptions {
  /** Layers on top of each other: 1 (default) to 64. */
  numLayers?: number
  /** Whether the gates have biases; true by default. */
  bias?: boolean
  /** `input` and `output` are (B, T, …) in place of (T, B, …); as in PyTorch it does not apply to states. Default false. */
  batchFirst?: boolean
  /** A second set of weights runs backward in time, and both outputs stand side by side. Default false. */
  bidirectional?: boolean
  /** 0 to 1; accepted for PyTorch's sake: inference never drops. */
  dropout?: number
  /** Any integer: makes the initial weights reproducible. They are U(−1/√H, 1/√H). */
  seed?: number
  /** Default: the best one this machine can run. */
  backend?: BackendName
  /** The most threads one call may use; 1 by default. */
  threads?: number
}

/** Options of {@link RNN}. */
export interface RNNOptions extends LayerOptions {
  /** What follows the sum: `'tanh'` (default) or `'relu'`. */
  nonlinearity?: 'tanh' | 'relu'
}

/** Options of {@link GRU}. */
export interface GRUOptions extends LayerOptions {
  /** Where the reset gate acts: true (default) on the product, as PyTorch and cuDNN; false on the state before it. */
  resetAfter?: boolean
}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends LayerOptions {
  /** 0 (default): none; else the state that goes on has this size, below the hidden size. */
  projSize?: number
  /** Whether the gates see the cell state; false by default. */
  peepholes?: boolean
}

/** What `fromStateDict` reads off the keys and shapes, and so does not take. */
export type Inferred = 'numLayers' | 'bias' | 'bidirectional' | 'projSize' | 'peepholes'

/** Options of `fromStateDict` on RNN, GRU and LSTM. */
export type FromStateDictOptions<Options> = Omit<Options, Inferred> & PrefixOptions

/** Options of `loadStateDict`. */
export interface PrefixOptions {
  /** Only keys that begin with this are read: `'rnn.'` (or `'rnn'`) for the key `rnn.weight_ih_l0`. Default: all keys. */
  prefix?: string
}
