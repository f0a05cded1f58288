/** A forward call in the module's memory: its arrays one after the other, its results. */

import { min, zeros } from '../../intrinsics/captured.ts'
import type { ForwardCall, ForwardResult } from '../interface.ts'
import { type Layout, layoutOf, outOfMemory, type RowSizes, resultArrays } from '../packing.ts'
import type { WasmInstance } from './instance.ts'

// More floats than any memory of the module has.
const most = 2 ** 29

/** @throws RangeError where no memory could hold the call */
export function layoutWithin(rows: RowSizes, call: Omit<ForwardCall, 'x' | 'into'>): Layout {
  const layout = layoutOf(rows, call)
  if (layout.floats > most) throw outOfMemory()
  return layout
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
  call: Pick<ForwardCall, 'returnOutput' | 'into'>,
): Generator<void, ForwardResult> {
  const result = resultArrays(layout, call, zeros)
  for (let at = 0; result.output && at < layout.y; at += floatsOfStep) {
    instance.look()
    instance.getInto(memory + (layout.inputs + at) * 4, min(floatsOfStep, layout.y - at), result.output, at)
    yield
  }
  getStates(instance, memory, layout, result)
  return result
}
