/** Weights that are made of constants, in every way that exporters write: each file gives the layer that its plain form gives. */

import { fromOnnxNode, type GRU, type LSTM, type RNN, readOnnx, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import * as write from '../support/onnx-writer.ts'

const { R, rnn, W, weights } = write.tiny
const layerOf = (w: write.TestTensor = W, r: write.TestTensor = R) =>
  fromOnnxNode({
    opType: 'RNN',
    W: new Tensor(Float32Array.from(w.data), w.shape),
    R: new Tensor(Float32Array.from(r.data), r.shape),
  })
const wanted = layerOf().stateDict()
const only = (file: Uint8Array, options?: Parameters<typeof readOnnx>[1]) => {
  const layers = readOnnx(file, options)
  expect(layers).toHaveLength(1)
  return layers[0]
}
const weightsOf = ({ layer }: { layer: RNN | GRU | LSTM }) => layer.stateDict()

const op = (opType: string, inputs: string[], output: string, attributes: Record<string, write.TestAttribute> = {}) =>
  write.node({ opType, inputs, outputs: [output], attributes })
const ints = (name: string, values: number[], shape?: number[]) => write.bytes(5, write.int64Body(name, values, shape))
const floats = (name: string, shape: number[], data: number[]) => write.initializer(name, { shape, data })
const flatW = (name: string, shape = [2, 3]) => floats(name, shape, [...W.data])
const opset = (version: number, ...graph: Uint8Array[]) =>
  write.concat([
    write.integer(1, 8),
    write.message(7, graph),
    write.message(8, [write.text(1, ''), write.integer(2, version)]),
  ])
const half = (values: number[]) => {
  // 0.5, −0.5, 0.25, −0.25 and their like are exact.
  const bits = values.map((value) => {
    const sign = value < 0 ? 0x8000 : 0
    const exponent = Math.floor(Math.log2(Math.abs(value)))
    return sign | ((exponent + 15) << 10) | Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024)
  })
  return new Uint8Array(Uint16Array.from(bits).buffer)
}

