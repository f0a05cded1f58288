/** Live states that step together on the TypeScript backend: rows gathered into one ordinary pass. */

import { mapDelete, mapGet, mapSet, newInts, setValues, zeros } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import type { BatchCore, ForwardResult, Network } from '../interface.ts'
import { copy } from './arrays.ts'

interface Sizes {
  readonly I: number
  readonly L: number
  readonly O: number
  /** 0: no cell state. */
  readonly H: number
}

export class TypeScriptBatch implements BatchCore {
  frames = zeros(0)
  h = zeros(0)
  c = zeros(0)
  outputs = zeros(0)
  rows = newInts(0)
  readonly #network: Network
  readonly #sizes: Sizes
  readonly #results = new Map<number, { count: number; result: ForwardResult | Error }>()
  #tickets = 0

  constructor(network: Network, sizes: Sizes) {
    this.#network = network
    this.#sizes = sizes
  }

  reserve(frames: number, states: number, rows: number): void {
    const { I, L, O, H } = this.#sizes
    this.frames = resized(this.frames, frames * I)
    this.h = resized(this.h, states * L * O)
    this.c = resized(this.c, states * L * H)
    this.outputs = resized(this.outputs, rows * O)
    if (trueLength(this.rows) !== rows * 2) this.rows = newInts(rows * 2)
  }

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    const { I, L, O, H } = this.#sizes
    const x = zeros(count * I)
    const h0 = zeros(L * count * O)
    const c0 = zeros(L * count * H)
    for (let row = 0; row < count; row++) {
      const state = this.rows[2 * row]
      copy(x, row * I, this.frames, this.rows[2 * row + 1] * I, I)
      for (let layer = 0; layer < L; layer++) {
        copy(h0, (layer * count + row) * O, this.h, (state * L + layer) * O, O)
        copy(c0, (layer * count + row) * H, this.c, (state * L + layer) * H, H)
      }
    }
    const ticket = this.#tickets++
    const call = {
      x,
      T: 1,
      B: count,
      batchFirst: false,
      h0,
      c0: H > 0 ? c0 : undefined,
      lengths: undefined,
      returnOutput: true,
      into: undefined,
    }
    const settle = (result: ForwardResult | Error) => {
      mapSet(this.#results, ticket, { count, result })
      ended(ticket, result instanceof Error ? result : undefined)
    }
    this.#network.forwardAsync(call, settle, () => {})
  }

  collect(ticket: number): void {
    const { L, O, H } = this.#sizes
    const { count, result } = mapGet(this.#results, ticket)!
    mapDelete(this.#results, ticket)
    if (result instanceof Error) return
    for (let row = 0; row < count; row++) {
      const state = this.rows[2 * row]
      if (state < 0) continue
      copy(this.outputs, row * O, result.output!, row * O, O)
      for (let layer = 0; layer < L; layer++) {
        copy(this.h, (state * L + layer) * O, result.hn, (layer * count + row) * O, O)
        if (result.cn) copy(this.c, (state * L + layer) * H, result.cn, (layer * count + row) * H, H)
      }
    }
  }
}

/** The same values in a longer array; the array itself where it is long enough, as one is that grew before the memory for another was missing. */
function resized(values: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (length <= trueLength(values)) return values
  const larger = zeros(length)
  setValues(larger, values)
  return larger
}
