/** Mistakes that people make: the message says what to write. */
import {
  GRU,
  Linear,
  LSTM,
  loadSafetensors,
  RNN,
  readOnnx,
  readSafetensors,
  Tensor,
  writeSafetensors,
} from 'native-rnn'
import { it } from 'vitest'
import { expectError } from '../support/errors.ts'

const rnn = new RNN(3, 4)
const lstm = new LSTM(3, 4)
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
]

it('a number in place of options is the number of layers of a layer alone', () => {
  const words = /^the options of Linear must be an object, got 5$/
  expectError(() => new Linear(3, 4, 5 as never), 'ERR_RNN_OPTION', words)
})

it.each(mistakes)('%s', (_, run, code, words) => {
  expectError(run, code, words)
})
