/** Networks in the module's memory, and their weights on the way in and out, a layer at a time. */
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import { readNetwork } from '../packing.ts'
import { weightFields } from '../protocol.ts'
import type { WasmInstance } from './instance.ts'
import { newPacked, type Owned } from './owned.ts'

/** A network, and the bytes of its weights. Those are yet to come, or of PyTorch's shapes and rounded to what the network keeps. */
export function newNetwork(
  instance: WasmInstance,
  numbers: readonly number[],
  weights: readonly CellWeights[] = [],
): { owned: Owned; bytes: number } {
  const { networkBytes, networkNew, networkFree } = instance.exports
  return newPacked(instance, numbers, networkBytes, networkNew, networkFree, (owned) => packWeights(owned, weights))
}

function packWeights(owned: Owned, weights: readonly CellWeights[]): void {
  const { instance, address } = owned
  for (let index = 0; index < weights.length; index++) {
    withArrays(owned, index, (addresses, lengths) => {
      const given: number[] = []
      for (let f = 0; f < weightFields.length; f++) {
        const values = weights[index][weightFields[f]]
        given[f] = values ? addresses[f] : 0
        if (values && lengths[f] > 0) instance.put(addresses[f], values, lengths[f])
      }
      instance.guarded(() => instance.exports.networkPack(address, index, instance.putAddresses(given)))
    })
  }
}

/** The weights as they are kept, widened to float32. */
export function unpackWeights(owned: Owned, spec: NetworkSpec): CellWeights[] {
  const { instance, address } = owned
  return readNetwork(spec, (all) => {
    for (let index = 0; index < all.length; index++) {
      withArrays(owned, index, (addresses, lengths) => {
        instance.guarded(() => instance.exports.networkUnpack(address, index, instance.putAddresses(addresses)))
        for (let f = 0; f < weightFields.length; f++)
          if (lengths[f] > 0) instance.getInto(addresses[f], lengths[f], all[index][weightFields[f]]!)
      })
    }
  })
}

/** Memory for the arrays of one layer and direction while `use` runs. */
function withArrays(
  { instance, address }: Owned,
  index: number,
  use: (addresses: readonly number[], lengths: readonly number[]) => void,
): void {
  const lengths: number[] = []
  for (let f = 0; f < weightFields.length; f++) {
    lengths[f] = instance.exports.networkWeightLength(address, index * weightFields.length + f) >>> 0
  }
  instance.withArrays(lengths, (addresses) => use(addresses, lengths))
}
