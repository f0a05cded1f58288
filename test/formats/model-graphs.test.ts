/** What becomes of a whole graph: branches, functions, constants, and shapes that are computed from shapes. */
import { Model, type ModelInput } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'
import { modelBackends, modelFile, weight } from '../support/model-files.ts'
import {
  type Bytes,
  bytes,
  concat,
  graphOutput,
  modelFunction,
  node,
  nodeBody,
  rawTensorBody,
  type TestNode,
} from '../support/onnx-writer.ts'
import { ramp } from '../support/tensors.ts'

/** A branch: its nodes, and the names of what it gives. */
const branch = (outputs: readonly string[], ...nodes: readonly TestNode[]) => ({
  graph: [...nodes.map(node), ...outputs.map(graphOutput)],
})

const choice = (condition: string, outputs: readonly string[], then: object, otherwise: object): TestNode => ({
  opType: 'If',
  name: 'choice',
  inputs: [condition],
  outputs,
  attributes: { then_branch: then, else_branch: otherwise } as TestNode['attributes'],
})

const isSet = (name: string, value: 0 | 1) => bytes(5, rawTensorBody(name, 9, [], Uint8Array.of(value)))
const values = (tensor: { data: ArrayLike<number | bigint> }) => Array.from(tensor.data, Number)

