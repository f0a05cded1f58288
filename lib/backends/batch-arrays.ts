/** The arrays of live states that step together, as backends with memory of their own have them: this thread's, larger ones in place of those without room. */

import { newFloats, newInts, setValues } from '../intrinsics/captured.ts'
import { trueLength } from '../intrinsics/typed-arrays.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { type NetworkSpec, outputSizeOf } from '../spec/spec.ts'
import type { BatchCore } from './interface.ts'

export type BatchArrayList = Pick<BatchCore, 'frames' | 'h' | 'c' | 'outputs' | 'rows'>

export abstract class BatchArrays implements BatchArrayList {
  frames = newFloats(0)
  h = newFloats(0)
  c = newFloats(0)
  outputs = newFloats(0)
  rows = newInts(0)
  /** Values of a frame, layers, and in each layer those of the hidden state and of the cell state; 0: there is none. */
  protected readonly sizes: { readonly I: number; readonly L: number; readonly O: number; readonly H: number }

  constructor(spec: NetworkSpec) {
    const { inputSize, hiddenSize, numLayers, cell } = spec
    const H = cellTraits[cell].hasCellState ? hiddenSize : 0
    this.sizes = { I: inputSize, L: numLayers, O: outputSizeOf(spec), H }
  }

  /** Makes room for so many slots and rows. All arrays change or none does, also where the memory for one of them is missing. */
  reserve(frames: number, states: number, rows: number): void {
    const { I, L, O, H } = this.sizes
    const next = {
      frames: grown(this.frames, frames * I),
      h: grown(this.h, states * L * O),
      c: grown(this.c, states * L * H),
      outputs: grown(this.outputs, rows * O),
      rows: trueLength(this.rows) === rows * 2 ? this.rows : newInts(rows * 2),
    }
    this.bind(next)
    this.frames = next.frames
    this.h = next.h
    this.c = next.c
    this.outputs = next.outputs
    this.rows = next.rows
  }

  /** Called with the arrays to come; where it throws, those that are there stay. */
  protected bind(_next: BatchArrayList): void {}
}

/** The same values in an array of another length, at least as long, the only one of its buffer; the array itself where it has that length already. */
function grown(values: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (length === trueLength(values)) return values
  const larger = newFloats(length)
  setValues(larger, values)
  return larger
}
