/** Tensors that a call writes its results into: what they must be, and what they may have in common with each other and the inputs. */

import { describe, failOption, failShape, list, tuple } from '../errors.ts'
import { isObject } from '../intrinsics/properties.ts'
import { type Check, readOptions } from '../options/checks.ts'
import { overlapOf } from '../tensor/overlap.ts'
import { checkNotDetached, type ReadTensor, readTensor } from '../tensor/read.ts'
import { sameShape } from '../tensor/shape.ts'
import { Tensor } from '../tensor/tensor.ts'

/** Tensors for the results of `forward`. Of those that are left out new ones are made. */
export interface ForwardOut {
  /** Of the shape that `output` has; not with `returnOutput: false`. */
  output?: Tensor
  /** Of the shape that `hn` has. It may be the tensor of `h0`: a state kept in place. */
  hn?: Tensor
  /** LSTM only: of the shape that `cn` has. It may be the tensor of `c0`. */
  cn?: Tensor
}

/** A tensor to write to, as it was read: the very object, and its values. */
export interface OutTensor extends ReadTensor {
  readonly tensor: Tensor
}

export type OutTensors = { readonly [Name in keyof ForwardOut]?: OutTensor }

/** A Tensor, for it comes back. */
export const outTensor: Check<Tensor> = (value, name) =>
  value instanceof Tensor ? value : failOption(`${name} must be a Tensor, got ${describe(value)}`)
const part: Check<Tensor> = (value, name) => outTensor(value, `out.${name}`)
const plainChecks = { output: part, hn: part }
const cellChecks = { ...plainChecks, cn: part }

/** The shapes of the results that a call has. */
export interface ResultShapes {
  readonly output?: readonly number[]
  readonly hn: readonly number[]
  readonly cn?: readonly number[]
}

/** Reads the option `out`. */
export function readOut(value: unknown, shapes: ResultShapes): OutTensors {
  if (!isObject(value) || value instanceof Tensor) {
    failOption(`out must be an object of tensors, { output, hn, cn }, got ${describe(value)}`)
  }
  const given = readOptions(value, shapes.cn ? cellChecks : (plainChecks as typeof cellChecks), 'out')
  if (given.output && !shapes.output) {
    failOption('out.output must be left out with returnOutput: false, which makes no output')
  }
  return {
    output: given.output && readOutTensor(given.output, 'out.output', shapes.output!),
    hn: given.hn && readOutTensor(given.hn, 'out.hn', shapes.hn),
    cn: given.cn && readOutTensor(given.cn, 'out.cn', shapes.cn!),
  }
}

/** Reads a tensor to write to, which must have exactly this shape. */
export function readOutTensor(tensor: Tensor, name: string, shape: readonly number[]): OutTensor {
  const read = readTensor(tensor, name)
  if (!sameShape(read.shape, shape)) {
    failShape(`Expected ${name} size ${tuple(shape)}, got ${list(read.shape)}`)
  }
  return { ...read, tensor }
}

/** What has the same memory would be read after it is written, or written twice. `inPlace`: an input whose values may be replaced. */
export function checkApart(
  name: string,
  out: ReadTensor,
  other: string,
  array: ReadTensor | undefined,
  inPlace = false,
) {
  if (!array) return
  const overlap = overlapOf(out.data, array.data)
  if (overlap === 'nothing' || (inPlace && overlap === 'all')) return
  const but = inPlace ? `, unless it is all of ${other}` : ''
  failOption(`${name} must not overlap ${other}${but}, but they share memory`)
}

/** The tensors of `out` are as long as they were. */
export function checkOutLengths({ output, hn, cn }: OutTensors): void {
  if (output) checkNotDetached('out.output', output)
  if (hn) checkNotDetached('out.hn', hn)
  if (cn) checkNotDetached('out.cn', cn)
}

/** The tensors of `out` are whole, apart from each other and from the inputs. */
export function checkOut(
  { output, hn, cn }: OutTensors,
  { x, h0, c0 }: { x: ReadTensor; h0?: ReadTensor; c0?: ReadTensor },
): void {
  checkOutLengths({ output, hn, cn })
  const names = ['out.output', 'out.hn', 'out.cn']
  const outs = [output, hn, cn]
  for (let i = 0; i < outs.length; i++) {
    const out = outs[i]
    if (!out) continue
    checkApart(names[i], out, 'input', x)
    checkApart(names[i], out, 'h0', h0, i === 1)
    checkApart(names[i], out, 'c0', c0, i === 2)
    for (let j = 0; j < i; j++) checkApart(names[i], out, names[j], outs[j])
  }
}
