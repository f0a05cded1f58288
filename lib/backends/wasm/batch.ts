/** Live states that step together: rows gathered into the memory of one call, run by turns of the event loop, and scattered back. */
import { copyFloats, mapDelete, mapGet, mapSet, zeros } from '../../intrinsics/captured.ts'
import type { NetworkSpec } from '../../spec/spec.ts'
import { BatchArrays } from '../batch-arrays.ts'
import type { BatchCore } from '../interface.ts'
import { type Layout, type RowSizes, rowSizesOf } from '../packing.ts'
import { layoutWithin } from './call.ts'
import { Owned, Use, usedBy } from './owned.ts'
import { runPieces } from './pieces.ts'

/** A call that runs, or has ended and waits to be collected. */
interface Launched {
  readonly count: number
  readonly memory: Use
  readonly layout: Layout
  isDone: boolean
}

export class WasmBatch extends BatchArrays implements BatchCore {
  readonly #use: Use
  readonly #rows: RowSizes
  readonly #launched = new Map<number, Launched>()
  #tickets = 0

  constructor(network: Owned, spec: NetworkSpec) {
    super(spec)
    this.#use = usedBy(this, network.retain())
    this.#rows = rowSizesOf(spec)
  }

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    const network = this.#use.owned
    const { instance } = network
    const isThere = zeros(0)
    const layout = layoutWithin(this.#rows, {
      T: 1,
      B: count,
      batchFirst: false,
      h0: isThere,
      c0: this.sizes.H > 0 ? isThere : undefined,
      lengths: undefined,
      returnOutput: true,
    })
    instance.ensureRoom()
    const memory = new Use(Owned.memory(instance, layout.floats))
    const launched = { count, memory, layout, isDone: false }
    const ticket = this.#tickets++
    this.#gather(launched)
    mapSet(this.#launched, ticket, launched)
    try {
      runPieces(
        network,
        memory,
        layout,
        function* () {
          yield
          return launched
        },
        (result) => {
          launched.isDone = result === launched
          ended(ticket, result instanceof Error ? result : undefined)
        },
      )
    } catch (error) {
      mapDelete(this.#launched, ticket)
      memory.end()
      throw error
    }
  }

  collect(ticket: number): void {
    const launched = mapGet(this.#launched, ticket)!
    mapDelete(this.#launched, ticket)
    if (launched.isDone) this.#scatter(launched)
    launched.memory.end()
  }

  #gather({ count, memory }: Launched): void {
    const { instance, address } = memory.owned
    const { floats } = instance
    const { I, L, O, H } = this.sizes
    const x = address >>> 2
    const h0 = x + count * I
    const c0 = h0 + L * count * O
    for (let row = 0; row < count; row++) {
      const state = this.rows[2 * row]
      copyFloats(floats, x + row * I, this.frames, this.rows[2 * row + 1] * I, I)
      for (let layer = 0; layer < L; layer++) {
        copyFloats(floats, h0 + (layer * count + row) * O, this.h, (state * L + layer) * O, O)
        if (H > 0) copyFloats(floats, c0 + (layer * count + row) * H, this.c, (state * L + layer) * H, H)
      }
    }
  }

  #scatter({ count, memory, layout }: Launched): void {
    const { instance, address } = memory.owned
    const { floats } = instance
    const { L, O, H } = this.sizes
    const y = (address >>> 2) + layout.inputs
    const hn = y + layout.y
    const cn = hn + layout.h
    for (let row = 0; row < count; row++) {
      const state = this.rows[2 * row]
      if (state < 0) continue
      copyFloats(this.outputs, row * O, floats, y + row * O, O)
      for (let layer = 0; layer < L; layer++) {
        copyFloats(this.h, (state * L + layer) * O, floats, hn + (layer * count + row) * O, O)
        if (H > 0) copyFloats(this.c, (state * L + layer) * H, floats, cn + (layer * count + row) * H, H)
      }
    }
  }
}
