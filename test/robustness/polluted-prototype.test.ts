/** What a script puts on the prototype of all objects is no option, no size and no tensor: results and refusals stay as they are. */

import { Model } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'
import { printed } from '../support/child.ts'
import { expectError } from '../support/errors.ts'
import { modelFile } from '../support/model-files.ts'

/** Every name of an option, a field of an argument or of a handle, and what a call with that value from a prototype would do. */
const names: Record<string, unknown> = {
  numLayers: 2,
  bias: false,
  batchFirst: true,
  bidirectional: true,
  dropout: 'x',
  seed: 99,
  backend: 'none',
  threads: 99,
  nonlinearity: 'relu',
  resetAfter: false,
  projSize: 1,
  peepholes: true,
  clip: 0.001,
  functions: {},
  inputForget: true,
  weights: 'none',
  activations: 'none',
  prefix: 'nowhere.',
  h0: [[9, 9, 9]],
  c0: [[9, 9, 9]],
  lengths: [1],
  into: { hn: [1] },
  returnOutput: false,
  out: {},
  signal: 'x',
  batchSize: 2,
  maxBatch: 'x',
  maxDelayMs: 'x',
  maxQueue: 'x',
  maxStreams: 1,
  idleMs: 1,
  onIdle: 'x',
  streams: 'keep',
  externalData: 'x',
  opType: 'GRU',
  attributes: { direction: 'reverse' },
  W: [[[9]]],
  R: [[[9]]],
  B: [[9, 9]],
  P: [[9, 9, 9]],
  shape: [1, 1],
  dims: [1, 1],
  data: 'x',
  type: 'GRU',
  version: '0',
  spec: {},
  cell: 'gru',
  direction: 'bidirectional',
  inputSize: 1,
  hiddenSize: 1,
  weightHr: 'x',
  peephole: 'x',
  biasIh: 'x',
  biasHh: 'x',
  h: 'x',
  c: 'x',
  hn: 'x',
  cn: 'x',
  output: 'x',
  config: {},
  activation: 'relu',
  units: 9,
  hidden_size: 9,
  linear_before_reset: 1,
  layout: 1,
  only: 'GRU',
  most: 0,
  weight_ih_l0: [[9]],
  weight_hr_l0: [[9]],
  bias_ih_l0: [9],
  weight: [[9]],
  dtype: 'F32',
  data_offsets: [0, 0],
  __metadata__: 'x',
  format: 'x',
}

