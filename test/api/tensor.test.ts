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
      [[1], new Float32Array(1)],
      'values[1] must be an array of length 1 as values[0] is, got a Float32Array of length 1',
    ],
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
})
