/** ONNX files that are damaged or not supported: each is refused with words that name what is wrong, and where. */

import { RNNError, readOnnx } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import * as write from '../support/onnx-writer.ts'

const { B, rnn, W, weights } = write.tiny

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

describe('what is refused, by name and place', () => {
  const tensorWith = (...fields: Uint8Array[]) =>
    write.model(rnn, weights[1], write.message(5, [write.text(8, 'W'), write.integers(1, [1, 2, 3]), ...fields]))
  const nodeWith = (attributes: Record<string, number | string | string[]>, opType = 'RNN') =>
    write.model(write.node({ opType, name: 'deep', inputs: ['X', 'W', 'R'], attributes }), ...weights)
  const sixFloats = write.floats(4, [1, 2, 3, 4, 5, 6])

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(), 'it is an empty file'],
    ['text', new TextEncoder().encode('{"onnx": 1}'), 'it is a JSON text that begins "{\\"onnx\\": 1}"'],
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
      write.model(write.message(1, [write.text(4, 'RNN'), write.bytes(3, Uint8Array.of(0xff))])),
      'node 0: the name is not UTF-8',
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
      'node 0 (RNN): an attribute that refers to a function, outside of any',
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
      'node 0: the attribute "layout" is neither numbers nor text',
    ],
    [
      'values in another file',
      tensorWith(write.integer(2, 1), write.message(13, [write.text(1, 'location')])),
      'tensor "W": 0 values where',
    ],
    [
      'a location elsewhere',
      tensorWith(write.integer(2, 1), write.integer(14, 1)),
      'tensor "W": its values lie in another file, and no location says which',
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
      tensorWith(write.integer(2, 7), write.bytes(9, new Uint8Array(48))),
      'node 0 "rnn": its W is of type int64, where floating-point values belong',
    ],
    ['no data type', tensorWith(sixFloats), 'tensor "W": data_type 0 is not supported'],
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
      'float32 values in float_data',
    ],
    [
      'floats in double_data',
      tensorWith(write.integer(2, 1), write.doubles(10, [1, 2, 3, 4, 5, 6])),
      'float32 values in double_data',
    ],
    [
      'a half of 17 bits',
      tensorWith(write.integer(2, 10), write.integers(5, [0, 1, 2, 3, 4, 65536])),
      '65536 in a list of float16 is beyond 0 … 65535',
    ],
    [
      'a negative half',
      tensorWith(write.integer(2, 16), write.singleIntegers(5, [0, 1, 2, 3, 4, -1])),
      '-1 in a list of bfloat16 is beyond 0 … 65535',
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
      'a rank above 32',
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
      'node 0: The attribute layout of RNN must be an integer that is 0 or 1, got 1152921504606846976n',
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
