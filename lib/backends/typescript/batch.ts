/** Live states that step together on the TypeScript backend: rows gathered into one ordinary pass. */
import type { BatchCore, ForwardResult, Network } from '../interface.ts'
import { copy, resized } from './arrays.ts'

interface Sizes {
  readonly I: number
  readonly L: number
  readonly O: number
  /** 0: no cell state. */
  readonly H: number
}

export class TypeScriptBatch implements BatchCore {
  frames = new Float32Array(0)
  h = new Float32Array(0)
  c = new Float32Array(0)
  outputs = new Float32Array(0)
  rows = new Int32Array(0)
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
    if (this.rows.length !== rows * 2) this.rows = new Int32Array(rows * 2)
  }

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    const { I, L, O, H } = this.#sizes
    const x = new Float32Array(count * I)
    const h0 = new Float32Array(L * count * O)
    const c0 = new Float32Array(L * count * H)
    for (let row = 0; row < count; row++) {
      const state = this.rows[2 * row]
      copy(x, row * I, this.frames, this.rows[2 * row + 1] * I, I)
      for (let layer = 0; layer < L; layer++) {
        copy(h0, (layer * count + row) * O, this.h, (state * L + layer) * O, O)
        copy(c0, (layer * count + row) * H, this.c, (state * L + layer) * H, H)
      }
    }
    const ticket = this.#tickets++
    const call = { x, T: 1, B: count, batchFirst: false, h0, c0: H > 0 ? c0 : undefined, returnOutput: true }
    this.#network.forwardAsync(call, (result) => {
      this.#results.set(ticket, { count, result })
      ended(ticket, result instanceof Error ? result : undefined)
    })
  }

  collect(ticket: number): void {
    const { L, O, H } = this.#sizes
    const { count, result } = this.#results.get(ticket)!
    this.#results.delete(ticket)
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
