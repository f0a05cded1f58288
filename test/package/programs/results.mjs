// The work that every program of the package test does: forward, async and a stream of the same sequence.
export const frames = Array.from({ length: 6 }, (_, t) => Array.from({ length: 5 }, (_, i) => Math.sin(t * 5 + i)))

const bits = (data) =>
  Array.from(new Uint32Array(data.slice().buffer), (word) => word.toString(16).padStart(8, '0')).join('')

export async function results({ backendInfo, LSTM, RNN }) {
  const rnn = new RNN(5, 9, { seed: 1 })
  const lstm = new LSTM(5, 9, { seed: 2, numLayers: 2 })
  const { output } = lstm.forward(frames)
  const later = await lstm.forwardAsync(frames)
  if (bits(later.output.data) !== bits(output.data)) throw new Error('forwardAsync gives other bits than forward')
  const stream = lstm.stream()
  const last = frames.map((frame) => stream.step(Float32Array.from(frame)).slice()).at(-1)
  if (bits(last) !== bits(output.data.slice(-9))) throw new Error('a stream gives other bits than forward')
  const { name, reason } = backendInfo()
  return {
    backend: name,
    reason,
    layer: rnn.backend,
    bits: bits(rnn.forward(frames).hn.data) + bits(output.data.slice(-9)),
  }
}
