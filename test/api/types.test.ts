/** The public types: what compiles and what must not. Running it does little; `npm run types` is the test. */
import {
  type BackendName,
  type BatchedModelStream,
  type BatcherOptions,
  type ForwardOptions,
  GRU,
  type Ids,
  Linear,
  LSTM,
  Model,
  type ModelData,
  type ModelInput,
  type ModelStream,
  type ModelStreamOptions,
  type ModelTensor,
  type NestedNumbers,
  RNN,
  type StateDict,
  type Step,
  type Stream,
  Tensor,
  type TensorLike,
} from 'native-rnn'
import { expectTypeOf, it } from 'vitest'

const frames = [[1, 2]]

it('only an LSTM has a cell state', () => {
  expectTypeOf(new LSTM(2, 2).forward(frames).cn).toEqualTypeOf<Tensor>()
  expectTypeOf(new LSTM(2, 2).stream().state().cn).toEqualTypeOf<Tensor>()
  expectTypeOf(new RNN(2, 2).forward(frames)).toEqualTypeOf<{ output: Tensor; hn: Tensor }>()
  // @ts-expect-error an RNN has none
  new RNN(2, 2).forward(frames).cn
  // @ts-expect-error a GRU has none
  new GRU(2, 2).stream().state().cn
  const call = () => {
    new LSTM(2, 2).forward(frames, { c0: [[1, 2]] })
    // @ts-expect-error a GRU takes none
    new GRU(2, 2).forward(frames, { c0: [[1, 2]] })
    // @ts-expect-error a GRU takes none
    new GRU(2, 2).stream().reset({ c0: [[1, 2]] })
    const out = new LSTM(2, 2).forward(frames)
    new LSTM(2, 2).forward(frames, { out })
    new GRU(2, 2).forwardAsync(frames, { out: { hn: out.hn } })
    // @ts-expect-error a GRU gives none
    new GRU(2, 2).forward(frames, { out: { cn: out.cn } })
    // @ts-expect-error it comes back, so it is a Tensor
    new Linear(2, 2).forward(frames, { out: { data: out.hn.data, shape: [1, 2] } })
  }
  expectTypeOf(call).toBeFunction()
})

it('options of a model’s batcher are those of a batcher and of a stream', () => {
  const open = (model: Model, batching: BatcherOptions, streaming: ModelStreamOptions) => {
    const options: BatcherOptions & ModelStreamOptions = { maxBatch: 16, states: { state: 'stateN' } }
    model.batcher(options)
    model.batcher({ ...batching, ...streaming })
    model.batcher({ ...streaming, onIdle: (stream) => expectTypeOf(stream).toEqualTypeOf<BatchedModelStream>() })
    // @ts-expect-error no such option
    model.batcher({ maxStream: 2 })
  }
  expectTypeOf(open).toBeFunction()
})

it('wrong option names and values do not compile', () => {
  const make = () => {
    // @ts-expect-error PyTorch's spelling
    new RNN(2, 2, { batch_first: true })
    // @ts-expect-error an option of another class
    new GRU(2, 2, { nonlinearity: 'relu' })
    // @ts-expect-error no such nonlinearity
    new RNN(2, 2, { nonlinearity: 'gelu' })
    new RNN(2, 2, { nonlinearity: { name: 'elu', alpha: 2 }, clip: 3 })
    new LSTM(2, 2, { inputForget: true, functions: { gate: 'hardSigmoid', output: { name: 'softsign' } } })
    // @ts-expect-error no such factor
    new GRU(2, 2, { functions: { gate: { name: 'elu', gamma: 1 } } })
    // @ts-expect-error a GRU has no output function
    new GRU(2, 2, { functions: { output: 'tanh' } })
    // @ts-expect-error ONNX's spelling
    new GRU(2, 2, { functions: { gate: 'HardSigmoid' } })
    // @ts-expect-error no such backend
    new Linear(2, 2, { backend: 'cuda' })
    // @ts-expect-error read off the dict
    LSTM.fromStateDict({}, { projSize: 2 })
    // @ts-expect-error sizes are needed
    new RNN()
    LSTM.fromStateDict({}, { prefix: 'rnn.', batchFirst: true, backend: 'typescript' })
  }
  expectTypeOf(make).toBeFunction()
})

it('everything that can stand for a tensor is a TensorLike', () => {
  expectTypeOf<{ data: Float32Array; dims: readonly number[]; type: 'float32' }>().toExtend<TensorLike>()
  expectTypeOf<{ data: Float32Array; shape: number[] }>().toExtend<TensorLike>()
  expectTypeOf<number[][][]>().toExtend<TensorLike>()
  expectTypeOf<Float32Array>().not.toExtend<TensorLike>()
  expectTypeOf<Float32Array[]>().toExtend<TensorLike>()
  expectTypeOf<readonly (Int16Array | number[])[][]>().toExtend<TensorLike>()
  expectTypeOf<BigInt64Array[]>().not.toExtend<TensorLike>()
  expectTypeOf(Tensor.from([1]).toNested()).toEqualTypeOf<NestedNumbers>()
  expectTypeOf(new RNN(1, 1).stateDict()).toExtend<StateDict>()
})

