// The public types as a user's strict compiler sees them; only compiled, never run.
import {
  availableBackends,
  type BackendName,
  backendInfo,
  GRU,
  Linear,
  LSTM,
  Model,
  RNN,
  RNNError,
  Tensor,
} from 'native-rnn'

const rnn = new RNN(3, 4, { bias: false, batchFirst: true, nonlinearity: 'relu' })
const { output, hn } = rnn.forward([[1, 2, 3]])
const data: Float32Array = output.data
const shape: readonly number[] = hn.shape
const { cn } = new LSTM(3, 4, { projSize: 2 }).forward(Tensor.from([[1, 2, 3]]), { returnOutput: false })
const cell: Tensor = cn
const names: BackendName[] = availableBackends()
const reason: string | undefined = backendInfo().reason
const scores: Tensor = new Linear(4, 2).forward(output)
const code: string = new GRU(3, 4, { resetAfter: false }) instanceof RNNError ? 'never' : 'gru'
const step: Float32Array = rnn.stream().step(new Float32Array(3))
const isLoud: Promise<boolean> = Model.load('model.onnx').then((model) => {
  const live = model.stream({ along: 'time' })
  live.inputs.frame.set(new Float32Array(3))
  return live.step().level[0] > 0.5
})
export const all = [isLoud, data, shape, cell, names, reason, scores, code, step]

// @ts-expect-error only an LSTM has a cell state
rnn.forward([[1, 2, 3]]).cn
// @ts-expect-error a wrong name
new RNN(3, 4, { layers: 2 })
// @ts-expect-error an option of another class
new GRU(3, 4, { nonlinearity: 'relu' })
// @ts-expect-error a backend that does not exist
new LSTM(3, 4, { backend: 'cuda' })

{
  using stream = rnn.stream()
  stream.step(new Float32Array(3))
}