describe('weights that operators make of constants', () => {
  const cases: Record<string, () => Uint8Array> = {
    'PyTorch from 2.9 on: Slice, Concat, Unsqueeze': () =>
      opset(
        18,
        flatW('w'),
        ints('zero', [0]),
        ints('one', [1]),
        ints('two', [2]),
        op('Slice', ['w', 'zero', 'one', 'zero'], 'upper'),
        op('Slice', ['w', 'one', 'two', 'zero'], 'lower'),
        op('Concat', ['upper', 'lower'], 'both', { axis: 0 }),
        op('Unsqueeze', ['both', 'zero'], 'W'),
        rnn,
        weights[1],
      ),
    'PyTorch before opset 10: the same with attributes': () =>
      opset(
        9,
        flatW('w'),
        op('Slice', ['w'], 'upper', { axes: [0], starts: [0], ends: [1] }),
        op('Slice', ['w'], 'lower', { axes: [0], starts: [1], ends: [2 ** 62] }),
        op('Concat', ['upper', 'lower'], 'both', { axis: 0 }),
        op('Unsqueeze', ['both'], 'W', { axes: [0] }),
        rnn,
        weights[1],
      ),
    'Paddle: Unsqueeze, Concat, Slice': () =>
      opset(
        15,
        flatW('w'),
        ints('zero', [0]),
        ints('one', [1]),
        op('Unsqueeze', ['w', 'zero'], 'u'),
        op('Concat', ['u', 'u'], 'both', { axis: 0 }),
        op('Slice', ['both', 'one', 'end', 'zero'], 'W'),
        ints('end', [2]),
        rnn,
        weights[1],
      ),
    'Keras by tf2onnx: Transpose, Reshape, Split': () =>
      opset(
        15,
        floats('kernel', [3, 4], [0.1, -0.1, 9, 9, 0.2, -0.2, 9, 9, 0.3, -0.3, 9, 9]),
        ints('parts', [2, 2]),
        ints('shape', [1, 0, -1]),
        write.node({ opType: 'Split', inputs: ['kernel', 'parts'], outputs: ['k', 'rest'], attributes: { axis: 1 } }),
        op('Transpose', ['k'], 't', { perm: [1, 0] }),
        op('Squeeze', ['u'], 's'),
        op('Reshape', ['t', 'flat'], 'u'),
        ints('flat', [1, 2, 3]),
        op('Reshape', ['s', 'full'], 'W'),
        ints('full', [1, 2, -1]),
        rnn,
        weights[1],
      ),
    'weight norm: g · v / ‖v‖': () =>
      opset(
        13,
        floats('v', [2, 2], [3, -3, 8, -8]),
        floats('g', [2, 1], [Math.SQRT1_2, Math.SQRT1_2 / 2]),
        op('ReduceL2', ['v'], 'norm', { axes: [1], keepdims: 1 }),
        op('Div', ['v', 'norm'], 'unit'),
        op('Mul', ['unit', 'g'], 'r'),
        op('Unsqueeze', ['r', 'axes'], 'R'),
        ints('axes', [0]),
        weights[0],
        rnn,
      ),
    'shapes computed: Shape, Gather, Range, ConstantOfShape, Where, Expand, Tile': () =>
      opset(
        17,
        weights[1],
        flatW('w'),
        op('Shape', ['w'], 'shape'),
        op('Gather', ['shape', 'i'], 'rows', { axis: 0 }),
        ints('i', [0], []),
        op('Cast', ['rows'], 'rows32', { to: 6 }),
        op('Cast', ['rows32'], 'rows64', { to: 7 }),
        op('Equal', ['rows64', 'rows'], 'same'),
        op('Where', ['same', 'oneOne', 'bad'], 'full'),
        ints('bad', [7]),
        ints('oneOne', [1, 1, 1]),
        op('Expand', ['w', 'full'], 'e'),
        op('ConstantOfShape', ['three'], 'zeros'),
        ints('three', [3]),
        op('Add', ['e', 'zeros'], 'a'),
        op('Neg', ['a'], 'n'),
        op('Abs', ['n'], 'abs'),
        op('Min', ['abs', 'n'], 'min'),
        op('Sub', ['zeros', 'min'], 'back'),
        op('Max', ['back', 'a'], 'most'),
        op('Mul', ['most', 'sign'], 'W'),
        floats('sign', [2, 1], [1, 1]),
        rnn,
      ),
    'Constant nodes of numbers': () =>
      opset(
        13,
        ...[0, 1].map((i) =>
          write.node({
            opType: 'Constant',
            outputs: [`c${i}`],
            more: [
              write.concat([
                write.text(1, 'value_floats'),
                write.floats(7, [...W.data].slice(3 * i, 3 * i + 3)),
                write.integer(20, 6),
              ]),
            ],
          }),
        ),
        op('Constant', [], 'shape', { value_ints: [1, 2, 3] }),
        op('Concat', ['c0', 'c1'], 'flat', { axis: 0 }),
        op('Reshape', ['flat', 'shape'], 'W'),
        rnn,
        weights[1],
      ),
    'a condition that is constant: the branch that it chooses': () =>
      opset(
        13,
        write.bytes(5, write.rawTensorBody('yes', 9, [], Uint8Array.of(1))),
        flatW('w', [1, 2, 3]),
        op('If', ['yes'], 'W', {
          then_branch: { graph: [op('Identity', ['w'], 't'), write.graphOutput('t')] },
          else_branch: { graph: [op('Neg', ['w'], 'e'), write.graphOutput('e')] },
        }),
        rnn,
        weights[1],
      ),
    'an initializer that is an input too': () =>
      write.model(rnn, ...weights, write.graphInput('W'), write.graphInput('X')),
    'nodes in any order': () =>
      opset(13, rnn, op('Identity', ['v'], 'W'), op('Identity', ['w'], 'v'), weights[1], flatW('w', [1, 2, 3])),
    'a chain of 10,000 nodes': () =>
      opset(
        13,
        flatW('n0', [1, 2, 3]),
        ...Array.from({ length: 10_000 }, (_, i) => op('Identity', [`n${i}`], i === 9_999 ? 'W' : `n${i + 1}`)),
        rnn,
        weights[1],
      ),
  }

  it.each(Object.entries(cases))('%s', (_, file) => {
    const dict = weightsOf(only(file()))
    expect(Object.keys(dict)).toEqual(Object.keys(wanted))
    for (const [key, tensor] of Object.entries(dict)) {
      expect(tensor.shape).toEqual(wanted[key].shape)
      tensor.data.forEach((value, i) => {
        expect(value).toBeCloseTo(wanted[key].data[i], 6)
      })
    }
  })
})

