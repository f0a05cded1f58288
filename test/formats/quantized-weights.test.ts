/** Weights that files keep in fewer bytes: which layers they become, and that no bit is lost on the way. */
import {
  type BackendName,
  Embedding,
  fromOnnxNode,
  GRU,
  Linear,
  LSTM,
  readOnnx,
  readSafetensors,
  type Tensor,
  type WeightType,
} from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import * as write from '../support/onnx-writer.ts'
import { ramp } from '../support/tensors.ts'

/** It pads nothing, so that its bytes tell the format. Which format a layer gets is the same on all. */
const backend = 'typescript'

describe.each([
  ['f16', 'F16', (i: number) => ((i * 7919) % 0x7c00) | ((i & 1) << 15)],
  ['bf16', 'BF16', (i: number) => (((i * 7919) % 0x800) + 0x3800) | ((i & 1) << 15)],
] as const)('a safetensors file in %s', (weights, dtype, pattern) => {
  /** The bytes of a file whose tensors have all kinds of 16-bit patterns. */
  function fileOf(shapes: Record<string, readonly number[]>): Uint8Array {
    const header: Record<string, object> = {}
    const words: number[] = []
    for (const [name, shape] of Object.entries(shapes)) {
      const from = 2 * words.length
      const count = shape.reduce((product, size) => product * size, 1)
      for (let i = 0; i < count; i++) words.push(pattern(words.length))
      header[name] = { dtype, shape, data_offsets: [from, 2 * words.length] }
    }
    const text = new TextEncoder().encode(JSON.stringify(header))
    const bytes = new Uint8Array(8 + text.length + 2 * words.length)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, BigInt(text.length), true)
    bytes.set(text, 8)
    for (const [i, word] of words.entries()) view.setUint16(8 + text.length + 2 * i, word, true)
    return bytes
  }
  const H = 21
  const recurrent = (gates: number, K: number) => ({ weight_ih_l0: [gates * H, K], weight_hh_l0: [gates * H, H] })
  const layers = {
    GRU: [GRU, recurrent(3, 33)],
    LSTM: [LSTM, recurrent(4, 9)],
    Linear: [Linear, { weight: [40, 70] }],
    Embedding: [Embedding, { weight: [50, 60] }],
  } as const
  type AnyClass = {
    fromStateDict(
      dict: object,
      options: { weights: WeightType; backend: BackendName },
    ): { stateDict(): Record<string, Tensor>; memory(): { weights: number } }
  }

  it.each(Object.keys(layers) as (keyof typeof layers)[])(
    'becomes a %s with its very bits, in its own bytes',
    (name) => {
      const [Layer, shapes] = layers[name]
      const dict = readSafetensors(fileOf(shapes))
      const layer = (Layer as unknown as AnyClass).fromStateDict(dict, { weights, backend })
      const kept = layer.stateDict()
      let bytes = 0
      for (const [key, { data }] of Object.entries(dict)) {
        expect(new Uint8Array(kept[key].data.buffer)).toEqual(
          new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        )
        bytes += 2 * data.length
      }
      expect(layer.memory().weights).toBe(bytes)
    },
  )
})

