/** Tensors: what can stand for one, and what cannot. */
import { runInNewContext } from 'node:vm'
import { type NestedNumbers, Tensor, type TensorLike } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

const values = () => new Float32Array([1, 2, 3, 4, 5, 6])

describe('a Tensor', () => {
  it('keeps the array it is given and a frozen copy of the shape', () => {
    const data = values()
    const shape = [2, 3]
    const tensor = new Tensor(data, shape)
    shape[0] = 9
    expect(tensor.data).toBe(data)
    expect(tensor.shape).toEqual([2, 3])
    expect(Object.isFrozen(tensor.shape)).toBe(true)
  })

  it('has a shape whose product is the number of values', () => {
    expectError(
      () => new Tensor(values(), [2, 2]),
      'ERR_RNN_SHAPE',
      'data must have length 4 for shape [2, 2], got length 6',
    )
    expect(new Tensor(new Float32Array(0), [3, 0, 2]).shape).toEqual([3, 0, 2])
    expect(new Tensor(new Float32Array(1), []).shape).toEqual([])
  })

  it.each([
    [[2, -3], 'shape[1] must be an integer of at least 0, got -3'],
    [[2.5, 3], 'shape[0] must be an integer of at least 0, got 2.5'],
    [[2, '3'], 'shape[1] must be an integer of at least 0, got "3"'],
    [[Number.NaN], 'shape[0] must be an integer of at least 0, got NaN'],
    [[2 ** 30, 2 ** 30, 2 ** 30], 'data must have length'],
    [6, 'shape must be an array of axis lengths, got 6'],
    [undefined, 'shape must be an array of axis lengths, got undefined'],
    [new Array(33).fill(1), 'shape must have at most 32 axes, got 33'],
  ])('refuses the shape %j', (shape, words) => {
    expectError(() => new Tensor(values(), shape as number[]), 'ERR_RNN_SHAPE', words)
  })

  it.each([
    [[1, 2, 3], 'data must be a Float32Array, got an array of length 3'],
    [new Float64Array(3), 'data must be a Float32Array, got a Float64Array of length 3'],
    [null, 'data must be a Float32Array, got null'],
    [Object.create(Float32Array.prototype), 'data must be a Float32Array, got'],
    [new Proxy(new Float32Array(3), {}), 'data must be a Float32Array, got'],
  ])('refuses data that are no Float32Array: %#', (data, words) => {
    expectError(() => new Tensor(data as Float32Array, [3]), 'ERR_RNN_SHAPE', words)
  })

  it('takes a Float32Array of another realm', () => {
    const foreign = runInNewContext('new Float32Array([1, 2])') as Float32Array
    expect(new Tensor(foreign, [2]).toNested()).toEqual([1, 2])
  })

  it('is not fooled by a length that an array claims', () => {
    const data = Object.defineProperty(new Float32Array(2), 'length', { value: 1e9 })
    expectError(() => new Tensor(data, [1e9]), 'ERR_RNN_SHAPE', 'got length 2')
  })
})