describe('weights in fewer bits', () => {
  const exact = { shape: [1, 2, 2], data: [0.5, -0.5, 0.25, -0.25] }
  const square = layerOf(exact, exact).stateDict()
  const plainR = write.initializer('R', exact)
  const cases: Record<string, () => Uint8Array> = {
    'halves behind a Cast': () =>
      opset(
        13,
        write.bytes(5, write.rawTensorBody('h', 10, [1, 2, 2], half(exact.data))),
        op('Cast', ['h'], 'W', { to: 1 }),
        rnn,
        plainR,
      ),
    'halves as they are': () =>
      opset(13, write.bytes(5, write.rawTensorBody('W', 10, [1, 2, 2], half(exact.data))), rnn, plainR),
    'DequantizeLinear of a tensor': () =>
      opset(
        13,
        write.bytes(5, write.rawTensorBody('q', 2, [1, 2, 2], Uint8Array.of(130, 126, 129, 127))),
        floats('scale', [], [0.25]),
        write.bytes(5, write.rawTensorBody('zero', 2, [], Uint8Array.of(128))),
        op('DequantizeLinear', ['q', 'scale', 'zero'], 'W'),
        rnn,
        plainR,
      ),
    'DequantizeLinear of an axis': () =>
      opset(
        13,
        write.bytes(5, write.rawTensorBody('q', 3, [1, 2, 2], Uint8Array.of(1, 255, 1, 255))),
        floats('scale', [2], [0.5, 0.25]),
        op('DequantizeLinear', ['q', 'scale'], 'W', { axis: 1 }),
        rnn,
        plainR,
      ),
    'DequantizeLinear of blocks, four bits': () =>
      opset(
        21,
        // 1, −1, 1, −1, two in a byte.
        write.bytes(5, write.rawTensorBody('q', 22, [1, 2, 2], Uint8Array.of(0xf1, 0xf1))),
        floats('scale', [1, 2, 1], [0.5, 0.25]),
        op('DequantizeLinear', ['q', 'scale'], 'W', { axis: 2, block_size: 2 }),
        rnn,
        plainR,
      ),
    'QuantizeLinear before DequantizeLinear, as training for int8 leaves it': () =>
      opset(
        13,
        write.initializer('w', { shape: [1, 2, 2], data: [0.51, -0.49, 0.26, -0.24] }),
        floats('scale', [], [0.25]),
        write.bytes(5, write.rawTensorBody('zero', 3, [], Uint8Array.of(0))),
        op('QuantizeLinear', ['w', 'scale', 'zero'], 'q'),
        op('DequantizeLinear', ['q', 'scale', 'zero'], 'W'),
        rnn,
        plainR,
      ),
  }

  it.each(Object.entries(cases))('%s', (_, file) => {
    expect(weightsOf(only(file()))).toEqual(square)
  })

  it.each(['a tensor', 'a column'])("onnxruntime's DynamicQuantizeLSTM, a scale for %s", (which) => {
    const H = 1
    const I = 2
    const q = [1, 2, 3, 4, 5, 6, 7, 8]
    const scales = which === 'a tensor' ? [0.5] : [0.5, 0.25, 0.125, 1]
    const scaleOf = (n: number) => scales[n % scales.length]
    const shape = which === 'a tensor' ? [1] : [1, 4]
    const zero = which === 'a tensor' ? [3] : [1, 2, 3, 4]
    const values = (K: number) =>
      Array.from({ length: 4 * K }, (_, i) => {
        const [n, k] = [Math.floor(i / K), i % K]
        return (q[k * 4 + n] - zero[n % zero.length]) * scaleOf(n)
      })
    const file = write.model(
      write.node({
        opType: 'DynamicQuantizeLSTM',
        domain: 'com.microsoft',
        name: 'quantized',
        inputs: ['X', 'W', 'R', '', '', '', '', '', 's', 'z', 's', 'z'],
        attributes: { hidden_size: H },
      }),
      write.bytes(5, write.rawTensorBody('W', 2, [1, I, 4], Uint8Array.from(q))),
      write.bytes(5, write.rawTensorBody('R', 2, [1, H, 4], Uint8Array.from(q.slice(0, 4)))),
      floats('s', shape, scales),
      write.bytes(5, write.rawTensorBody('z', 2, shape, Uint8Array.from(zero))),
    )
    const plain = fromOnnxNode({
      opType: 'LSTM',
      W: new Tensor(Float32Array.from(values(I)), [1, 4, I]),
      R: new Tensor(Float32Array.from(values(H)), [1, 4, H]),
    })
    expect(weightsOf(only(file))).toEqual(plain.stateDict())
  })
})

