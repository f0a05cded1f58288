/** `fromOnnxNode`: what is read off a node, and every node that is refused. */
import { fromOnnxNode, LSTM, type OnnxNode, RNNError } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { gates, type OpType, values } from '../support/onnx-nodes.ts'

/** A small valid node, to be spoiled. */
function plainNode(opType: OpType, change: Partial<OnnxNode> = {}): OnnxNode {
  const G = gates[opType]
  return { opType, W: values(1, 1, G * 4, 3), R: values(2, 1, G * 4, 4), B: values(3, 1, 2 * G * 4), ...change }
}

function errorOf(call: () => unknown): RNNError {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(RNNError)
    return error as RNNError
  }
  throw new Error('no error came')
}

describe('fromOnnxNode', () => {
  it('reads sizes off the weights, and bias off B', () => {
    const { B, ...node } = plainNode('GRU')
    expect(fromOnnxNode(node)).toMatchObject({
      inputSize: 3,
      hiddenSize: 4,
      numLayers: 1,
      bias: false,
      batchFirst: false,
    })
    expect(fromOnnxNode({ ...node, B })).toMatchObject({ bias: true })
  })

  it('layout 1 is batchFirst', () => {
    expect(fromOnnxNode(plainNode('RNN', { attributes: { layout: 1 } })).batchFirst).toBe(true)
    expect(fromOnnxNode(plainNode('RNN', { attributes: { layout: 0 } })).batchFirst).toBe(false)
  })

  it('takes the numbers of attributes as number or bigint, and leaves undefined ones out', () => {
    const attributes = { hidden_size: 4n, layout: 1n, linear_before_reset: 0n, clip: undefined, direction: undefined }
    expect(fromOnnxNode(plainNode('GRU', { attributes })).batchFirst).toBe(true)
  })

  it('takes activations that spell the defaults out, and factors that those do not have', () => {
    for (const [opType, activations] of [
      ['RNN', ['Tanh']],
      ['GRU', ['Sigmoid', 'Tanh']],
      ['LSTM', ['sigmoid', 'tanh', 'tanh']],
      ['LSTM', []],
    ] as const) {
      const attributes = { activations, activation_alpha: [0.1], activation_beta: [] }
      expect(() => fromOnnxNode(plainNode(opType, { attributes }))).not.toThrow()
    }
  })

  it('shares no memory with the node', () => {
    const node = plainNode('LSTM')
    const layer = fromOnnxNode(node) as LSTM
    const before = layer.forward([[1, 2, 3]]).output
    ;(node.W as { data: Float32Array }).data.fill(0)
    expect(layer.forward([[1, 2, 3]]).output).toEqual(before)
  })

  it.each([
    ['RNN', { clip: 0 }, 'The attribute clip of RNN must be above 0, got 0'],
    ['RNN', { clip: -1n }, 'The attribute clip of RNN must be above 0, got -1n'],
    ['RNN', { clip: Number.NaN }, 'The attribute clip of RNN must be above 0, got NaN'],
    ['RNN', { clip: [5] }, 'The attribute clip of RNN must be a number, got an array of length 1'],
    ['RNN', { clip: Symbol('5') }, 'The attribute clip of RNN must be a number, got Symbol(5)'],
    ['LSTM', { input_forget: 2 }, 'The attribute input_forget of LSTM must be an integer that is 0 or 1, got 2'],
    ['GRU', { input_forget: 0 }, 'The attribute input_forget of GRU belongs to LSTM alone'],
    ['RNN', { linear_before_reset: 0 }, 'The attribute linear_before_reset of RNN belongs to GRU alone'],
    [
      'RNN',
      { activations: ['Gelu'] },
      'The attribute activations of RNN has the value "Gelu", which is not an activation of ONNX',
    ],
    ['RNN', { activations: [3] }, 'has the value 3, which is not an activation of ONNX'],
    ['RNN', { activations: ['__proto__'] }, 'has the value "__proto__", which is not an activation of ONNX'],
    [
      'RNN',
      { activations: ['Elu'], activation_alpha: [1, 2] },
      'The attribute activation_alpha of RNN has 2 values, and only one of its functions takes one',
    ],
    [
      'GRU',
      { activations: ['HardSigmoid', 'ScaledTanh'], activation_beta: [1, 2, 3] },
      'The attribute activation_beta of GRU has 3 values, and only 2 of its functions take one',
    ],
    ['RNN', { activation_alpha: 1 }, 'The attribute activation_alpha of RNN must be an array of numbers, got 1'],
    [
      'RNN',
      { activation_beta: ['1'] },
      'The attribute activation_beta of RNN must have finite float32 numbers, got "1"',
    ],
    ['RNN', { activation_beta: [1e39] }, 'must have finite float32 numbers, got 1e+39'],
    ['LSTM', { activations: ['Sigmoid', 'Tanh'] }, 'must have 3 for each of 1 directions, got 2'],
    ['LSTM', { activations: 'Sigmoid' }, 'must be an array of names, got "Sigmoid"'],
    [
      'RNN',
      { direction: 'both' },
      "The attribute direction of RNN must be 'forward', 'reverse' or 'bidirectional', got \"both\"",
    ],
    ['RNN', { layout: 2 }, 'The attribute layout of RNN must be an integer that is 0 or 1, got 2'],
    ['RNN', { layout: '1' }, 'The attribute layout of RNN must be an integer that is 0 or 1, got "1"'],
    ['RNN', { hidden_size: -4n }, 'The attribute hidden_size of RNN must be an integer of at least 1, got -4n'],
    ['RNN', { hiddenSize: 4 }, 'The attribute hiddenSize of RNN is not known'],
    ['RNN', { constructor: 1 }, 'The attribute constructor of RNN is not known'],
  ] as const)('refuses by name what is not supported: %s %o', (opType, attributes, words) => {
    const error = errorOf(() => fromOnnxNode(plainNode(opType, { attributes })))
    expect(error.code).toBe('ERR_RNN_MODEL_FILE')
    expect(error.message).toContain(words)
  })

  it('takes other activations for each direction, and refuses those of one alone', () => {
    const node = { opType: 'RNN', W: values(1, 2, 4, 3), R: values(2, 2, 4, 4) } as const
    const layer = (...activations: string[]) =>
      fromOnnxNode({ ...node, attributes: { direction: 'bidirectional', activations } }).forward([[1, -2, 3]]).output
        .data
    const mixed = layer('Relu', 'Tanh')
    expect(mixed.subarray(0, 4)).toEqual(layer('Relu', 'Relu').subarray(0, 4))
    expect(mixed.subarray(4)).toEqual(layer('Tanh', 'Tanh').subarray(4))
    expect(errorOf(() => layer('Relu'))).toMatchObject({
      code: 'ERR_RNN_MODEL_FILE',
      message:
        'The attribute activations of RNN must have 1 for each of 2 directions, got 1: they are those of one direction only',
    })
  })

  it('gives factors to the functions that take one, in order, and ONNX’s defaults to the others', () => {
    const node = plainNode('LSTM')
    const result = (attributes: object) =>
      fromOnnxNode({ ...node, attributes: { ...attributes } }).forward([[1, -2, 3]])
    const activations = ['HardSigmoid', 'Tanh', 'LeakyRelu']
    const plain = result({ activations })
    expect(result({ activations, activation_alpha: [0.2], activation_beta: [0.5] })).toEqual(plain)
    expect(result({ activations, activation_alpha: [0.2, 0.01] })).toEqual(plain)
    expect(result({ activations, activation_alpha: Float32Array.of(0.2, 0.01) })).toEqual(plain)
    expect(result({ activations, activation_alpha: [0.2, 0.3] })).not.toEqual(plain)
    expect(result({ activations: ['hardsigmoid', 'TANH', 'leakyRelu'] })).toEqual(plain)
  })

  it('clip and input_forget are options of the layer', () => {
    const node = plainNode('LSTM')
    const input = [[4, -5, 6]]
    const layer = fromOnnxNode({ ...node, attributes: { clip: 0.5, input_forget: 1n } }) as LSTM
    const same = LSTM.fromStateDict(layer.stateDict(), { clip: 0.5, inputForget: true })
    expect(layer.forward(input)).toEqual(same.forward(input))
    expect(layer.forward(input)).not.toEqual((fromOnnxNode(node) as LSTM).forward(input))
    // Beyond float32 nothing is bounded.
    expect(fromOnnxNode({ ...node, attributes: { clip: 1e300 } }).forward(input)).toEqual(
      fromOnnxNode(node).forward(input),
    )
  })

  it.each<[string, Partial<Record<keyof OnnxNode, unknown>>, string]>([
    ['a W of rank 2', { W: values(1, 16, 3) }, 'Expected W size (1, 16, input_size), got [16, 3]'],
    ['a W of other gates', { W: values(1, 1, 12, 3) }, 'Expected W size (1, 16, 3), got [1, 12, 3]'],
    [
      'an R of rank 2',
      { R: values(1, 16, 4) },
      'Expected R size (num_directions, 4·hidden_size, hidden_size), got [16, 4]',
    ],
    ['an R of two directions', { R: values(1, 2, 16, 4) }, 'Expected R size (1, 16, 4), got [2, 16, 4]'],
    ['a B of one half', { B: values(1, 1, 16) }, 'Expected B size (1, 32), got [1, 16]'],
    ['a P of four gates', { P: values(1, 1, 16) }, 'Expected P size (1, 12), got [1, 16]'],
    ['another hidden_size', { attributes: { hidden_size: 5 } }, 'Expected 5, got 4'],
    ['no units', { W: values(1, 1, 0, 3), R: values(1, 1, 0, 0) }, 'hidden_size must be from 1 to 1048576, got 0'],
    ['no inputs', { W: values(1, 1, 16, 0) }, 'input_size must be from 1 to 1048576, got 0'],
    ['a W that is no tensor', { W: 'W' }, 'W must be a Tensor'],
  ])('says what does not fit: %s', (_, change, words) => {
    const error = errorOf(() => fromOnnxNode(plainNode('LSTM', change as Partial<OnnxNode>)))
    expect(error.code).toBe('ERR_RNN_SHAPE')
    expect(error.message).toContain(words)
  })

  it.each<[string, unknown, string]>([
    ['no node', undefined, "opType must be one of 'RNN', 'GRU', 'LSTM', got undefined"],
    ['another operator', { opType: 'Conv' }, 'got "Conv"'],
    ['no W', { ...plainNode('RNN'), W: undefined }, 'W is missing'],
    ['no R', { ...plainNode('RNN'), R: undefined }, 'R is missing'],
    ['an unknown name', { ...plainNode('RNN'), bias: 1 }, "unknown option 'bias' of an ONNX node"],
    [
      'attributes as a list',
      { ...plainNode('RNN'), attributes: [] },
      'attributes must be an object, got an array of length 0',
    ],
    ['peepholes of a GRU', plainNode('GRU', { P: values(1, 1, 12) }), 'P (peepholes) belongs to an LSTM, not to GRU'],
  ])('refuses an argument that is none: %s', (_, node, words) => {
    const error = errorOf(() => fromOnnxNode(node as OnnxNode))
    expect(error.code).toBe('ERR_RNN_OPTION')
    expect(error.message).toContain(words)
  })

  it('refuses an unknown backend or option beside the node', () => {
    expect(errorOf(() => fromOnnxNode(plainNode('RNN'), { backend: 'gpu' as 'avx2' })).code).toBe('ERR_RNN_OPTION')
    expect(errorOf(() => fromOnnxNode(plainNode('RNN'), { batchFirst: true } as object)).code).toBe('ERR_RNN_OPTION')
  })

  it('names the weight that is not finite, and where', () => {
    const R = values(1, 1, 4, 4)
    R.data[6] = Number.NaN
    const error = errorOf(() => fromOnnxNode(plainNode('RNN', { R })))
    expect(error.code).toBe('ERR_RNN_STATE_DICT')
    expect(error.message).toBe('R must be finite, got NaN at [0, 1, 2]')
  })
})