const program = (backend: string) => `
import { createHash } from 'node:crypto'
import { Embedding, fromOnnxNode, GRU, Linear, LSTM, readOnnx, readSafetensors, RNN, Tensor, writeSafetensors } from 'native-rnn'
const names = ${JSON.stringify(names)}
const { defineProperty } = Object
const wave = (count, by = 1) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * by))
const given = (count, ...shape) => ({ data: wave(count), shape })
const backend = '${backend}'
const layers = {
  rnn: new RNN(2, 3, { seed: 1, backend }), gru: new GRU(2, 3, { seed: 2, backend }), lstm: new LSTM(2, 3, { seed: 3, backend }),
  linear: new Linear(2, 3, { seed: 4, backend }), embedding: new Embedding(4, 2, { seed: 5 }),
}
const dicts = Object.fromEntries(Object.entries(layers).map(([name, layer]) => [name, layer.stateDict()]))
const x = given(8, 4, 2), batch = given(16, 4, 2, 2), frame = wave(2)
const file = writeSafetensors(dicts.lstm)
const saved = layers.gru.stream().save()
const node = { opType: 'LSTM', W: given(24, 1, 12, 2), R: given(36, 1, 12, 3) }
const handle = layers.lstm.share()
const calls = {
  'new RNN': () => new RNN(2, 3, { seed: 1, backend }).forward(x),
  'new GRU': () => new GRU(2, 3, { seed: 1, backend }).forward(x),
  'new LSTM': () => new LSTM(2, 3, { seed: 1, backend }).forward(x),
  'new without options': () => [new RNN(2, 3).numLayers, new RNN(2, 3).batchFirst, new Linear(2, 3).bias, new LSTM(2, 3).projSize],
  'new Linear': () => new Linear(2, 3, { seed: 1, backend }).forward(x),
  'new Embedding': () => new Embedding(4, 2, { seed: 1 }).forward([1, 2]),
  forward: () => layers.rnn.forward(x),
  'forward with options': () => [layers.gru.forward(x, {}), layers.lstm.forward(batch, { lengths: [3, 4] })],
  'forward of dims': () => layers.gru.forward({ data: wave(8), dims: [4, 2] }),
  'forward of a class': () => layers.gru.forward(new (class { get dims() { return [4, 2] } get data() { return wave(8) } })()),
  'options of a class': () => new RNN(2, 3, new (class { get numLayers() { return 2 } get seed() { return 1 } })()).numLayers,
  forwardAsync: () => layers.lstm.forwardAsync(x, {}),
  'forwardAsync without options': () => layers.gru.forwardAsync(batch),
  stream: () => { const s = layers.lstm.stream({}); return [s.step(frame), s.run(x), s.fork().state(), s.save(), s.reset({})] },
  restoreStream: () => layers.gru.restoreStream(saved).step(frame),
  batcher: async () => {
    const batcher = layers.lstm.batcher({}), stream = batcher.open({})
    const out = [await stream.step(frame, {}), stream.state(), stream.save()]
    stream.reset({}), out.push(stream.state())
    await batcher.close()
    return [out, batcher.stats().streams]
  },
  'batcher of a GRU': async () => { const b = layers.gru.batcher(), s = b.open(); return [await s.step(frame), s.state()] },
  loadStateDict: () => [layers.lstm.loadStateDict(dicts.lstm, {}), layers.lstm.forward(x)],
  'loadStateDict of less': () => layers.lstm.loadStateDict({}),
  fromStateDict: () => [RNN.fromStateDict(dicts.rnn, { backend }).forward(x), LSTM.fromStateDict(dicts.lstm).numLayers],
  'fromStateDict of less': () => GRU.fromStateDict({ weight_ih_l0: dicts.gru.weight_ih_l0 }),
  'Linear.fromStateDict': () => Linear.fromStateDict(dicts.linear, { backend }).forward(x),
  'Linear.fromStateDict without bias': () => Linear.fromStateDict({ weight: dicts.linear.weight }).bias,
  'Linear.fromStateDict of less': () => Linear.fromStateDict({}),
  'Embedding.fromStateDict': () => Embedding.fromStateDict(dicts.embedding, {}).forward([3]),
  'Embedding of a tensor': () => layers.embedding.forward({ data: Int32Array.of(1, 2), dims: [2] }),
  'Embedding of no tensor': () => layers.embedding.forward({}),
  stateDict: () => Object.values(layers.linear.stateDict()),
  Tensor: () => [Tensor.from({ data: wave(4), shape: [2, 2] }), Tensor.from([[1, 2]])],
  'Tensor of nothing': () => Tensor.from({}),
  'Tensor of data': () => Tensor.from({ data: wave(1) }),
  'Tensor of a shape': () => Tensor.from({ shape: [1] }),
  fromShared: () => LSTM.fromShared(handle).forward(x),
  'fromShared of nothing': () => GRU.fromShared({}),
  'fromShared of less': () => LSTM.fromShared({ ...handle, spec: {} }),
  'fromShared without weights': () => { const { weights: _, ...rest } = handle; return LSTM.fromShared(rest) },
  readSafetensors: () => Object.values(readSafetensors(file)),
  writeSafetensors: () => [writeSafetensors(dicts.gru), writeSafetensors(dicts.gru, {})],
  fromOnnxNode: () => fromOnnxNode(node, { backend }).forward(x),
  'fromOnnxNode of nothing': () => fromOnnxNode({}),
  'fromOnnxNode of less': () => fromOnnxNode({ opType: 'LSTM', W: node.W }),
  'fromOnnxNode of attributes': () => fromOnnxNode({ ...node, attributes: {} }, { backend }).forward(x),
  readOnnx: () => readOnnx(new Uint8Array()),
}
const parts = (value) => value instanceof Tensor ? [parts(value.shape), parts(value.data)]
  : ArrayBuffer.isView(value) ? createHash('md5').update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)).digest('hex')
  : Array.isArray(value) ? value.map(parts)
  : typeof value === 'object' && value !== null ? Object.keys(value).map((key) => [key, parts(value[key])])
  : String(value)
async function outcome(act) {
  try { return { result: await act() } } catch (error) { return { failed: error } }
}
const shown = ({ result, failed }) => failed ? failed.code + ': ' + failed.message : JSON.stringify(parts(result))
const expected = {}
for (const [call, act] of Object.entries(calls)) expected[call] = shown(await outcome(act))
const wrong = []
for (const [name, value] of Object.entries(names)) {
  const ways = {
    value: { value, writable: true }, number: { value: 99, writable: true },
    getter: { get() { throw new Error('the getter of ' + name + ' ran') } },
  }
  for (const [way, descriptor] of Object.entries(ways)) {
    for (const [call, act] of Object.entries(calls)) {
      defineProperty(Object.prototype, name, { configurable: true, ...descriptor })
      const came = await outcome(act)
      delete Object.prototype[name]
      const text = shown(came)
      if (text !== expected[call]) wrong.push([call, name, way, text.slice(0, 200), expected[call].slice(0, 100)].join(' | '))
    }
  }
}
console.log(JSON.stringify({ calls: Object.keys(calls).length, refused: Object.values(expected).filter((text) => /ERR_RNN/.test(text)).length, wrong }))
`