describe('where recurrent nodes may stand', () => {
  const named = (name: string, output: string) =>
    write.node({ opType: 'RNN', name, inputs: ['X', 'W', 'R'], outputs: [output] })

  it('in both branches of an If, in a Loop, in a Scan, and in bodies within bodies', () => {
    const inner = op('If', ['condition'], 'i', {
      then_branch: { graph: [named('deep', 'd'), write.graphOutput('d')] },
      else_branch: { graph: [named('deeper', 'd'), write.graphOutput('d')] },
    })
    const file = write.model(
      op('If', ['condition'], 'o', {
        then_branch: { graph: [named('then', 'a'), write.graphOutput('a')] },
        else_branch: { graph: [inner, write.graphOutput('i')] },
      }),
      op('Loop', ['', 'condition'], 'l', { body: { graph: [named('loop', 'b')] } }),
      op('Scan', ['X'], 's', { body: { graph: [named('scan', 'c'), ...weights.slice(0, 1)] } }),
      named('last', 'Y'),
      ...weights,
    )
    const layers = readOnnx(file)
    expect(layers.map(({ name }) => name)).toEqual(['then', 'deep', 'deeper', 'loop', 'scan', 'last'])
    for (const { layer } of layers) expect(layer.stateDict()).toEqual(wanted)
  })

  const inFunction = (...more: Uint8Array[]) => [
    write.modelFunction(
      'mine',
      'Layer',
      ['x', 'w'],
      ['y'],
      [
        write.nodeBody({
          opType: 'Constant',
          outputs: ['r'],
          attributes: { value: { tensor: write.tensorBody('', R) } },
        }),
        write.nodeBody({
          opType: 'RNN',
          name: 'rnn',
          inputs: ['x', 'w', 'r'],
          outputs: ['y'],
          attributes: { hidden_size: { ref: 'size' } },
        }),
      ],
      more,
    ),
  ]
  const call = (name: string, w: string, attributes: Record<string, write.TestAttribute> = { size: 2 }) =>
    write.node({ opType: 'Layer', domain: 'mine', name, inputs: ['X', w], outputs: [name], attributes })

  it('in functions, once for each call, with constants of the call and of the function', () => {
    const other = { ...W, data: W.data.map((value) => value * 2) }
    const file = write.concat([
      write.model(call('one', 'W'), call('two', 'V'), weights[0], write.initializer('V', other)),
      ...inFunction(),
    ])
    const layers = readOnnx(file)
    expect(layers.map(({ name }) => name)).toEqual(['one/rnn', 'two/rnn'])
    expect(layers.map(weightsOf)).toEqual([wanted, layerOf(other).stateDict()])
  })

  it('a function whose attributes are wrong for it, missing or by default', () => {
    const file = (attributes: Record<string, write.TestAttribute>, ...more: Uint8Array[]) =>
      write.concat([write.model(call('one', 'W', attributes), weights[0]), ...inFunction(...more)])
    expectError(
      () => readOnnx(file({ size: 3 })),
      'ERR_RNN_MODEL_FILE',
      'hidden_size. Expected 3, got 2, in function "Layer"',
    )
    expect(readOnnx(file({}))).toHaveLength(1)
    const byDefault = write.bytes(11, write.attributeBody('size', 5))
    expectError(() => readOnnx(file({}, byDefault)), 'ERR_RNN_MODEL_FILE', 'Expected 5, got 2')
  })

  it('a function that a weight comes out of', () => {
    const twice = write.modelFunction(
      'mine',
      'Twice',
      ['a'],
      ['b'],
      [write.nodeBody({ opType: 'Add', inputs: ['a', 'a'], outputs: ['b'] })],
    )
    const halves = { ...W, data: W.data.map((value) => value / 2) }
    const file = write.concat([
      write.model(
        write.node({ opType: 'Twice', domain: 'mine', inputs: ['w'], outputs: ['W'] }),
        rnn,
        weights[1],
        write.initializer('w', halves),
      ),
      twice,
    ])
    expect(weightsOf(only(file))).toEqual(wanted)
  })

  it('weights that depend on what the call passes in are refused, and the input is named', () => {
    const file = write.concat([write.model(call('one', 'X'), write.graphInput('X')), ...inFunction()])
    const words =
      'node 1 "rnn": its W, "w", does not stand in the file: it depends on "X", an input of the graph, in function "Layer"'
    expectError(() => readOnnx(file), 'ERR_RNN_MODEL_FILE', words)
  })
})

