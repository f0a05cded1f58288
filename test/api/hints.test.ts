/** Mistakes that people make: the message says what to write. */
import {
  fromKeras,
  fromOnnxNode,
  GRU,
  Linear,
  LSTM,
  loadSafetensors,
  Model,
  RNN,
  readOnnx,
  readSafetensors,
  Tensor,
  writeSafetensors,
} from 'native-rnn'
import { expect, it } from 'vitest'
import { expectError, expectRejected } from '../support/errors.ts'

const rnn = new RNN(3, 4)
const lstm = new LSTM(3, 4)
const zeros = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)), shape })
const mistakes: [string, () => unknown, Parameters<typeof expectError>[1], string][] = [
  [
    'options in place of sizes',
    () => new GRU({ inputSize: 3 } as never, 4),
    'ERR_RNN_OPTION',
    'got an object; sizes come first: new GRU(inputSize, hiddenSize, options)',
  ],
  [
    'a result as input',
    () => new Linear(4, 2).forward(rnn.forward([[1, 2, 3]]) as never),
    'ERR_RNN_SHAPE',
    'got an object; what forward gives has its tensor as output',
  ],
  [
    'a promise as input',
    () => rnn.forward(rnn.forwardAsync([[1, 2, 3]]) as never),
    'ERR_RNN_SHAPE',
    'got a Promise; await it first',
  ],
  [
    'a result as options',
    () => lstm.forward([[1, 2, 3]], lstm.forward([[1, 2, 3]]) as never),
    'ERR_RNN_OPTION',
    'states go in as { h0: hn }, for an LSTM { h0: hn, c0: cn }',
  ],
  [
    'a path as a model file',
    () => readOnnx('model.onnx' as never),
    'ERR_RNN_MODEL_FILE',
    'got "model.onnx"; to read a file: readOnnx(await readFile(path))',
  ],
  [
    'a path as a file of weights',
    () => readSafetensors('rnn.safetensors' as never),
    'ERR_RNN_MODEL_FILE',
    'got "rnn.safetensors"; to read a file: loadSafetensors(path)',
  ],
  [
    'a buffer as a file of weights',
    () => readSafetensors(new ArrayBuffer(8) as never),
    'ERR_RNN_MODEL_FILE',
    '; new Uint8Array(buffer) makes one',
  ],
  [
    'a cell state to write into, of a layer that has none',
    () => rnn.forward([[1, 2, 3]], { out: { cn: new Tensor(new Float32Array(4), [1, 4]) } as never }),
    'ERR_RNN_OPTION',
    "unknown option 'cn' of out; it takes output, hn",
  ],
  [
    'bytes as a dict',
    () => RNN.fromStateDict(writeSafetensors({}) as never),
    'ERR_RNN_STATE_DICT',
    'readSafetensors(bytes) makes one',
  ],
  [
    'a buffer as a dict',
    () => RNN.fromStateDict(new ArrayBuffer(8) as never),
    'ERR_RNN_STATE_DICT',
    'readSafetensors(bytes) makes one',
  ],
  [
    'a path as a dict',
    () => RNN.fromStateDict('rnn.safetensors' as never),
    'ERR_RNN_STATE_DICT',
    'got "rnn.safetensors"; loadSafetensors(path) reads one',
  ],
  [
    'a promise as a dict',
    () => RNN.fromStateDict(loadSafetensors('x').catch(() => {}) as never),
    'ERR_RNN_STATE_DICT',
    '; await it first',
  ],
  [
    'a map as a dict',
    () => RNN.fromStateDict(new Map() as never),
    'ERR_RNN_STATE_DICT',
    'Object.fromEntries(map) makes one',
  ],
  [
    'a layer as a dict',
    () => rnn.loadStateDict(new RNN(3, 4) as never),
    'ERR_RNN_STATE_DICT',
    'got an RNN; its stateDict() is one',
  ],
  [
    'a map as options',
    () => new GRU(3, 4, new Map() as never),
    'ERR_RNN_OPTION',
    'the options of GRU must be an object, got a Map',
  ],
  ['a promise as options', () => new GRU(3, 4, Promise.resolve() as never), 'ERR_RNN_OPTION', '; await it first'],
  [
    'a map as attributes of a node',
    () => fromOnnxNode({ opType: 'RNN', W: [[[1]]], R: [[[1]]], attributes: new Map() as never }),
    'ERR_RNN_OPTION',
    'attributes must be an object, got a Map',
  ],
  [
    'bytes as floats',
    () => new Tensor(Buffer.alloc(24) as never, [2, 3]),
    'ERR_RNN_SHAPE',
    'got a Buffer of length 24; bytes of float32 are new Float32Array(data.buffer, data.byteOffset, data.length / 4)',
  ],
  [
    'data alone as a tensor',
    () => rnn.forward({ data: new Float32Array(3) } as never),
    'ERR_RNN_SHAPE',
    'got an object without a shape',
  ],
  [
    'a signal of a call that returns at once',
    () => rnn.forward([[1, 2, 3]], { signal: AbortSignal.abort() } as never),
    'ERR_RNN_OPTION',
    "unknown option 'signal' of RNN.forward; what returns at once cannot be aborted: forwardAsync and runAsync take it",
  ],
  [
    'a frame as an array',
    () => rnn.stream().step([1, 2, 3] as never),
    'ERR_RNN_SHAPE',
    'got an array of length 3; Float32Array.from(frame) makes one',
  ],
  [
    'kernels as PyTorch has them',
    () => fromKeras({ type: 'LSTM', weights: [zeros(20, 3), zeros(20, 5), zeros(20)] }),
    'ERR_RNN_STATE_DICT',
    'got [20, 3], [20, 5], [20]; these are transposed, as PyTorch has them',
  ],
  [
    'weights of Keras as they lie in a file',
    () => fromKeras({ type: 'LSTM', weights: { 0: zeros(3, 20) } as never }),
    'ERR_RNN_STATE_DICT',
    'got an object; Object.values(file) of those that a file has in order',
  ],
  [
    'a handle as JSON',
    () => RNN.fromShared(JSON.parse(JSON.stringify(rnn.share()))),
    'ERR_RNN_OPTION',
    'a handle goes by postMessage or workerData, not as JSON',
  ],
  [
    'a layer of another copy of the package',
    () => lstm.batcher().replace(new (class LSTM {})() as never),
    'ERR_RNN_OPTION',
    'got an LSTM of another copy of native-rnn, which `npm ls native-rnn` shows',
  ],
  [
    'a bigint as a factor',
    () => new RNN(1, 1, { nonlinearity: { name: 'elu', alpha: 1n as never } }),
    'ERR_RNN_OPTION',
    'nonlinearity.alpha must be a finite float32 number, got 1n',
  ],
]

