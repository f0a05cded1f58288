/** The public names; no code. */

export { availableBackends, type BackendInfo, backendInfo } from './backends/index.ts'
export type { ForwardOptions, Result } from './calls/forward.ts'
export type { ForwardOut } from './calls/out.ts'
export type { SharedLayer } from './calls/shared-layer.ts'
export type { InitialState, States } from './calls/states.ts'
export { RNNError, type RNNErrorCode } from './errors.ts'
export {
  fromKeras,
  type KerasActivation,
  type KerasConfig,
  type KerasLayer,
  type KerasResult,
  type KerasType,
} from './formats/keras/index.ts'
export {
  fromOnnxNode,
  type OnnxLayer,
  type OnnxNode,
  type OnnxOptions,
  type ReadOnnxOptions,
  readOnnx,
} from './formats/onnx/index.ts'
export { loadSafetensors, readSafetensors, writeSafetensors } from './formats/safetensors.ts'
export { Embedding, type EmbeddingOptions, type Ids } from './layers/embedding.ts'
export { GRU } from './layers/gru.ts'
export { Linear, type LinearOptions } from './layers/linear.ts'
export { LSTM } from './layers/lstm.ts'
export { RNN } from './layers/rnn.ts'
export { BatchedModelStream } from './models/batched-stream.ts'
export { ModelBatcher, type ModelBatcherOptions } from './models/batcher.ts'
export { Model, type ModelRunAsyncOptions, type ModelRunOptions } from './models/model.ts'
export type { ModelStreamOptions } from './models/opening.ts'
export type { ModelOptions } from './models/options.ts'
export type { SharedModel } from './models/shared-model.ts'
export { type ModelStep, ModelStream } from './models/stream.ts'
export type { ModelData, ModelInput, ModelTensor, ModelType, ModelValue, NestedValues } from './models/values.ts'
export type {
  Activation,
  FromStateDictOptions,
  GRUOptions,
  LayerOptions,
  LSTMOptions,
  PrecisionOptions,
  PrefixOptions,
  RNNOptions,
} from './options/options.ts'
export type { ActivationName } from './spec/activations.ts'
export type { BackendName } from './spec/spec.ts'
export type { ActivationType, WeightType } from './spec/weight-types.ts'
export { type BatchedStepOptions, BatchedStream } from './streams/batch/batched-stream.ts'
export { Batcher, type BatcherOptions } from './streams/batch/batcher.ts'
export type { BatcherStats } from './streams/batch/life.ts'
export { Stream, type StreamOptions } from './streams/stream.ts'
export type { Step } from './streams/stream-step.ts'
export type { IntegerArray, Integers, IntegerTensor, NestedIntegers } from './tensor/integers.ts'
export { type NestedNumbers, type NestedRows, type NumberArray, Tensor, type TensorLike } from './tensor/tensor.ts'
export type { BatchTrace, ForwardTrace, ModelTrace } from './tracing.ts'
export type { StateDict } from './weights/state-dict.ts'