it('lengths and ids are any integers', () => {
  type Lengths = NonNullable<ForwardOptions['lengths']>
  expectTypeOf<readonly number[]>().toExtend<Lengths>()
  expectTypeOf<BigInt64Array>().toExtend<Lengths>()
  expectTypeOf<{ data: BigInt64Array; dims: readonly number[]; type: 'int64' }>().toExtend<Lengths>()
  expectTypeOf<number[][]>().not.toExtend<Lengths>()
  expectTypeOf<Lengths>().toExtend<Ids>()
  expectTypeOf<(BigInt64Array | number[])[][]>().toExtend<Ids>()
  expectTypeOf<Tensor>().toExtend<Ids>()
  expectTypeOf<string[]>().not.toExtend<Ids>()
})

it('one call serves every class', () => {
  const layers: (RNN | GRU | LSTM)[] = [new RNN(2, 2), new GRU(2, 2), new LSTM(2, 2)]
  const options: ForwardOptions = { lengths: [1], returnOutput: true }
  for (const layer of layers) {
    expectTypeOf(layer.forward(frames, { lengths: options.lengths }).hn).toEqualTypeOf<Tensor>()
    expectTypeOf(layer.stream()).toExtend<Stream>()
    expectTypeOf(layer.backend).toEqualTypeOf<BackendName>()
  }
})

it('a step without a frame gives nothing, one with a frame the output', () => {
  const { step } = new RNN(2, 2).stream()
  expectTypeOf(step).toEqualTypeOf<Step>()
  expectTypeOf(step(new Float32Array(2))).toEqualTypeOf<Float32Array>()
  expectTypeOf(step()).toEqualTypeOf<void>()
})

it('layers and streams can be used with `using`', () => {
  expectTypeOf<RNN>().toExtend<Disposable>()
  expectTypeOf<Stream>().toExtend<Disposable>()
  expectTypeOf<Linear>().toExtend<Disposable>()
})

it('a model takes and gives records by name', () => {
  const use = async (model: Model, bytes: Uint8Array) => {
    expectTypeOf(model.run({ x: [[1, 2]], sr: 16000n, is: true })).toEqualTypeOf<Record<string, ModelTensor>>()
    expectTypeOf(
      await model.runAsync({ x: 1 }, { outputs: ['y'], signal: AbortSignal.timeout(1) }).then((all) => all.y.data),
    ).toEqualTypeOf<ModelData>()
    model.run({ ids: { data: new BigInt64Array(2), dims: [2] }, mask: new Tensor(new Float32Array(1), [1]) })
    model.run({ ids: new BigInt64Array(2), rows: [new Float32Array(2), [1, 2]], flags: [[true], [false]] })
    // @ts-expect-error a text is no input
    model.run({ x: 'text' })
    // @ts-expect-error outputs are a list
    model.run({}, { outputs: 'y' })
    // @ts-expect-error run has no signal
    model.run({}, { signal: AbortSignal.timeout(1) })
    const stream = model.stream({ states: { h: 'hn' }, shapes: { x: [1, 2] } })
    expectTypeOf(stream).toEqualTypeOf<ModelStream>()
    expectTypeOf(stream.step()).toEqualTypeOf<Readonly<Record<string, ModelData>>>()
    stream.step(new Float32Array(2))
    stream.step({ x: [1, 2] })
    stream.inputs.x.set(new Float32Array(2))
    stream.inputs.x.set(stream.outputs.y, 1)
    stream.inputs.ids.set([1n, 2n])
    stream.inputs.x.fill(0.5, 1)
    const isSpeech: boolean = stream.outputs.y[0] > 0.5
    const probability: number = Number(stream.step().y[0])
    // @ts-expect-error an output may be int64: Number(…) is a number
    const wrong: number = stream.outputs.y[0]
    // @ts-expect-error a text is no value
    stream.inputs.x.fill('0.5')
    const { y } = stream.outputs
    if (y instanceof Float32Array) expectTypeOf(y[0]).toEqualTypeOf<number>()
    expectTypeOf(new Float32Array(1)).toExtend<ModelData>()
    expectTypeOf(new BigInt64Array(1)).toExtend<ModelData>()
    // @ts-expect-error an output is named
    model.stream({ states: { h: 1 } })
    // @ts-expect-error a frame is a Float32Array or a record
    stream.step(1)
    // @ts-expect-error the same arrays for the whole life
    stream.outputs.y = new Float32Array(1)
    model.restoreStream(stream.save(), { along: 'time' })
    const batcher = model.batcher({ maxBatch: 2, states: { h: 'hn' }, batchAxes: { x: 1 } })
    expectTypeOf(await batcher.open({ h: [1] }).step({ x: 1 })).toEqualTypeOf<Record<string, ModelData>>()
    const other = Model.fromShared(model.share())
    expectTypeOf(other).toEqualTypeOf<Model>()
    Model.read(bytes, { constants: { sr: 16000 }, externalData: () => bytes, backend: 'typescript', threads: 2 })
    // @ts-expect-error models are read, not made
    new Model()
    const input: ModelInput = { data: new Float32Array(1), shape: [1] }
    return [input, isSpeech, probability, wrong]
  }
  expectTypeOf(use).toBeFunction()
})