const rejected: [string, () => Promise<unknown>, string][] = [
  ['bytes as the path of a model', () => Model.load(Buffer.alloc(3) as never), '; Model.read reads bytes'],
  ['bytes as the path of weights', () => loadSafetensors(Buffer.alloc(3) as never), '; readSafetensors reads bytes'],
  [
    'a controller as a signal',
    () => rnn.forwardAsync([[1, 2, 3]], { signal: new AbortController() as never }),
    'got an AbortController; pass its .signal',
  ],
]

it.each(rejected)('%s', async (_, run, words) => {
  await expectRejected(run(), 'ERR_RNN_OPTION', words)
})

it('a frame in place of the array that a stream reads', () => {
  const stream = rnn.stream() as { input: Float32Array; output: Float32Array }
  // In the engine's own words, which in Bun have no name.
  const words = (name: string) => (process.versions.bun ? /readonly property/ : RegExp(`read only property '${name}'`))
  expect(() => (stream.input = Float32Array.of(1, 2, 3))).toThrow(words('input'))
  expect(() => (stream.output = new Float32Array(4))).toThrow(words('output'))
})

it('a number in place of options is the number of layers of a layer alone', () => {
  const words = /^the options of Linear must be an object, got 5$/
  expectError(() => new Linear(3, 4, 5 as never), 'ERR_RNN_OPTION', words)
})

it.each(mistakes)('%s', (_, run, code, words) => {
  expectError(run, code, words)
})