describe.each(modelBackends)('a graph on %s', (backend) => {
  const read = (file: Bytes, constants?: Record<string, ModelInput>) => Model.read(file, { backend, constants })

  describe('with an If', () => {
    it('has the branch that a constant chooses, and does not look at the other one', () => {
      const file = (condition: 0 | 1) =>
        modelFile({
          nodes: [
            choice(
              'condition',
              ['y'],
              branch(['a'], { opType: 'Neg', inputs: ['x'], outputs: ['a'] }),
              branch(['b'], { opType: 'Loop', outputs: ['b'] }),
            ),
          ],
          inputs: { x: { shape: [3] } },
          outputs: { y: {} },
          more: [isSet('condition', condition)],
        })
      expect(values(read(file(1)).run({ x: [1, 2, 3] }).y)).toEqual([-1, -2, -3])
      expectError(
        () => read(file(0)),
        'ERR_RNN_MODEL_FILE',
        /the operator "Loop", opset 17, is not supported.*else_branch/,
      )
    })

    it('chooses by an integer input, though the branches give different shapes', () => {
      const file = modelFile({
        nodes: [
          { opType: 'Equal', inputs: ['rate', 'wide'], outputs: ['isWide'] },
          choice(
            'isWide',
            ['y'],
            branch(['a'], { opType: 'Concat', inputs: ['x', 'x'], outputs: ['a'], attributes: { axis: 0 } }),
            branch(['b'], { opType: 'Neg', inputs: ['x'], outputs: ['b'] }),
          ),
        ],
        inputs: { x: { shape: ['n'] }, rate: { type: 'int64', shape: [] } },
        outputs: { y: { shape: [undefined] } },
        more: [bytes(5, rawTensorBody('wide', 7, [], new Uint8Array(BigInt64Array.of(16000n).buffer)))],
      })
      const model = read(file)
      for (let i = 0; i < 2; i++) {
        expect(values(model.run({ x: [1, 2], rate: 16000n }).y)).toEqual([1, 2, 1, 2])
        expect(values(model.run({ x: [1, 2], rate: 8000n }).y)).toEqual([-1, -2])
      }
      const fixed = read(file, { rate: 8000n })
      expect(fixed.inputs.map(({ name }) => name)).toEqual(['x'])
      expect(values(fixed.run({ x: [3] }).y)).toEqual([-3])
    })

    it('chooses by a value of each run', () => {
      const inner = choice(
        'isLarge',
        ['c'],
        branch(['d'], { opType: 'Add', inputs: ['twice', 'x'], outputs: ['d'] }),
        branch(['x']),
      )
      const model = read(
        modelFile({
          nodes: [
            { opType: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
            { opType: 'Greater', inputs: ['sum', 'zero'], outputs: ['isPositive'] },
            { opType: 'Greater', inputs: ['sum', 'ten'], outputs: ['isLarge'] },
            // Used in a branch alone: computed before it, as it stands outside.
            { opType: 'Add', inputs: ['x', 'x'], outputs: ['twice'] },
            choice(
              'isPositive',
              ['y', 'z'],
              branch(['c', 'twice'], inner),
              branch(['e', 'e'], { opType: 'Neg', inputs: ['twice'], outputs: ['e'] }),
            ),
          ],
          inputs: { x: { shape: ['n'] } },
          outputs: { y: {}, z: {} },
          weights: { zero: { shape: [], data: [0] }, ten: { shape: [], data: [10] } },
        }),
      )
      const run = (...x: number[]) => {
        const { y, z } = model.run({ x })
        return [values(y), values(z)]
      }
      expect(run(1, 2)).toEqual([
        [1, 2],
        [2, 4],
      ])
      expect(run(10, 2)).toEqual([
        [30, 6],
        [20, 4],
      ])
      expect(run(-1, -2)).toEqual([
        [2, 4],
        [2, 4],
      ])
      expect(run(1, 2)).toEqual([
        [1, 2],
        [2, 4],
      ])
    })

    it('gives a constant of the file out of a branch', () => {
      const model = read(
        modelFile({
          nodes: [
            { opType: 'Greater', inputs: ['x', 'zero'], outputs: ['isPositive'] },
            choice('isPositive', ['y'], branch(['zero']), branch(['x'])),
          ],
          inputs: { x: { shape: [] } },
          outputs: { y: {} },
          weights: { zero: { shape: [], data: [0] } },
        }),
      )
      expect([5, -5].map((x) => values(model.run({ x }).y))).toEqual([[0], [-5]])
    })

    it('refuses branches of different shapes, where only a run can choose', () => {
      const file = modelFile({
        nodes: [
          { opType: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
          { opType: 'Greater', inputs: ['sum', 'zero'], outputs: ['isPositive'] },
          choice('isPositive', ['y'], branch(['x']), branch(['sum'])),
        ],
        inputs: { x: { shape: [2] } },
        outputs: { y: {} },
        weights: { zero: { shape: [], data: [0] } },
      })
      expectError(
        () => read(file).run({ x: [1, 2] }),
        'ERR_RNN_MODEL_FILE',
        'node 2 "choice" (If), opset 17: its branches give float32 [2] and float32 [] as output 0, and its condition is only known in a run',
      )
    })
  })

  it('runs functions where they are called, with the attributes of each call and inputs that it leaves out', () => {
    const scaled = modelFunction(
      'own',
      'Scaled',
      ['v', 'offset'],
      ['w'],
      [
        nodeBody({ opType: 'LeakyRelu', inputs: ['v'], outputs: ['u'], attributes: { alpha: { ref: 'slope' } } }),
        nodeBody({ opType: 'Clip', inputs: ['u', 'offset'], outputs: ['w'] }),
      ],
      [],
    )
    const call = (slope: number, inputs: string[], output: string): TestNode => ({
      opType: 'Scaled',
      domain: 'own',
      inputs,
      outputs: [output],
      attributes: { slope: { float: slope } },
    })
    const file = modelFile({
      nodes: [call(0.5, ['x'], 'a'), call(0.25, ['x', 'least'], 'b')],
      inputs: { x: { shape: [2] } },
      outputs: { a: {}, b: {} },
      weights: { least: { shape: [], data: [-1] } },
    })
    const { a, b } = read(concat([file, scaled])).run({ x: [-8, 4] })
    expect([values(a), values(b)]).toEqual([
      [-4, 4],
      [-1, 4],
    ])
  })

  it('computes shapes from shapes', () => {
    const model = read(
      modelFile({
        nodes: [
          { opType: 'Shape', inputs: ['x'], outputs: ['sizes'] },
          { opType: 'Gather', inputs: ['sizes', 'first'], outputs: ['batch'] },
          { opType: 'Unsqueeze', inputs: ['batch', 'zero'], outputs: ['batches'] },
          { opType: 'Concat', inputs: ['batches', 'rest'], outputs: ['wanted'], attributes: { axis: 0 } },
          { opType: 'Reshape', inputs: ['x', 'wanted'], outputs: ['rows'] },
          // The last two columns of each row, by an end that is computed.
          { opType: 'Shape', inputs: ['rows'], outputs: ['rowSizes'] },
          { opType: 'Slice', inputs: ['rowSizes', 'one', 'two'], outputs: ['width'] },
          { opType: 'Sub', inputs: ['width', 'two'], outputs: ['start'] },
          { opType: 'Slice', inputs: ['rows', 'start', 'width', 'one'], outputs: ['tail'] },
          { opType: 'ConstantOfShape', inputs: ['batches'], outputs: ['zeros'] },
          { opType: 'Range', inputs: ['noStep', 'batch', 'step'], outputs: ['counts'] },
          { opType: 'Expand', inputs: ['counts', 'grid'], outputs: ['table'] },
          { opType: 'Tile', inputs: ['tail', 'grid'], outputs: ['tiles'] },
          { opType: 'Size', inputs: ['tiles'], outputs: ['size'] },
        ],
        inputs: { x: { shape: ['batch', 2, undefined] } },
        outputs: {
          tail: {},
          zeros: {},
          counts: { type: 'int64' },
          table: { type: 'int64' },
          tiles: {},
          size: { type: 'int64' },
        },
        lists: { zero: [0], one: [1], two: [2], rest: [-1], grid: [2, 1] },
        more: ['first', 'noStep', 'step'].map((name) =>
          bytes(5, rawTensorBody(name, 7, [], new Uint8Array(BigInt64Array.of(name === 'step' ? 1n : 0n).buffer))),
        ),
      }),
    )
    for (const [batch, length] of [
      [1, 3],
      [3, 2],
      [2, 5],
    ]) {
      const x = ramp(batch, 2, length)
      const { tail, zeros, counts, table, tiles, size } = model.run({ x })
      const expected = Array.from({ length: batch }, (_, b) => [
        x.data[(b + 1) * 2 * length - 2],
        x.data[(b + 1) * 2 * length - 1],
      ]).flat()
      expect(tail).toEqual({ shape: [batch, 2], data: Float32Array.from(expected) })
      expect(values(zeros)).toEqual(new Array(batch).fill(0))
      expect(counts.data).toEqual(BigInt64Array.from({ length: batch }, (_, i) => BigInt(i)))
      expect(table.shape).toEqual([2, batch])
      expect(tiles).toEqual({ shape: [2 * batch, 2], data: Float32Array.from([...expected, ...expected]) })
      expect(size.data).toEqual(BigInt64Array.of(BigInt(4 * batch)))
    }
  })

  it('takes a shape out of an input, and a single number of any type', () => {
    const model = read(
      modelFile({
        nodes: [
          { opType: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] },
          { opType: 'Range', inputs: ['zero', 'end', 'one'], outputs: ['z'] },
        ],
        inputs: { x: { shape: [6] }, shape: { type: 'int64', shape: ['rank'] }, end: { shape: [] } },
        outputs: { y: {}, z: {} },
        weights: { zero: { shape: [], data: [0] }, one: { shape: [], data: [1] } },
      }),
    )
    const x = [1, 2, 3, 4, 5, 6]
    expect(model.run({ x, shape: [2, 3], end: 2 }).y.shape).toEqual([2, 3])
    expect(model.run({ x, shape: [3, -1], end: 3 }).y.shape).toEqual([3, 2])
    expect(model.run({ x, shape: [1, 6, 1], end: 2.5 }).z.shape).toEqual([3])
  })

  it('refuses a shape that a result of the run decides', () => {
    const file = modelFile({
      nodes: [
        { opType: 'Cast', inputs: ['x'], outputs: ['sizes'], attributes: { to: 7 } },
        { opType: 'ConstantOfShape', name: 'wide', inputs: ['sizes'], outputs: ['y'] },
      ],
      inputs: { x: { shape: [2] } },
      outputs: { y: {} },
    })
    expectError(
      () => read(file).run({ x: [1, 2] }),
      'ERR_RNN_MODEL_FILE',
      'node 1 "wide" (ConstantOfShape), opset 17: its input 0 decides a shape and must be known before a run, but depends on the values of the input "x", which are float32',
    )
  })

  it('gives inputs and constants that are outputs, and drops what nothing needs', () => {
    const model = read(
      modelFile({
        nodes: [
          { opType: 'Identity', inputs: ['x'], outputs: ['same'] },
          { opType: 'Dropout', inputs: ['same'], outputs: ['kept'] },
          { opType: 'Add', inputs: ['w', 'w'], outputs: ['doubled'] },
          // No shape fits, and nobody asks.
          { opType: 'MatMul', inputs: ['x', 'w'], outputs: ['unused'] },
        ],
        inputs: { x: { shape: [3] }, ignored: { shape: [1] } },
        outputs: { kept: {}, doubled: {} },
        weights: { w: { shape: [2], data: [1, 2] } },
      }),
    )
    const { kept, doubled } = model.run({ x: [1, 2, 3], ignored: [0] })
    expect([values(kept), values(doubled)]).toEqual([
      [1, 2, 3],
      [2, 4],
    ])
  })

  it('has no input for an initializer that old files list as one', () => {
    const model = read(
      modelFile({
        nodes: [{ opType: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
        inputs: { x: { shape: [2] }, w: { shape: [2] } },
        outputs: { y: {} },
        weights: { w: { shape: [2], data: [1, 2] } },
      }),
    )
    expect(model.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(values(model.run({ x: [10, 20] }).y)).toEqual([11, 22])
  })

  it('casts floats beyond an integer’s range to its nearest end, and wraps integers', () => {
    const types = { int8: 3, uint8: 2, int32: 6, int64: 7 } as const
    const names = Object.keys(types) as (keyof typeof types)[]
    const model = read(
      modelFile({
        nodes: names.flatMap((name) => [
          { opType: 'Cast', inputs: ['x'], outputs: [name], attributes: { to: types[name] } },
          { opType: 'Cast', inputs: ['n'], outputs: [`${name} of n`], attributes: { to: types[name] } },
        ]),
        inputs: { x: { shape: [6] }, n: { type: 'int32', shape: [3] } },
        outputs: Object.fromEntries(
          names.flatMap((name) => [
            [name, { type: name }],
            [`${name} of n`, { type: name }],
          ]),
        ),
      }),
    )
    const given = { x: [-1.9, 300.5, -1e30, 1e30, Number.NaN, Infinity], n: [-1, 300, 2 ** 31 - 1] }
    const made = model.run(given)
    const bigEnds = [-(2n ** 63n), 2n ** 63n - 1n]
    expect(values(made.int8)).toEqual([-1, 127, -128, 127, 0, 127])
    expect(values(made.uint8)).toEqual([0, 255, 0, 255, 0, 255])
    expect(values(made.int32)).toEqual([-1, 300, -(2 ** 31), 2 ** 31 - 1, 0, 2 ** 31 - 1])
    expect(made.int64.data).toEqual(BigInt64Array.of(-1n, 300n, bigEnds[0], bigEnds[1], 0n, bigEnds[1]))
    expect(values(made['int8 of n'])).toEqual([-1, 44, -1])
    expect(values(made['uint8 of n'])).toEqual([255, 44, 255])
    expect(values(made['int64 of n'])).toEqual([-1, 300, 2 ** 31 - 1])
  })

  it('takes an output without a name for none, and not for an input that a later step leaves out', () => {
    const file = modelFile({
      nodes: [
        { opType: 'TopK', inputs: ['x', 'k'], outputs: ['greatest', ''] },
        {
          opType: 'LSTM',
          inputs: ['x', 'W', 'R', 'B', 'lengths', '', 'c0'],
          outputs: ['y'],
          attributes: { hidden_size: 2 },
        },
      ],
      inputs: { x: { shape: [1, 1, 8] }, lengths: { type: 'int32', shape: [1] } },
      outputs: { greatest: {}, y: {} },
      weights: { W: weight(1, 1, 8, 8), R: weight(2, 1, 8, 2), B: weight(3, 1, 16), c0: weight(4, 1, 1, 2) },
      lists: { k: [3] },
    })
    const x = { data: new Float32Array(8), shape: [1, 1, 8] }
    expect(read(file).run({ x, lengths: [1] }).y.shape).toEqual([1, 1, 1, 2])
  })

  it('divides integers by 0 to 0, as NumPy does', () => {
    const model = read(
      modelFile({
        nodes: [
          { opType: 'Div', inputs: ['a', 'b'], outputs: ['ratio'] },
          { opType: 'Mod', inputs: ['a', 'b'], outputs: ['rest'] },
        ],
        inputs: { a: { type: 'int64', shape: [3] }, b: { type: 'int64', shape: [3] } },
        outputs: { ratio: { type: 'int64' }, rest: { type: 'int64' } },
      }),
    )
    const { ratio, rest } = model.run({ a: [7, 7, -7], b: [0, 2, 2] })
    expect([values(ratio), values(rest)]).toEqual([
      [0, 3, -3],
      [0, 1, 1],
    ])
  })
})