describe('Tensor.from', () => {
  it.each<[NestedNumbers, number[]]>([
    [[1, 2, 3], [3]],
    [
      [
        [1, 2, 3],
        [3, 4, 5],
      ],
      [2, 3],
    ],
    [[[[1], [2]]], [1, 2, 1]],
    [[], [0]],
    [
      [[], []],
      [2, 0],
    ],
    [[[Number.NaN, -0, Number.POSITIVE_INFINITY]], [1, 3]],
  ])('reads %j, and toNested gives it back', (nested, shape) => {
    const tensor = Tensor.from(nested)
    expect(tensor.shape).toEqual(shape)
    expect(tensor.toNested()).toEqual(nested)
  })

  const rows = [
    Float32Array.of(1, 2),
    Float64Array.of(1, 2),
    Int8Array.of(1, 2),
    Uint8Array.of(1, 2),
    Uint8ClampedArray.of(1, 2),
    Int16Array.of(1, 2),
    Uint16Array.of(1, 2),
    Int32Array.of(1, 2),
    Uint32Array.of(1, 2),
    Buffer.of(1, 2),
    Float32Array.of(0, 1, 2, 3).subarray(1, 3),
    new Float32Array(new SharedArrayBuffer(8)).fill(1, 0, 1).fill(2, 1),
    runInNewContext('Float64Array.of(1, 2)') as Float64Array,
  ]

  it('takes typed arrays as innermost rows, at any depth, beside plain ones', () => {
    for (const row of rows) {
      expect(Tensor.from([row, row]).toNested()).toEqual([
        [1, 2],
        [1, 2],
      ])
      expect(Tensor.from([[[row]], [[[3, 4]]]]).toNested()).toEqual([[[[1, 2]]], [[[3, 4]]]])
      expect(Tensor.from([[3, 4], row]).toNested()).toEqual([
        [3, 4],
        [1, 2],
      ])
    }
    expect(Tensor.from([...rows, [1, 2]]).shape).toEqual([14, 2])
    expect(Tensor.from([new Float32Array(0), []]).shape).toEqual([2, 0])
    expect(Tensor.from([Float64Array.of(0.1, 1e300)]).toNested()).toEqual([
      [Math.fround(0.1), Number.POSITIVE_INFINITY],
    ])
  })

  it('copies typed rows, by the values that they truly have', () => {
    const row = Float32Array.of(1, 2)
    const tensor = Tensor.from([row])
    row.fill(9)
    expect(tensor.toNested()).toEqual([[1, 2]])
    for (const length of [0, 1, 1e9, -1]) {
      const liar = Object.defineProperty(Float32Array.of(1, 2), 'length', { value: length })
      expect(Tensor.from([liar, [3, 4]]).toNested()).toEqual([
        [1, 2],
        [3, 4],
      ])
    }
  })

  it('refuses a typed row that a getter read before it has detached or shrunk', () => {
    const Resizable = ArrayBuffer as unknown as new (
      length: number,
      options: object,
    ) => ArrayBuffer & { resize(n: number): void }
    const resizable = new Resizable(8, { maxByteLength: 64 })
    const detachable = new Float32Array(2)
    const cases = [
      [new Float32Array(resizable), () => resizable.resize(4), 1],
      [new Float32Array(resizable), () => resizable.resize(64), 16],
      [detachable, () => structuredClone(detachable.buffer, { transfer: [detachable.buffer] }), 0],
    ] as const
    for (const [row, change, length] of cases) {
      resizable.resize(8)
      const hostile = Object.defineProperty([row, 0, row], 1, {
        get() {
          change()
          return [1, 2]
        },
      }) as NestedNumbers
      const words = `values[2] must be an array of length 2 as values[0] is, got a Float32Array of length ${length}`
      expectError(() => Tensor.from(hostile), 'ERR_RNN_SHAPE', words)
    }
  })

  it('rounds to float32', () => {
    expect(Tensor.from([0.1, 1e300]).toNested()).toEqual([Math.fround(0.1), Number.POSITIVE_INFINITY])
  })

  it('gives a Tensor back as it is and wraps data with shape or dims', () => {
    const tensor = Tensor.from([1, 2])
    expect(Tensor.from(tensor)).toBe(tensor)
    const data = values()
    expect(Tensor.from({ data, shape: [2, 3] }).data).toBe(data)
    expect(Tensor.from({ data, dims: [3, 2] }).shape).toEqual([3, 2])
    expect(Tensor.from({ data: data.subarray(1, 3), dims: [2] }).toNested()).toEqual([2, 3])
  })

  it.each([
    [[[1, 2], [3]], 'values[1] must be an array of length 2 as values[0] is, got an array of length 1'],
    [[[1, 2], 3], 'values[1] must be an array of length 2 as values[0] is, got 3'],
    [[1, [2]], 'values[1] must be a number as its neighbours are, got an array of length 1'],
    [[[[1]], [[1, 2]]], 'values[1][0] must be an array of length 1 as values[0][0] is, got an array of length 2'],
    [[[1, 'two']], 'values[0][1] must be a number, got "two"'],
    [[1, undefined], 'values[1] must be a number, got undefined'],
    [[1n], 'values[0] must be a number, got 1n'],
    [[null], 'values[0] must be a number, got null'],
    [
      [[1], new Float32Array(2)],
      'values[1] must be an array of length 1 as values[0] is, got a Float32Array of length 2: nesting must not be ragged',
    ],
    [
      [new Float64Array(2), [1]],
      'values[1] must be an array of length 2 as values[0] is, got an array of length 1: nesting must not be ragged',
    ],
    [[new Int8Array(2), 5], 'values[1] must be an array of length 2 as values[0] is, got 5'],
    [[new Int8Array(2), undefined], 'values[1] must be an array of length 2 as values[0] is, got undefined'],
    [
      [[1, 2], [new Float32Array(2)]],
      'values[1] must be an array of length 2 as values[0] is, got an array of length 1',
    ],
    [
      [[[1]], new Float32Array(1)],
      'values[1] must be an array of length 1 of arrays as values[0] is, got a Float32Array',
    ],
    [[1, new Float32Array(1)], 'values[1] must be a number as its neighbours are, got a Float32Array of length 1'],
    [
      [
        [[1], [2]],
        [new Float32Array(1), ['x']],
      ],
      'values[1][1][0] must be a number, got "x"',
    ],
    [
      [[new BigInt64Array(2)]],
      'values[0][0] must be a row of numbers, got a BigInt64Array of length 2; Float32Array.from(row, Number) makes one',
    ],
    [[[1], new BigUint64Array(1)], 'values[1] must be a row of numbers, got a BigUint64Array of length 1'],
    [[new DataView(new ArrayBuffer(4))], 'values[0] must be a number, got a DataView'],
    [[new Proxy(new Float32Array(2), {})], 'values[0] must be a number, got'],
    [new Array(3), 'values[0] must be a number, got undefined'],
    ['123', 'values must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got "123"'],
    [5, 'got 5'],
    [undefined, 'got undefined'],
    [() => 1, 'got a function'],
    [Symbol('x'), 'got Symbol(x)'],
    [{ data: new Float32Array(2) }, 'got an object'],
    [new Float32Array(3), 'a typed array has no shape, so wrap it: new Tensor(data, shape)'],
    [{ data: [1, 2], shape: [2] }, 'values.data must be a Float32Array, got an array of length 2'],
    [{ data: new Float32Array(2), shape: [3] }, 'values.data must have length 3 for shape [3], got length 2'],
    [{ data: new Float32Array(2), dims: '2' }, 'values.dims must be an array of axis lengths, got "2"'],
  ])('refuses what is no tensor, naming the place: %#', (wrong, words) => {
    expectError(() => Tensor.from(wrong as TensorLike), 'ERR_RNN_SHAPE', words)
  })

  it('ends on arrays that contain themselves', () => {
    const loop: unknown[] = []
    loop.push(loop)
    expectError(() => Tensor.from(loop as NestedNumbers), 'ERR_RNN_SHAPE', 'values must be nested at most 32 deep')
  })

  it('gives toNested of rank 0 its one value', () => {
    expect(new Tensor(new Float32Array([7]), []).toNested()).toEqual([7])
  })

  it('has an end in toNested where a shape promises arrays that no value pays for', () => {
    const words = 'a tensor of shape [268435456, 0] has no values, and would be nested in more than 1048576 arrays'
    expectError(() => new Tensor(new Float32Array(0), [2 ** 28, 0]).toNested(), 'ERR_RNN_SHAPE', words)
    expectError(
      () => new Tensor(new Float32Array(0), [2 ** 15, 2 ** 15, 0, 3]).toNested(),
      'ERR_RNN_SHAPE',
      'has no values',
    )
    expect(new Tensor(new Float32Array(0), [0, 2 ** 28]).toNested()).toEqual([])
    expect(new Tensor(new Float32Array(0), [2 ** 12, 0, 5]).toNested()).toHaveLength(4096)
  })
})
