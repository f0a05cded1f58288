/** The arrays of live states that step together: this thread's, larger ones in place of those without room; and their rows side by side for a call. */

import { copyFloats, newFloats, newInts, setValues } from '../intrinsics/captured.ts'
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

  /** Copies the frames and states of the first rows to a place of some floats: x, h0 and c0 of a call, one after the other. */
  protected gather(count: number, floats: Float32Array, x: number): void {
    const { I, L, O, H } = this.sizes
    const h0 = x + count * I
    const c0 = h0 + L * count * O
    for (let row = 0; row < count; row++) {
      const state = this.rows[2 * row]
      copyFloats(floats, x + row * I, this.frames, this.rows[2 * row + 1] * I, I)
      for (let layer = 0; layer < L; layer++) {
        copyFloats(floats, h0 + (layer * count + row) * O, this.h, (state * L + layer) * O, O)
        copyFloats(floats, c0 + (layer * count + row) * H, this.c, (state * L + layer) * H, H)
      }
    }
  }

  /** Copies the results of a call, each from a place of an array on, to the outputs and states of the rows whose state slot is not negative. */
  protected scatter(
    count: number,
    output: Float32Array,
    y: number,
    hn: Float32Array,
    h: number,
    cn: Float32Array,
    c: number,
  ): void {
    const { L, O, H } = this.sizes
    for (let row = 0; row < count; row++) {
      const state = this.rows[2 * row]
      if (state < 0) continue
      copyFloats(this.outputs, row * O, output, y + row * O, O)
      for (let layer = 0; layer < L; layer++) {
        copyFloats(this.h, (state * L + layer) * O, hn, h + (layer * count + row) * O, O)
        copyFloats(this.c, (state * L + layer) * H, cn, c + (layer * count + row) * H, H)
      }
    }
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
