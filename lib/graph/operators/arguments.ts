/** What a call asks for by attributes, or by inputs that newer opsets have in their place: read once, for whoever computes, compiles or follows an operator. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { axesOf, count, type ElementType, type GraphTensor, kindOf, lengthOf, numberAt } from '../tensor.ts'

/** The axes of a reduction; undefined where it is to do nothing. */
export function reducedAxes(call: Call, shape: readonly number[]): number[] | undefined {
  const asked = call.numbersOf(1, 'axes') ?? []
  if (asked.length > 0) return call.axes(asked, shape.length)
  return call.flag('noop_with_empty_axes') ? undefined : axesOf(shape)
}

/** The first axis of a softmax: before opset 13 all from there on belong to a row, and one behind the last leaves rows of a single value. */
export function softmaxAxis(call: Call, rank: number): { readonly isOld: boolean; readonly axis: number } {
  const isOld = call.opset < 13
  return { isOld, axis: isOld ? call.axisOf(1, rank, rank) : call.axisOf(-1, rank) }
}

/** The order of a transpose. */
export function permutation(call: Call, shape: readonly number[]): number[] {
  return call.axes(call.integers('perm') ?? axesOf(shape).reverse(), shape.length)
}

/** What a Slice takes, as it is written: negative places count from the end. */
export function sliceOf(
  call: Call,
  rank: number,
): { starts: number[]; ends: number[]; axes: number[]; steps: number[] } {
  const starts = call.numbersOf(1, 'starts') ?? call.fail('starts are missing')
  const ends = call.numbersOf(2, 'ends') ?? call.fail('ends are missing')
  const axes = call.axes(call.numbersOf(3, 'axes') ?? axesOf(starts), rank)
  return { starts, ends, axes, steps: call.numbers(4) ?? axes.map(() => 1) }
}

/** The sizes of the parts of an axis; parts of different sizes are allowed since opset 18. */
export function splitSizes(call: Call, size: number): number[] {
  if (call.inputs[1]) return Array.from(call.values(1).data as Iterable<number | bigint>, Number)
  const given = call.attribute('split')
  if (Array.isArray(given)) return (given as unknown[]).map(Number)
  const { outputs } = call.node
  const each = call.opset < 18 ? size / outputs.length : Math.ceil(size / outputs.length)
  return outputs.map((_, i) => Math.max(0, Math.min(each, size - i * each)))
}

/** Pads of every axis, the first ones and the last ones. */
export function padsOf(call: Call, shape: readonly number[]): { before: number[]; after: number[] } {
  const pads = call.numbersOf(1, call.opset < 2 ? 'paddings' : 'pads') ?? call.fail('pads are missing')
  const axes = call.axes(call.numbers(3) ?? axesOf(shape), shape.length)
  if (pads.length !== 2 * axes.length) call.fail(`${pads.length} pads of ${axes.length} axes`)
  const [before, after] = [shape.map(() => 0), shape.map(() => 0)]
  for (const [i, axis] of axes.entries()) {
    before[axis] = pads[i]
    after[axis] = pads[i + axes.length]
  }
  return { before, after }
}

/** The value of an optional input that must be one value of a type; undefined where it is left out. */
export function oneValue(call: Call, place: number, name: string, type: ElementType): number | bigint | undefined {
  const given = call.inputs[place]
  if (given === undefined) return undefined
  if (lengthOf(given) !== 1 || given.type !== type) call.fail(`${name} must be one value of ${type}`)
  // A phantom's may be any.
  return given.data[0] ?? 0
}

/** All inputs, floating-point values of one type. */
export function allFloats(call: Call): GraphTensor[] {
  return call.inputs.map((_, i) => call.floats(i, i > 0 ? call.floats(0) : undefined))
}

/** How many values a TopK takes. */
export function topCount(call: Call): number {
  return call.opset < 10 ? call.integer('k', -1) : call.number(1, 'k')
}

/** Blocks of values along an axis: how many there are, how many values of the axis each has, and how far those lie apart. */
export function blocksOf(shape: readonly number[], axis: number): { rows: number; length: number; step: number } {
  return { rows: count(shape.slice(0, axis)), length: shape[axis], step: count(shape.slice(axis + 1)) }
}

/** The places that a Gather takes from. */
export function placesOf(call: Call): GraphTensor {
  const places = call.input(1)
  const kind = kindOf(places.type)
  if (kind !== 'integer' && kind !== 'big') call.fail(`places must be integers, got ${places.type}`)
  return places
}

/** One of them, counted from the first value of the axis. */
export function placeAt(call: Call, places: GraphTensor, i: number, axis: number, shape: readonly number[]): number {
  const asked = numberAt(places, i)
  const place = asked < 0 ? asked + shape[axis] : asked
  return place >= 0 && place < shape[axis] ? place : call.fail(`place ${asked} on axis ${axis} of ${list(shape)}`)
}
