/** Models in shared memory: the handle that other threads get, and the careful reading of one. */

import { chooseBackend } from '../backends/index.ts'
import { notHandle, readHandle } from '../calls/handle.ts'
import { count, dataOver, type GraphTensor } from '../graph/tensor.ts'
import { isArray, setValues } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { sharedView } from '../intrinsics/typed-arrays.ts'
import { backendName, integer, layerChecks, precisionOf } from '../options/checks.ts'
import { checkSharing } from '../runtime.ts'
import type { BackendName } from '../spec/spec.ts'
import type { ActivationType, WeightType } from '../spec/weight-types.ts'
import { version } from '../version.ts'
import { ModelCore } from './core.ts'
import { readGraph } from './shared-graph.ts'
import type { SharedPacked } from './store.ts'

/**
 * A model that other threads of the process can open: `postMessage(model.share())` on one side, `Model.fromShared(handle)` on the other. Its
 * constants and what the backend has packed of them lie in shared memory, which lives as long as anyone in any thread has a model, a stream or a
 * handle on it. What is in a handle is the package's own affair. JavaScript has no shared memory that is read-only: a handle goes to code that
 * may write the model's weights. Who does changes the numbers of every model on them, and nothing else.
 */
export interface SharedModel {
  readonly type: 'Model'
  /** The version of the package that made it; no other one opens it. */
  readonly version: string
  /** The backend whose layout the packed weights have. */
  readonly backend: BackendName
  readonly threads: number
  readonly weights: WeightType
  readonly activations: ActivationType
  /** Bytes of the files that the model was read from. */
  readonly bytes: number
  /** The compiled graph, its constants over a SharedArrayBuffer. */
  readonly graph: unknown
  /** What the backend has packed of the constants. */
  readonly packed: unknown
}

const cloned = globalThis.structuredClone

/** The handle of a model; plain data, so that postMessage carries it. */
export function shareModel(core: ModelCore): SharedModel {
  checkSharing()
  core.moveConstants(inSharedMemory)
  const { graph, backend, threads, precision, bytes, store } = core
  // A copy: what is done to the handle leaves the model's own as it is.
  const face = { type: 'Model', version, backend: backend.name, threads, ...precision } as const
  return cloned({ ...face, bytes, graph, packed: store.share() })
}

/** The same constants over one piece of shared memory, each from a multiple of 8 bytes on. */
function inSharedMemory(constants: ReadonlyMap<number, GraphTensor>): Map<number, GraphTensor> {
  const sizeOf = ({ data }: GraphTensor) => Math.ceil(data.byteLength / 8) * 8
  let size = 0
  for (const tensor of constants.values()) size += sizeOf(tensor)
  const memory = new SharedArrayBuffer(size)
  const shared = new Map<number, GraphTensor>()
  let at = 0
  for (const [value, tensor] of constants) {
    const { type, shape, data } = tensor
    const own = dataOver(type, memory, at, count(shape))
    setValues(own, data)
    shared.set(value, { ...tensor, data: own })
    at += sizeOf(tensor)
  }
  return shared
}

/** Opens a handle; everything in it is checked, as it may have come from anywhere. */
export function openSharedModel(handle: unknown): ModelCore {
  const given = readHandle<SharedModel>(handle, 'Model', 'what share() gave')
  const backend = chooseBackend(backendName(given.backend, 'handle.backend'))
  const threads = layerChecks.threads(given.threads, 'handle.threads')
  const precision = precisionOf({
    weights: layerChecks.weights(given.weights, 'handle.weights'),
    activations: layerChecks.activations(given.activations, 'handle.activations'),
  })
  const bytes = integer(0, Number.MAX_SAFE_INTEGER)(given.bytes, 'handle.bytes')
  const graph = readGraph(given.graph)
  const core = new ModelCore(graph, backend, threads, precision, bytes, readPacked(given.packed))
  core.moveConstants(undefined)
  return core
}

function readPacked(value: unknown): SharedPacked[] {
  if (!isArray(value)) notHandle('one without packed weights')
  return value.map((one: unknown): SharedPacked => {
    if (!isObject(one)) notHandle('one whose packed weights are none')
    const { value, key, memory } = { __proto__: null, ...one } as Partial<Record<keyof SharedPacked, unknown>>
    if (!Number.isSafeInteger(value) || typeof key !== 'string') notHandle('one whose packed weights have no key')
    const own = sharedView(memory) ?? notHandle('one whose weights are not in shared memory')
    return { value: value as number, key: key as string, memory: own }
  })
}
