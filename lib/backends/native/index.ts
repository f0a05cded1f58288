/** The native backends of this machine: the addon that was found, one backend for each set of kernels that runs here. */
import { hasSharedMemory } from '../../intrinsics/captured.ts'
import type { Backend } from '../interface.ts'
import { NativeBackend } from './backend.ts'
import { loadAddon } from './loader.ts'

/**
 * The backends of the addon, best first; none, and why, where it cannot be used. `unwatched`: why WebAssembly goes before them. Never throws.
 */
export function nativeBackends(): { backends: Backend[]; reason?: string; unwatched?: string } {
  if (!hasSharedMemory) return { backends: [], reason: 'it needs SharedArrayBuffer, and this runtime has none' }
  const found = loadAddon()
  if (!found.addon) return { backends: [], reason: found.reason }
  const { addon, tables } = found
  const backends: Backend[] = []
  for (let table = 0; table < tables.length; table++) {
    const { name, usable } = tables[table]
    if (usable) backends[backends.length] = new NativeBackend(addon, name, table)
  }
  const why = found.unwatched && `prebuilds/${found.unwatched} was never seen to pass its tests`
  return { backends, unwatched: why }
}
