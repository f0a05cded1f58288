/** Live states that step together on the TypeScript backend: rows gathered into one ordinary pass. */

import { mapDelete, mapGet, mapSet, newFloats, viewOf } from '../../intrinsics/captured.ts'
import type { NetworkSpec } from '../../spec/spec.ts'
import { BatchArrays } from '../batch-arrays.ts'
import type { BatchCore, ForwardResult, Network } from '../interface.ts'

export class TypeScriptBatch extends BatchArrays implements BatchCore {
  readonly #network: Network
  readonly #results = new Map<number, { count: number; result: ForwardResult | Error }>()
  #tickets = 0

  constructor(network: Network, spec: NetworkSpec) {
    super(spec)
    this.#network = network
  }

  launch(count: number, ended: (ticket: number, error?: Error) => void): void {
    const { I, L, O, H } = this.sizes
    const x = count * I
    const h = L * count * O
    const c = L * count * H
    const inputs = newFloats(x + h + c)
    this.gather(count, inputs, 0)
    const ticket = this.#tickets++
    const call = {
      x: viewOf(inputs, 0, x),
      T: 1,
      B: count,
      batchFirst: false,
      h0: viewOf(inputs, x, h),
      c0: H > 0 ? viewOf(inputs, x + h, c) : undefined,
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
    const { count, result } = mapGet(this.#results, ticket)!
    mapDelete(this.#results, ticket)
    if (result instanceof Error) return
    const { output, hn, cn = hn } = result
    this.scatter(count, output!, 0, hn, 0, cn, 0)
  }
}
