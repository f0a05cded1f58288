/** The options that layers share: their names, types and defaults, as users read them. */
import type { ActivationName } from '../spec/activations.ts'
import type { BackendName } from '../spec/spec.ts'
import type { ActivationType, WeightType } from '../spec/weight-types.ts'

/**
 * An activation function of ONNX: its name, or its name with factors. What is left out has ONNX's default; a function without factors
 * takes none.
 *
 * | name | f(x) | alpha | beta |
 * |---|---|---|---|
 * | `tanh`, `sigmoid`, `relu` | as ever | | |
 * | `affine` | alpha · x + beta | 1 | 0 |
 * | `leakyRelu` | x, below 0 alpha · x | 0.01 | |
 * | `thresholdedRelu` | x, below alpha 0 | 1 | |
 * | `scaledTanh` | alpha · tanh(beta · x) | 1 | 1 |
 * | `hardSigmoid` | alpha · x + beta, within 0 and 1 | 0.2 | 0.5 |
 * | `elu` | x, below 0 alpha · (e^x − 1) | 1 | |
 * | `softsign` | x / (1 + \|x\|) | | |
 * | `softplus` | log(1 + e^x) | | |
 *
 * Source: https://onnx.ai/onnx/operators/onnx__LSTM.html (ONNX gives scaledTanh no defaults)
 *
 * @example
 * new GRU(8, 16, { functions: { gate: { name: 'hardSigmoid', alpha: 1 / 6 } } }) // the hard sigmoid of Keras 3
 */
export type Activation = ActivationName | { name: ActivationName; alpha?: number; beta?: number }

/** In how many bytes weights are kept and read. */
export interface PrecisionOptions {
  /**
   * How matrices of weights are kept: `'f32'` (default), `'f16'` or `'bf16'`, rounded to nearest even, or `'int8'`, integers with a scale for
   * each row. Biases, states and sums are float32 in any case.
   */
  weights?: WeightType
  /**
   * What meets the weights in a product: `'f32'` (default), or `'int8'`, only beside weights of int8: each row of inputs and states is rounded to
   * integers with a scale of its own, and sums are exact.
   */
  activations?: ActivationType
}

/** What RNN, GRU and LSTM have in common. */
export interface LayerOptions extends PrecisionOptions {
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
  /** Bounds what enters every activation to [−clip, clip], as ONNX's `clip`: also the cell state on its way to an LSTM's output. Default: none. */
  clip?: number
}

/** Options of {@link RNN}. */
export interface RNNOptions extends LayerOptions {
  /** What follows the sum: `'tanh'` (default), `'relu'`, or any other activation. */
  nonlinearity?: 'tanh' | 'relu' | Activation
}

/** Options of {@link GRU}. */
export interface GRUOptions extends LayerOptions {
  /** Where the reset gate acts: true (default) on the product, as PyTorch and cuDNN; false on the state before it. */
  resetAfter?: boolean
  /** The activations of both gates (sigmoid) and of the candidate (tanh). */
  functions?: { gate?: Activation; candidate?: Activation }
}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends LayerOptions {
  /** 0 (default): none; else the state that goes on has this size, below the hidden size. */
  projSize?: number
  /** Whether the gates see the cell state; false by default. */
  peepholes?: boolean
  /** Couples the gates as ONNX's `input_forget` does: f = 1 − i, whatever f's weights are. Default false. */
  inputForget?: boolean
  /** The activations of the three gates (sigmoid), of the candidate g (tanh), and of the cell state on its way to the output (tanh). */
  functions?: { gate?: Activation; candidate?: Activation; output?: Activation }
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
