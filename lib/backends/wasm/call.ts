/** A forward call in the module's memory: its header, its arrays one after the other, its results. */

import { min, zeros } from '../../intrinsics/captured.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import { directionsOf, type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import type { ForwardCall, ForwardResult } from '../interface.ts'
import { checkSteps, flagsOf, outOfMemory } from '../packing.ts'
import { headerField } from '../protocol.ts'
import type { WasmInstance } from './instance.ts'

/** Floats of one row. */
export interface RowSizes {
  readonly x: number // of one step
  readonly y: number // of one step
  readonly h: number
  readonly c: number
}

export function rowSizesOf(spec: NetworkSpec): RowSizes {
  const D = directionsOf(spec)
  const y = D * outputSizeOf(spec)
  const c = cellTraits[spec.cell].hasCellState ? spec.numLayers * D * spec.hiddenSize : 0
  return { x: spec.inputSize, y, h: spec.numLayers * y, c }
}

// More floats than any memory of the module has.
const most = 2 ** 29

/** Where the arrays of a call lie, from its memory's beginning; the module has the same order. */
export interface Layout {
  readonly T: number
  readonly B: number
  readonly flags: number
  readonly x: number
  readonly h: number
  readonly c: number
  readonly y: number
  /** Floats before the results, and of all. */
  readonly inputs: number
  readonly floats: number
}

/** @throws RangeError where no memory could hold the call */
export function layoutOf(rows: RowSizes, call: Omit<ForwardCall, 'x'>): Layout {
  const { B, h0, c0, lengths, returnOutput } = call
  const T = B === 0 ? 0 : call.T
  const x = T * B * rows.x
  const h = B * rows.h
  const c = B * rows.c
  const y = returnOutput ? T * B * rows.y : 0
  const inputs = x + (h0 ? h : 0) + (c0 ? c : 0) + (lengths ? B : 0)
  const floats = inputs + y + h + c
  checkSteps(T)
  if (floats > most || B > most) throw outOfMemory()
  return { T, B, flags: flagsOf(call), x, h, c, y, inputs, floats }
}

/** Writes the header that tells the module of the call. */
export function describe({ ints, header }: WasmInstance, { T, B, flags }: Layout): void {
  const at = header >>> 2
  ints[at + headerField.T] = T
  ints[at + headerField.B] = B
  ints[at + headerField.flags] = flags
}

/** Copies the inputs of a call in. */
export function putInputs(instance: WasmInstance, memory: number, layout: Layout, call: ForwardCall): void {
  let at = memory
  instance.put(at, call.x, layout.x)
  at += layout.x * 4
  if (call.h0) {
    instance.put(at, call.h0, layout.h)
    at += layout.h * 4
  }
  if (call.c0) {
    instance.put(at, call.c0, layout.c)
    at += layout.c * 4
  }
  if (call.lengths) instance.putInts(at, call.lengths, layout.B)
}

/** The arrays for a result: the caller's own, or new ones. */
export function resultArrays({ y, h, c }: Layout, call: Omit<ForwardCall, 'x'>): ForwardResult {
  const { returnOutput, into } = call
  const output = returnOutput ? (into?.output ?? zeros(y)) : undefined
  const hn = into?.hn ?? zeros(h)
  return { output, hn, cn: c > 0 ? (into?.cn ?? zeros(c)) : undefined }
}

/** Copies results out. */
export function getResults(instance: WasmInstance, memory: number, layout: Layout, result: ForwardResult): void {
  if (result.output) instance.getInto(memory + layout.inputs * 4, layout.y, result.output)
  getStates(instance, memory, layout, result)
}

function getStates(instance: WasmInstance, memory: number, layout: Layout, result: ForwardResult): void {
  const at = memory + (layout.inputs + layout.y) * 4
  instance.getInto(at, layout.h, result.hn)
  if (result.cn) instance.getInto(at + layout.h * 4, layout.c, result.cn)
}

// Floats that are copied at a time: a megabyte, whose pages may be new.
const floatsOfStep = 2 ** 18

/** The same into new arrays, some at a time. */
export function* takeResults(
  instance: WasmInstance,
  memory: number,
  layout: Layout,
  call: Omit<ForwardCall, 'x'>,
): Generator<void, ForwardResult> {
  const result = resultArrays(layout, call)
  for (let at = 0; result.output && at < layout.y; at += floatsOfStep) {
    instance.look()
    instance.getInto(memory + (layout.inputs + at) * 4, min(floatsOfStep, layout.y - at), result.output, at)
    yield
  }
  getStates(instance, memory, layout, result)
  return result
}