describe('integers with scales in an ONNX file', () => {
  const [I, H] = [3, 2]
  /** Rows of integers, the largest of each 127 or −127, as (K, N). */
  const integers = (K: number, N: number, largest = 127) =>
    Int8Array.from({ length: K * N }, (_, i) => {
      const [k, n] = [Math.floor(i / N), i % N]
      return k === n % K ? (n % 2 ? largest : -largest) : ((i * 37) % 199) - 99
    })
  const floats = (name: string, shape: number[], data: readonly number[]) =>
    write.initializer(name, { shape, data: [...data] })
  const raw = (name: string, shape: number[], data: Int8Array) =>
    write.bytes(5, write.rawTensorBody(name, 3, shape, new Uint8Array(data.buffer)))
  const scales = Array.from({ length: 4 * H }, (_, n) => 2 ** -9 * (1 + n / 8))

  /** Zero points of int8, one for W and one for R. */
  const dynamic = (q: typeof integers, scale: readonly number[], zero = 0) =>
    write.model(
      write.node({
        opType: 'DynamicQuantizeLSTM',
        domain: 'com.microsoft',
        inputs: ['X', 'W', 'R', '', '', '', '', '', 's', 'z', 's', 'z'],
        attributes: { hidden_size: H },
      }),
      raw('W', [1, I, 4 * H], q(I, 4 * H)),
      raw('R', [1, H, 4 * H], q(H, 4 * H)),
      floats('s', scale.length === 1 ? [1] : [1, 4 * H], scale),
      raw('z', [1], Int8Array.of(zero)),
    )
  const dequantized = (middle: 'Transpose' | 'Add') => {
    const node = (opType: string, inputs: string[], output: string, attributes = {}) =>
      write.node({ opType, inputs, outputs: [output], attributes })
    const one = (name: string, K: number) => [
      raw(`q${name}`, [1, K, 4 * H], integers(K, 4 * H)),
      node('DequantizeLinear', [`q${name}`, 's'], `d${name}`, { axis: 2 }),
      middle === 'Add' ? node('Add', [`d${name}`, 'zero'], `a${name}`) : node('Identity', [`d${name}`], `a${name}`),
      node('Transpose', [`a${name}`], name, { perm: [0, 2, 1] }),
    ]
    return write.concat([
      write.integer(1, 8),
      write.message(7, [
        ...one('W', I),
        ...one('R', H),
        floats('s', [4 * H], scales),
        floats('zero', [1], [0]),
        node('LSTM', ['X', 'W', 'R'], 'Y', { hidden_size: H }),
      ]),
      write.message(8, [write.text(1, ''), write.integer(2, 13)]),
    ])
  }
  const read = (file: Uint8Array, weights?: WeightType) => readOnnx(file, { weights, backend })[0].layer as LSTM
  /** Bytes of W and R. */
  const bytes = { f32: 4 * 4 * H * (I + H), f16: 2 * 4 * H * (I + H), int8: 4 * H * (I + H + 8) }
  const x = ramp(5, 2, I)

  it.each([
    ['DynamicQuantizeLSTM', dynamic(integers, scales)],
    ['DequantizeLinear and what only moves values', dequantized('Transpose')],
    ['DynamicQuantizeLSTM with one scale', dynamic(integers, [2 ** -8 * 1.3])],
    ['what has no 127', dynamic((K, N) => integers(K, N, 126), scales)],
    // 127 times this scale lies half way between two float32 numbers, and no other number has it as its 127th part.
    ['what has a scale that no row of float32 numbers has', dynamic(integers, scales.with(3, 0xc00040 * 2 ** -32))],
    ['what lies around another zero point', dynamic((K, N) => integers(K, N, 99), scales, 28)],
  ])('%s becomes int8 where that changes no bit', (_, file) => {
    const layer = read(file)
    expect(layer.memory().weights).toBe(bytes.int8)
    const plain = read(file, 'f32')
    expect(plain.memory().weights).toBe(bytes.f32)
    expect(layer.stateDict()).toEqual(plain.stateDict())
    const asked = read(file, 'int8')
    expect(asked.stateDict()).toEqual(plain.stateDict())
    expect(layer.forward(x)).toEqual(asked.forward(x))
    const near = plain.forward(x).output.data
    for (const [i, value] of layer.forward(x).output.data.entries()) expect(value).toBeCloseTo(near[i], 5)
    expect(read(file, 'f16').memory().weights).toBe(bytes.f16)
    for (const name of backends) {
      const first = readOnnx(file, { backend: name })[0].layer as LSTM
      const dict = first.stateDict()
      expect(dict).toEqual(plain.stateDict())
      const again = LSTM.fromStateDict(dict, { weights: 'int8', backend: name })
      expect(again.stateDict()).toEqual(dict)
      expect(again.forward(x)).toEqual(first.forward(x))
    }
  })

  it.each([
    ['with −128 among them', dynamic((K, N) => integers(K, N, 128), scales)],
    ['that lie too far from their zero point', dynamic((K, N) => integers(K, N, 127), scales, 5)],
    ['that are computed with', dequantized('Add')],
  ])('weights %s become float32, and int8 where it is asked for', (_, file) => {
    expect(read(file).memory().weights).toBe(bytes.f32)
    expect(read(file).stateDict()).toEqual(read(file, 'f32').stateDict())
    expect(read(file, 'int8').memory().weights).toBe(bytes.int8)
  })

  it('weights of a file that has float32 stay float32, whatever they are', () => {
    const { W, R, rnn, weights } = write.tiny
    const { layer } = readOnnx(write.model(rnn, ...weights), { backend })[0]
    expect(layer.memory().weights).toBe(4 * (W.data.length + R.data.length))
    const dict = Linear.fromStateDict({ weight: [[127, 1]] }, { backend }).memory()
    expect(dict).toEqual({ weights: 8 })
    const node = { opType: 'RNN', W: [[[127, 1]]], R: [[[127]]] } as const
    expect(fromOnnxNode(node, { backend }).memory()).toEqual({ weights: 12 })
  })
})