/** Calls that wait on signals, with a name of the rings they stand in on the prototype of all objects. */
const waits = `
import { LSTM } from 'native-rnn'
const layer = new LSTM(3, 4, { seed: 1, backend: 'typescript' })
const came = []
for (const name of ['next', 'previous']) {
  Object.defineProperty(Object.prototype, name, { configurable: true, get() {}, set() {} })
  const batcher = layer.batcher({ maxDelayMs: 200 })
  const control = new AbortController()
  const steps = [1, 2].map(() => batcher.open().step(new Float32Array(3), { signal: control.signal }))
  control.abort(new Error('over'))
  const ended = await Promise.all(steps.map((step) => step.then(() => 'done', (error) => error.message)))
  delete Object.prototype[name]
  came.push(...ended)
  await batcher.close()
}
console.log(JSON.stringify(came))
`

describe('nothing is looked up on Object.prototype', () => {
  it('by calls that wait on a signal', async () => {
    expect(await printed(waits)).toEqual(['over', 'over', 'over', 'over'])
  })

  it('for the range of a bool', () => {
    const nodes = [{ opType: 'Identity', inputs: ['x'], outputs: ['y'] }]
    const model = Model.read(
      modelFile({ nodes, inputs: { x: { type: 'bool', shape: [2] } }, outputs: { y: { type: 'bool' } } }),
    )
    Object.defineProperty(Object.prototype, 'range', { configurable: true, value: [0, 9] })
    try {
      expectError(() => model.run({ x: [7, 0] }), 'ERR_RNN_OPTION', /x\[0\] must be a boolean, 0 or 1, got 7/)
      expect([...model.run({ x: [1, 0] }).y.data]).toEqual([1, 0])
    } finally {
      delete (Object.prototype as { range?: unknown }).range
    }
  })

  it.each(engines)('%s', async (backend) => {
    const { calls, refused, wrong } = (await printed(program(backend))) as Record<string, unknown>
    expect({ wrong, refused, calls }).toEqual({ wrong: [], refused: 13, calls: 43 })
  })
})
