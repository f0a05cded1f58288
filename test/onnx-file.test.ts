/** ONNX files: real ones of ONNX's tools and PyTorch's exporter, every way of storing, and damage of every kind. */

import { readFileSync } from 'node:fs'
import { fromOnnxNode, GRU, LSTM, RNN, RNNError, readOnnx, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { cases, layerOf, outputsOf } from '../scripts/conformance.mjs'
import * as write from './onnx-writer.ts'

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
  JSON.parse(readFileSync(new URL(`fixtures/onnx/${file}`, import.meta.url), 'utf8'))
const decoded = (model: string) => new Uint8Array(Buffer.from(model, 'base64'))
const tensor = ({ dims, data }: Values) => new Tensor(Float32Array.from(data), dims)

const W = { shape: [1, 2, 3], data: [0.1, 0.2, 0.3, -0.1, -0.2, -0.3] }
const R = { shape: [1, 2, 2], data: [0.5, -0.5, 0.25, -0.25] }
const B = { shape: [1, 4], data: [1, 2, 3, 4] }
const weights = [write.initializer('W', W), write.initializer('R', R)]
const rnn = write.node({ opType: 'RNN', name: 'rnn', inputs: ['X', 'W', 'R'] })
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

function messageOf(bytes: Uint8Array): string {
  try {
    readOnnx(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(RNNError)
    expect((error as RNNError).code).toBe('ERR_RNN_MODEL_FILE')
    return (error as RNNError).message
  }
  throw new Error('no error came')
}

describe("files of ONNX's own tools", () => {
  it.each(cases)('gives the layer of $name', (testCase) => {
    const [{ name, layer }] = readOnnx(decoded(testCase.modelWithWeights))
    expect(name).toBe('Y' in testCase.outputs ? 'Y' : 'Y_h')
    expect(outputsOf(testCase, layer)).toEqual(outputsOf(testCase, layerOf(testCase, layer.backend)))
  })

  it.each(cases)('passes over a node whose weights are not in the file: $name', (testCase) => {
    expect(readOnnx(decoded(testCase.model))).toEqual([])
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

  it.each([
    ["another domain's node of that name", { opType: 'RNN', domain: 'com.example', inputs: ['X', 'W', 'R'] }],
    ['a W that is computed', { opType: 'RNN', inputs: ['X', 'computed', 'R'] }],
    ['a B that is computed', { opType: 'RNN', inputs: ['X', 'W', 'R', 'computed'] }],
    ['no R at all', { opType: 'RNN', inputs: ['X', 'W'] }],
    ['peepholes that are computed', { opType: 'LSTM', inputs: ['X', 'W', 'R', '', '', '', '', 'computed'] }],
  ])('passes over %s', (_, node) => {
    expect(readOnnx(write.model(write.node(node), ...weights))).toEqual([])
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
})

describe('what is refused, by name and place', () => {
  const tensorWith = (...fields: Uint8Array[]) =>
    write.model(rnn, weights[1], write.message(5, [write.text(8, 'W'), write.integers(1, [1, 2, 3]), ...fields]))
  const nodeWith = (attributes: Record<string, number | string | string[]>, opType = 'RNN') =>
    write.model(write.node({ opType, name: 'deep', inputs: ['X', 'W', 'R'], attributes }), ...weights)
  const sixFloats = write.floats(4, [1, 2, 3, 4, 5, 6])

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(), 'the model: no graph; is this an ONNX file?, at byte 0'],
    ['text', new TextEncoder().encode('{"onnx": 1}'), 'the model: field 15 has wire type 3'],
    ['two graphs', write.concat([write.model(rnn), write.model(rnn)]), 'the model: a second graph'],
    [
      'a graph that is a number',
      write.integer(7, 5),
      'the graph is stored as varint where length-delimited belongs, at byte 0',
    ],
    ['a field of number 0', Uint8Array.of(0, 0), 'a field numbered 0, which protobuf does not have, at byte 0'],
    ['a group', Uint8Array.of(0x3b), 'field 7 has wire type 3, which is none of 0, 1, 2 and 5, at byte 0'],
    ['a varint without end', Uint8Array.of(8, ...Array(20).fill(255)), 'a varint is longer than 64 bits, at byte 1'],
    ['a varint of 65 bits', Uint8Array.of(8, ...Array(9).fill(255), 2), 'a varint is longer than 64 bits, at byte 1'],
    ['a varint cut off', Uint8Array.of(8, 255), 'a varint is cut off, at byte 1'],
    ['a length past the end', Uint8Array.of(0x3a, 200, 1), 'field 7 claims 200 bytes where 0 are left, at byte 0'],
    [
      'a negative length',
      write.concat([Uint8Array.of(0x3a), write.varint(-1)]),
      'field 7 claims -1 bytes where 0 are left',
    ],
    ['a length past its message', write.model(Uint8Array.of(0x0a, 100)), 'the graph: field 1 claims 100 bytes'],
    [
      'a name that is not UTF-8',
      write.model(write.message(1, [write.bytes(4, Uint8Array.of(0xff))])),
      'node 0: op_type is not UTF-8',
    ],
    ['a tensor twice', write.model(rnn, ...weights, weights[0]), 'a second tensor named "W"'],
    [
      'an attribute twice',
      write.model(
        write.node({
          opType: 'RNN',
          inputs: ['X', 'W', 'R'],
          attributes: { layout: 0 },
          more: [write.attributeBody('layout', 1)],
        }),
        ...weights,
      ),
      'a second attribute named "layout"',
    ],
    [
      'an attribute of a function',
      write.model(
        write.node({
          opType: 'RNN',
          inputs: ['X', 'W', 'R'],
          more: [write.concat([write.text(1, 'layout'), write.text(21, 'outer')])],
        }),
        ...weights,
      ),
      'an attribute that refers to a function is not supported',
    ],
    [
      'an attribute that is a graph',
      write.model(
        write.node({
          opType: 'RNN',
          inputs: ['X', 'W', 'R'],
          more: [write.concat([write.text(1, 'layout'), write.integer(20, 5)])],
        }),
        ...weights,
      ),
      'an attribute that is neither numbers nor text',
    ],
    [
      'values in another file',
      tensorWith(write.integer(2, 1), write.message(13, [write.text(1, 'location')])),
      'tensor "W": external_data is not supported',
    ],
    [
      'a location elsewhere',
      tensorWith(write.integer(2, 1), write.integer(14, 1)),
      'tensor "W": external_data is not supported',
    ],
    [
      'segments',
      tensorWith(write.integer(2, 1), write.message(3, []), sixFloats),
      'tensor "W": segmented values are not supported',
    ],
    [
      'a sparse tensor',
      write.model(rnn, weights[1], write.message(15, [write.bytes(1, write.tensorBody('W', W))])),
      'tensor "W": sparse tensors are not supported',
    ],
    [
      'integers for weights',
      tensorWith(write.integer(2, 7)),
      'tensor "W": data_type 7 is not among FLOAT, FLOAT16, BFLOAT16 and DOUBLE',
    ],
    ['no data type', tensorWith(sixFloats), 'tensor "W": data_type 0 is not among'],
    [
      'too few values',
      tensorWith(write.integer(2, 1), write.floats(4, [1, 2])),
      'tensor "W": 2 values where the shape (1, 2, 3) asks for 6',
    ],
    [
      'too many values',
      tensorWith(write.integer(2, 1), sixFloats, sixFloats),
      'tensor "W": 12 values where the shape (1, 2, 3) asks for 6',
    ],
    ['no values', tensorWith(write.integer(2, 1)), 'tensor "W": 0 values where'],
    [
      'a value cut off',
      tensorWith(write.integer(2, 1), write.bytes(9, new Uint8Array(23))),
      'raw_data ends within a value',
    ],
    [
      'raw values twice',
      tensorWith(write.integer(2, 1), write.bytes(9, new Uint8Array(24)), write.bytes(9, new Uint8Array(24))),
      'raw_data comes twice',
    ],
    [
      'values in two places',
      tensorWith(write.integer(2, 1), write.bytes(9, new Uint8Array(24)), sixFloats),
      'FLOAT values in float_data',
    ],
    [
      'floats in double_data',
      tensorWith(write.integer(2, 1), write.doubles(10, [1, 2, 3, 4, 5, 6])),
      'FLOAT values in double_data',
    ],
    [
      'a half of 17 bits',
      tensorWith(write.integer(2, 10), write.integers(5, [0, 1, 2, 3, 4, 65536])),
      '65536 in int32_data is not 16 bits wide',
    ],
    [
      'a negative half',
      tensorWith(write.integer(2, 16), write.singleIntegers(5, [0, 1, 2, 3, 4, -1])),
      '-1 in int32_data is not 16 bits wide',
    ],
    [
      'floats as varints',
      tensorWith(write.integer(2, 1), write.singleIntegers(4, [1, 2])),
      'float_data is stored as varint where length-delimited belongs',
    ],
    [
      'a shape of 2^120',
      write.model(
        rnn,
        weights[1],
        write.message(5, [write.text(8, 'W'), write.integer(2, 1), write.integers(1, [2 ** 40, 2 ** 40, 2 ** 40])]),
      ),
      '0 values where the shape',
    ],
    [
      'a negative shape',
      write.model(
        rnn,
        weights[1],
        write.message(5, [write.text(8, 'W'), write.integer(2, 1), write.singleIntegers(1, [1, -2, -3]), sixFloats]),
      ),
      'the shape (1, -2, -3) is not one',
    ],
    [
      'a rank of 1000',
      write.model(
        rnn,
        weights[1],
        write.message(5, [
          write.text(8, 'W'),
          write.integer(2, 1),
          write.integers(1, Array(1000).fill(1)),
          write.floats(4, [1]),
        ]),
      ),
      'a rank of 1000',
    ],
    [
      'weights that do not fit each other',
      nodeWith({}, 'GRU'),
      'node 0 "deep": Expected W size (1, 6, 3), got [1, 2, 3]',
    ],
    [
      'another hidden_size',
      nodeWith({ hidden_size: 3 }),
      'node 0 "deep": R.size(-1) must be equal to the attribute hidden_size',
    ],
    [
      'a weight that is not finite',
      tensorWith(write.integer(2, 1), write.floats(4, [1, 2, 3, 4, Infinity, 6])),
      'node 0 "rnn": W must be finite, got Infinity at [0, 1, 1]',
    ],
    [
      'a clip',
      write.model(
        write.node({
          opType: 'RNN',
          name: 'deep',
          inputs: ['X', 'W', 'R'],
          more: [write.concat([write.text(1, 'clip'), write.singleFloats(2, [3]), write.integer(20, 1)])],
        }),
        ...weights,
      ),
      'node 0 "deep": The attribute clip of RNN is not supported',
    ],
    [
      'another activation',
      nodeWith({ activations: ['Softsign'] }),
      'node 0 "deep": The attribute activations of RNN with the value ["Softsign"] is not supported',
    ],
    [
      'an unknown attribute',
      nodeWith({ __proto__: 1, speed: 3 }),
      'node 0 "deep": The attribute speed of RNN is not known',
    ],
    [
      'an attribute beyond 2^53',
      write.model(
        write.node({
          opType: 'RNN',
          inputs: ['X', 'W', 'R'],
          more: [write.concat([write.text(1, 'layout'), write.integer(3, 2n ** 60n)])],
        }),
        ...weights,
      ),
      'i is beyond 2^53',
    ],
    [
      'peepholes of an RNN',
      write.model(
        write.node({ opType: 'RNN', inputs: ['X', 'W', 'R', '', '', '', '', 'B'] }),
        ...weights,
        write.initializer('B', B),
      ),
      'node 0: P (peepholes) belongs to an LSTM',
    ],
  ])('%s', (_, file, words) => {
    const message = messageOf(file)
    expect(message).toContain('The ONNX file cannot be read: ')
    expect(message).toContain(words)
    expect(message.length).toBeLessThan(400)
  })

  it('an argument that is no bytes', () => {
    for (const wrong of [undefined, 'model.onnx', [1, 2], new ArrayBuffer(8), new Float32Array(2)]) {
      expect(() => readOnnx(wrong as unknown as Uint8Array)).toThrow(
        expect.objectContaining({ code: 'ERR_RNN_MODEL_FILE' }),
      )
    }
  })

  it('a small file that names the same weights so often that it would fill the memory', () => {
    const side = 512
    const large = [
      write.initializer('W', { shape: [1, side, side], data: new Float32Array(side * side) }),
      write.initializer('R', { shape: [1, side, side], data: new Float32Array(side * side) }),
    ]
    expect(messageOf(write.model(...Array<Uint8Array>(200).fill(rnn), ...large))).toContain(
      'its weights are used so often',
    )
  })
})
