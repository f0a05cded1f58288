/** Layers in shared memory: the handle that other threads get, and the careful reading of one. */

import { chooseBackend } from '../backends/index.ts'
import { create } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { sharedView } from '../intrinsics/typed-arrays.ts'
import { backendName, boolean, type Check, integer, layerChecks, oneOf, precisionOf, size } from '../options/checks.ts'
import { readFunctions } from '../options/functions.ts'
import { checkSharing } from '../runtime.ts'
import type { CellFunctions } from '../spec/cell-functions.ts'
import { cellsOf, cellTraits } from '../spec/cell-traits.ts'
import { type BackendName, type Direction, directionsOf, type NetworkSpec } from '../spec/spec.ts'
import { version } from '../version.ts'
import { notHandle, readHandle } from './handle.ts'
import { NetworkRef } from './network-ref.ts'

/**
 * A layer that other threads of the process can open: `postMessage(layer.share())` on one side, `LSTM.fromShared(handle)` on the other.
 * The weights lie in shared memory, which lives as long as anyone in any thread has a layer, a stream or a handle on it. What is
 * in a handle is the package's own affair. JavaScript has no shared memory that is read-only: a handle goes to code that may write the
 * layer's weights. Who does changes the numbers of every layer on them, and nothing else.
 */
export interface SharedLayer {
  /** The class that opens it. */
  readonly type: 'RNN' | 'GRU' | 'LSTM'
  /** The version of the package that made it; no other one opens it. */
  readonly version: string
  /** The backend whose layout the weights have. */
  readonly backend: BackendName
  /** Whether batched input and output are (B, T, …). */
  readonly batchFirst: boolean
  /** Sizes and options of the network. */
  readonly spec: NetworkSpec
  /** The weights, over SharedArrayBuffers. */
  readonly weights: unknown
}

/** What becomes of a handle on its way as text. */
const asJson = ': a handle goes by postMessage or workerData, not as JSON'

/** The handle of a layer; plain data, so that postMessage carries it. */
export function shareLayer(type: SharedLayer['type'], batchFirst: boolean, ref: NetworkRef): SharedLayer {
  checkSharing()
  const { spec, backend, network } = ref
  // The views are the handle's own: what is done to them leaves the layer's as they are.
  return { type, version, backend: backend.name, batchFirst, spec: { ...spec }, weights: ownViews(network.share(), 0) }
}

/** Opens a handle for a class; everything in it is checked, as it may have come from anywhere. */
export function openShared(type: SharedLayer['type'], handle: unknown): { ref: NetworkRef; batchFirst: boolean } {
  const given = readHandle<SharedLayer>(handle, type, `of a shared ${type}`)
  const spec = readSpec(type, given.spec)
  const backend = chooseBackend(backendName(given.backend, 'handle.backend'))
  const network =
    backend.adopt(spec, ownViews(given.weights, 0)) ?? notHandle(`one whose weights do not fit its sizes${asJson}`)
  return {
    ref: new NetworkRef(spec, backend, network),
    batchFirst: boolean(given.batchFirst, 'handle.batchFirst'),
  }
}

function readSpec(type: SharedLayer['type'], value: unknown): NetworkSpec {
  if (!isObject(value)) notHandle('one without sizes')
  const given = { __proto__: null, ...value } as unknown as Record<keyof NetworkSpec, unknown>
  const read = <T>(name: keyof NetworkSpec, check: Check<T>): T => check(given[name], `handle.spec.${name}`)
  const hiddenSize = read('hiddenSize', size)
  const cell = read('cell', oneOf(...cellsOf(type)))
  const direction = read('direction', oneOf<Direction>('forward', 'reverse', 'bidirectional'))
  const functions: Check<CellFunctions> = (value, name) => readFunctions(type, directionsOf({ direction }), value, name)
  return {
    cell,
    functions: cellTraits[cell].general ? read('functions', functions) : undefined,
    inputSize: read('inputSize', size),
    hiddenSize,
    projSize: read('projSize', integer(0, type === 'LSTM' ? hiddenSize - 1 : 0)),
    numLayers: read('numLayers', layerChecks.numLayers),
    bias: read('bias', boolean),
    direction,
    ...precisionOf({
      weights: read('weights', layerChecks.weights),
      activations: read('activations', layerChecks.activations),
    }),
    threads: read('threads', layerChecks.threads),
  }
}

/** The same structure with views that nobody else has: what a handle says of its arrays may be a lie. */
function ownViews(value: unknown, depth: number): unknown {
  if (!isObject(value)) return value
  if (ArrayBuffer.isView(value)) return sharedView(value) ?? notHandle('one whose weights are not in shared memory')
  if (depth === 2) notHandle(`one whose weights are nested too deep${asJson}`)
  if (Array.isArray(value)) return Array.from(value, (inner) => ownViews(inner, depth + 1))
  const views: Record<string, unknown> = create(null)
  for (const [name, inner] of Object.entries(value)) views[name] = ownViews(inner, depth + 1)
  return views
}
