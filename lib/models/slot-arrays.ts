/** Arrays that hold values by slot: one for each layout, with their bytes as backends copy them; larger ones take their place. */

import { type GraphData, newData } from '../graph/tensor.ts'
import { bytesOf, setValues } from '../intrinsics/captured.ts'
import { copyValues, type RowLayout, rowLength } from './rows.ts'
import { copyOfData, viewOfData } from './values.ts'

export class SlotArrays {
  readonly layouts: readonly RowLayout[]
  /** Values of one slot. */
  readonly lengths: readonly number[]
  data: readonly GraphData[]
  /** The memory of each array. */
  bytes: readonly Uint8Array[]

  constructor(layouts: readonly RowLayout[], slots: number) {
    this.layouts = layouts
    this.lengths = layouts.map(rowLength)
    this.data = this.newValues(slots)
    this.bytes = this.data.map(bytesOf)
  }

  /** Arrays for so many slots, of zeros. */
  newValues(slots: number): GraphData[] {
    const values: GraphData[] = []
    for (let k = 0; k < this.layouts.length; k++) {
      values[k] = newData(this.layouts[k].type, slots * this.lengths[k])
    }
    return values
  }

  /** The same values with room for so many slots: all of them, or, where memory is missing, none. */
  grow(slots: number): void {
    const larger = this.newValues(slots)
    const bytes: Uint8Array[] = []
    for (let k = 0; k < larger.length; k++) {
      setValues(larger[k], this.data[k])
      bytes[k] = bytesOf(larger[k])
    }
    this.data = larger
    this.bytes = bytes
  }

  /** Fills a slot with values of its size. */
  write(slot: number, values: readonly GraphData[]): void {
    for (let k = 0; k < this.lengths.length; k++) setValues(this.data[k], values[k], slot * this.lengths[k])
  }

  view(k: number, slot: number): GraphData {
    return viewOfData(this.layouts[k].type, this.data[k], slot * this.lengths[k], this.lengths[k])
  }

  /** A copy of a slot. */
  read(slot: number): GraphData[] {
    const values: GraphData[] = []
    for (let k = 0; k < this.layouts.length; k++) values[k] = copyOfData(this.layouts[k].type, this.view(k, slot))
    return values
  }

  /** Copies a slot's values of one layout to an array. */
  copyTo(k: number, slot: number, to: GraphData, at: number): void {
    const count = this.lengths[k]
    copyValues(this.layouts[k].type, to, at, this.data[k], slot * count, count)
  }
}
