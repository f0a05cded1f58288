// The same from a CommonJS file of TypeScript, and what both files have of each other; only compiled, never run.
import { backendInfo, LSTM, Model, RNN, type Tensor } from 'native-rnn'

import native = require('native-rnn')

const rnn: native.RNN = new RNN(3, 4)
const output: Tensor = rnn.forward([[1, 2, 3]]).output
const name: string = backendInfo().name
const model: Promise<Model> = Model.load('model.onnx')
export const all = [output, name, model]

export function last(layer: RNN): number {
  using stream = layer.stream()
  return stream.step(new Float32Array(3))[3]
}

// @ts-expect-error a wrong type
new LSTM('3', 4)
// @ts-expect-error only an LSTM has a cell state
rnn.forward([[1, 2, 3]]).cn
