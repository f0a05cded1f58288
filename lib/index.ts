/** The public names; no code. */
export type { BackendName } from './backend.ts'
export { type BatchedStepOptions, BatchedStream, Batcher, type BatcherOptions, type BatcherStats } from './batcher.ts'
export type { ForwardOptions, InitialState, Result, States } from './call.ts'
export { availableBackends, type BackendInfo, backendInfo } from './choose.ts'
export { Embedding, type EmbeddingOptions, type Ids } from './embedding.ts'
export { RNNError, type RNNErrorCode } from './errors.ts'
export { fromOnnxNode, type OnnxLayer, type OnnxNode, type OnnxOptions, readOnnx } from './formats/onnx.ts'
export { loadSafetensors, readSafetensors, writeSafetensors } from './formats/safetensors.ts'
export { GRU } from './gru.ts'
export { Linear, type LinearOptions } from './linear.ts'
export { LSTM } from './lstm.ts'
export type {
  FromStateDictOptions,
  GRUOptions,
  LayerOptions,
  LSTMOptions,
  PrefixOptions,
  RNNOptions,
} from './options.ts'
export { RNN } from './rnn.ts'
export type { SharedLayer } from './share.ts'
export type { StateDict } from './state-dict.ts'
export type { Step } from './step.ts'
export { Stream, type StreamOptions } from './stream.ts'
export { type NestedNumbers, Tensor, type TensorLike } from './tensor.ts'
export type { BatchTrace, ForwardTrace } from './tracing.ts'
