/** ONNX files: real ones of ONNX's tools and PyTorch's exporter, every way of storing, and what a reader passes over. */

import { readFileSync } from 'node:fs'
import { fromOnnxNode, GRU, LSTM, RNN, readOnnx, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { cases, layerOf, outputsOf } from '../support/conformance.mjs'
import { expectError } from '../support/errors.ts'
import * as write from '../support/onnx-writer.ts'

const { R, rnn, W, weights } = write.tiny

interface Values {
  dims: number[]
  data: number[]
}

interface Exported {
  name: string
  model: string
  x: Values
  output: Values
  hn: Values
  cn?: Values
  stateDict: Record<string, Values>
}

const recorded = <T>(file: string): T[] =>
  JSON.parse(readFileSync(new URL(`../fixtures/onnx/${file}`, import.meta.url), 'utf8'))
const decoded = (model: string) => new Uint8Array(Buffer.from(model, 'base64'))
const tensor = ({ dims, data }: Values) => new Tensor(Float32Array.from(data), dims)

const wanted = fromOnnxNode({
  opType: 'RNN',
  W: new Tensor(Float32Array.from(W.data), W.shape),
  R: new Tensor(Float32Array.from(R.data), R.shape),
})

/** The state dict of the one layer in a file. */
function onlyLayer(bytes: Uint8Array) {
  const layers = readOnnx(bytes)
  expect(layers).toHaveLength(1)
  return layers[0].layer.stateDict()
}

describe("files of ONNX's own tools", () => {
  it.each(cases)('gives the layer of $name', (testCase) => {
    const [{ name, layer }] = readOnnx(decoded(testCase.modelWithWeights))
    expect(name).toBe('Y' in testCase.outputs ? 'Y' : 'Y_h')
    expect(outputsOf(testCase, layer)).toEqual(outputsOf(testCase, layerOf(testCase, layer.backend)))
  })

  it.each(cases)('refuses a node whose weights are not in the file: $name', (testCase) => {
    expectError(
      () => readOnnx(decoded(testCase.model)),
      'ERR_RNN_MODEL_FILE',
      'node 0: its W, "W", does not stand in the file: it depends on "W", an input of the graph',
    )
  })

  it.each(recorded<{ name: string; model: string; weights: Record<'W' | 'R' | 'B', Values> }>('tensors.json'))(
    'reads weights stored as $name',
    ({ model, weights }) => {
      const { W, R, B } = weights
      const direct = fromOnnxNode({ opType: 'RNN', W: tensor(W), R: tensor(R), B: tensor(B) })
      expect(onlyLayer(decoded(model))).toEqual(direct.stateDict())
    },
  )
})

describe("files of PyTorch's exporter", () => {
  it.each(recorded<Exported>('exported.json'))('$name: its layers give what PyTorch gives', (exported) => {
    const layers = readOnnx(decoded(exported.model))
    expect(layers.map(({ name }) => name)).toEqual(
      layers.map((_, i) => expect.stringMatching(new RegExp(i === 0 ? '^/[A-Z]+$' : `_${i}$`))),
    )
    let output = tensor(exported.x)
    const states: Record<'hn' | 'cn', number[]> = { hn: [], cn: [] }
    for (const [i, { layer }] of layers.entries()) {
      const result = layer.forward(output) as { output: Tensor; hn: Tensor; cn?: Tensor }
      output = result.output
      states.hn.push(...result.hn.data)
      states.cn.push(...(result.cn?.data ?? []))
      for (const [key, { data }] of Object.entries(layer.stateDict())) {
        expect(data).toEqual(tensor(exported.stateDict[key.replace('l0', `l${i}`)]).data)
      }
    }
    expect(output.shape).toEqual(exported.output.dims)
    const close = (got: ArrayLike<number>, { data }: Values) => {
      expect(got).toHaveLength(data.length)
      data.forEach((value, i) => {
        expect(got[i]).toBeCloseTo(value, 5)
      })
    }
    close(output.data, exported.output)
    close(states.hn, exported.hn)
    if (exported.cn) close(states.cn, exported.cn)
  })
})

describe('what a file may look like', () => {
  it('every recurrent node becomes a layer, in the order of the graph', () => {
    const gru = write.node({
      opType: 'GRU',
      inputs: ['Y', 'gW', 'gR'],
      outputs: ['', 'last'],
      attributes: { direction: 'reverse' },
    })
    const file = write.model(
      rnn,
      write.node({ opType: 'Relu', inputs: ['Y'], outputs: ['Z'] }),
      gru,
      write.node({ opType: 'LSTM', name: 'long', inputs: ['Z', 'lW', 'lR'] }),
      ...weights,
      write.initializer('gW', { shape: [1, 6, 3], data: Array(18).fill(0.5) }),
      write.initializer('gR', { shape: [1, 6, 2], data: Array(12).fill(0.5) }),
      write.initializer('lW', { shape: [1, 4, 2], data: Array(8).fill(0.5) }),
      write.initializer('lR', { shape: [1, 4, 1], data: Array(4).fill(0.5) }),
    )
    const layers = readOnnx(file)
    expect(layers.map(({ name }) => name)).toEqual(['rnn', 'last', 'long'])
    expect(layers.map(({ layer }) => layer.constructor)).toEqual([RNN, GRU, LSTM])
    expect(layers.map(({ layer }) => [layer.inputSize, layer.hiddenSize])).toEqual([
      [3, 2],
      [3, 2],
      [2, 1],
    ])
  })

  it.each<[string, () => Uint8Array]>([
    [
      'repeated numbers one field at a time',
      () => {
        const body = ({ shape, data }: write.TestTensor, name: string) =>
          write.message(5, [
            write.singleIntegers(1, shape),
            write.integer(2, 1),
            write.singleFloats(4, [...data]),
            write.text(8, name),
          ])
        return write.model(rnn, body(W, 'W'), body(R, 'R'))
      },
    ],
    [
      'packed shapes, values in two pieces',
      () => {
        const body = ({ shape, data }: write.TestTensor, name: string) =>
          write.message(5, [
            write.floats(4, [...data].slice(0, 2)),
            write.integers(1, shape),
            write.integer(2, 1),
            write.floats(4, [...data].slice(2)),
            write.text(8, name),
          ])
        return write.model(rnn, body(W, 'W'), body(R, 'R'))
      },
    ],
    [
      'Constant nodes',
      () => {
        const constant = (name: string, value: write.TestTensor) =>
          write.node({
            opType: 'Constant',
            outputs: [name],
            more: [
              write.concat([write.text(1, 'value'), write.bytes(5, write.tensorBody('', value)), write.integer(20, 4)]),
            ],
          })
        return write.model(constant('W', W), constant('R', R), rnn)
      },
    ],
    [
      'Identity nodes in a chain',
      () => {
        const identity = (from: string, to: string) => write.node({ opType: 'Identity', inputs: [from], outputs: [to] })
        return write.model(identity('w', 'v'), identity('v', 'W'), rnn, write.initializer('w', W), weights[1])
      },
    ],
    ['the initializers before the nodes', () => write.model(...weights, rnn)],
    [
      'optional inputs with empty names',
      () => write.model(write.node({ opType: 'RNN', inputs: ['X', 'W', 'R', '', '', 'h'] }), ...weights),
    ],
    [
      'fields that nobody knows',
      () =>
        write.concat([
          write.text(99, 'new'),
          write.integer(98, -1),
          write.model(write.singleFloats(97, [1]), rnn, ...weights),
        ]),
    ],
    [
      'the domain spelled out',
      () => write.model(write.node({ opType: 'RNN', domain: 'ai.onnx', inputs: ['X', 'W', 'R'] }), ...weights),
    ],
    [
      'attributes without a type, zeros left out',
      () => {
        const more = [
          write.concat([write.text(1, 'hidden_size'), write.integer(3, 2)]),
          write.concat([write.text(1, 'direction'), write.text(4, 'forward')]),
          write.concat([write.text(1, 'activations'), write.text(9, 'Tanh')]),
          write.concat([write.text(1, 'activation_alpha'), write.floats(7, [1])]),
          write.concat([write.text(1, 'layout'), write.integer(20, 2)]),
        ]
        return write.model(write.node({ opType: 'RNN', inputs: ['X', 'W', 'R'], more }), ...weights)
      },
    ],
  ])('reads %s', (_, file) => {
    expect(onlyLayer(file())).toEqual(wanted.stateDict())
  })

  it('reads any view of bytes: a Buffer, an odd offset, shared memory', () => {
    const file = write.model(rnn, ...weights)
    const odd = new Uint8Array(file.length + 3)
    odd.set(file, 3)
    const shared = new Uint8Array(new SharedArrayBuffer(file.length))
    shared.set(file)
    for (const bytes of [Buffer.from(file), odd.subarray(3), shared])
      expect(onlyLayer(bytes)).toEqual(wanted.stateDict())
  })

  it("passes over another domain's node of that name, which is another operator", () => {
    const node = write.node({ opType: 'RNN', domain: 'com.example', inputs: ['X', 'W', 'R'] })
    expect(readOnnx(write.model(node, ...weights))).toEqual([])
  })

  it.each<[string, write.TestNode, string]>([
    ['a W that is computed', { opType: 'RNN', inputs: ['X', 'computed', 'R'] }, 'its W, "computed"'],
    ['a B that is computed', { opType: 'RNN', inputs: ['X', 'W', 'R', 'computed'] }, 'its B, "computed"'],
    ['no R at all', { opType: 'RNN', inputs: ['X', 'W'] }, 'R is missing'],
    [
      'peepholes that are computed',
      { opType: 'LSTM', inputs: ['X', 'W', 'R', '', '', '', '', 'computed'] },
      'its P, "computed"',
    ],
  ])('refuses %s, and names node and input', (_, node, words) => {
    const file = write.model(
      write.node({ opType: 'Asin', name: 'wave', inputs: ['W'], outputs: ['s'] }),
      write.node({ opType: 'Mul', name: 'product', inputs: ['W', 's'], outputs: ['computed'] }),
      write.node({ name: 'deep', ...node }),
      ...weights,
    )
    const { message } = expectError(() => readOnnx(file), 'ERR_RNN_MODEL_FILE', `node 2 "deep": ${words}`)
    if (words.includes('computed')) expect(message).toContain('depends on a result of node 0 "wave" (Asin)')
  })

  it('reads nothing of tensors that no recurrent node uses', () => {
    const other = write.message(5, [
      write.text(8, 'other'),
      write.integer(2, 8),
      write.integer(1, 2 ** 40),
      write.bytes(13, new Uint8Array()),
    ])
    expect(onlyLayer(write.model(rnn, ...weights, other))).toEqual(wanted.stateDict())
  })

  it('takes options for all layers', () => {
    const [{ layer }] = readOnnx(write.model(rnn, ...weights), { backend: 'typescript' })
    expect(layer.backend).toBe('typescript')
  })

  it("takes the options of a constructor: clip in place of the node's, and what the node has, as long as it is that", () => {
    const own = { numLayers: 1, bias: false, bidirectional: false, seed: 1, dropout: 0, threads: 2 }
    const file = write.model(rnn, ...weights)
    const frames = [[30, -20, 10]]
    const clipped = fromOnnxNode({ opType: 'RNN', attributes: { clip: 0.25 }, W: tensor3(W), R: tensor3(R) })
    const [{ layer }] = readOnnx(file, { ...own, clip: 0.25 })
    expect(layer.forward(frames)).toEqual(clipped.forward(frames))
    expect(readOnnx(file, own)[0].layer.forward(frames)).not.toEqual(layer.forward(frames))
    for (const [name, value, has] of [
      ['numLayers', 2, 1],
      ['bias', true, false],
      ['bidirectional', true, false],
    ]) {
      const words = `${name} must be left out, or be what the node "rnn" has: ${has}, got ${value}`
      expectError(() => readOnnx(file, { [name as string]: value }), 'ERR_RNN_OPTION', words)
    }
  })
})

const tensor3 = ({ shape, data }: { shape: number[]; data: number[] }) => new Tensor(Float32Array.from(data), shape)