describe('initial states', () => {
  const lstm = (layout: number) =>
    write.node({
      opType: 'LSTM',
      inputs: ['X', 'W', 'R', '', '', 'h', 'c'],
      attributes: { layout, direction: 'bidirectional' },
    })
  const own = [floats('W', [2, 4, 1], Array(8).fill(0.5)), floats('R', [2, 4, 1], Array(8).fill(0.25))]

  it('that stand in the file are handed out, (D, B, H)', () => {
    const h = floats('h', [2, 3, 1], [1, 2, 3, 4, 5, 6])
    const found = only(write.model(lstm(0), ...own, h, floats('c', [2, 3, 1], [6, 5, 4, 3, 2, 1])))
    expect(found.h0).toEqual(new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3, 1]))
    expect(found.c0).toEqual(new Tensor(Float32Array.of(6, 5, 4, 3, 2, 1), [2, 3, 1]))
    found.layer.forward(new Tensor(new Float32Array(6), [2, 3, 1]), { h0: found.h0 })
  })

  it('of layout 1, (B, D, H) there, come in the order of forward', () => {
    const found = only(write.model(lstm(1), ...own, floats('h', [3, 2, 1], [1, 4, 2, 5, 3, 6])))
    expect(found.layer.batchFirst).toBe(true)
    expect(found.h0).toEqual(new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3, 1]))
  })

  it('that are passed in or computed are left to the caller', () => {
    const found = only(write.model(lstm(0), ...own, write.graphInput('h')))
    expect(Object.keys(found)).toEqual(['name', 'layer'])
  })

  it('of another shape are refused', () => {
    const file = write.model(lstm(0), ...own, floats('h', [1, 3, 1], [1, 2, 3]))
    expectError(
      () => readOnnx(file),
      'ERR_RNN_MODEL_FILE',
      'node 0: Expected initial_h size (2, batch, 1), got [1, 3, 1]',
    )
  })
})

describe('values in other files', () => {
  const stored = new Uint8Array(4 + 24)
  stored.set(new Uint8Array(Float32Array.from(W.data).buffer), 4)
  const external = (entries: Record<string, string>, location = 1) =>
    write.model(
      rnn,
      weights[1],
      write.bytes(
        5,
        write.rawTensorBody('W', 1, [1, 2, 3], undefined, [write.externalData(entries), write.integer(14, location)]),
      ),
    )
  const place = { location: '../wéird name.bin', offset: '4', length: '24' }

  it('are asked for by the location as it stands, once', () => {
    const asked: string[] = []
    const externalData = (location: string) => {
      asked.push(location)
      return stored
    }
    const twice = write.concat([external(place)])
    expect(weightsOf(only(twice, { externalData }))).toEqual(wanted)
    expect(asked).toEqual([place.location])
  })

  it('may go without a length, and lie in a Buffer', () => {
    const { length: _, ...open } = place
    expect(weightsOf(only(external(open), { externalData: () => Buffer.from(stored) }))).toEqual(wanted)
  })

  it.each<[string, Record<string, string>, string]>([
    ['a length past the end', { ...place, length: '25' }, 'bytes 4 to 29 of "../wéird name.bin", which has 28'],
    ['an offset past the end', { ...place, offset: '9007199254740991' }, 'which has 28'],
    ['an offset that is no number', { ...place, offset: '-4' }, 'the offset "-4" within'],
    ['too few bytes', { ...place, length: '20' }, '5 values where the shape (1, 2, 3) asks for 6'],
    ['no location', { offset: '4' }, 'no location says which'],
  ])('%s is refused', (_, entries, words) => {
    expectError(() => readOnnx(external(entries), { externalData: () => stored }), 'ERR_RNN_MODEL_FILE', words)
  })

  it('without externalData the error says which file', () => {
    const words = 'tensor "W": its values lie in another file, "../wéird name.bin": pass externalData'
    expectError(() => readOnnx(external(place)), 'ERR_RNN_MODEL_FILE', words)
  })

  it('what externalData throws passes through, and what it gives is looked at', () => {
    const lost = new Error('ENOENT')
    const throwing = () => {
      throw lost
    }
    expect(() => readOnnx(external(place), { externalData: throwing })).toThrow(lost)
    for (const wrong of [undefined, 'bytes', new ArrayBuffer(28), Promise.resolve(stored)]) {
      const give = () => wrong as unknown as Uint8Array
      expectError(() => readOnnx(external(place), { externalData: give }), 'ERR_RNN_OPTION', 'must give a Uint8Array')
    }
    const notCallable = { externalData: 'here' as never }
    expectError(() => readOnnx(external(place), notCallable), 'ERR_RNN_OPTION', 'externalData must be a function')
  })

  it('entries that are left over beside raw_data are no reason to refuse a file', () => {
    const raw = stored.slice(4)
    const more = [write.externalData(place), write.integer(14, 0)]
    const file = write.model(rnn, weights[1], write.bytes(5, write.rawTensorBody('W', 1, [1, 2, 3], raw, more)))
    expect(weightsOf(only(file))).toEqual(wanted)
  })
})
