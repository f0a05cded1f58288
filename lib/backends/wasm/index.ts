/** The backend of the WebAssembly module: found when it is asked for, compiled when it is first used. */
import type { Backend } from '../interface.ts'
import { WasmBackend } from './backend.ts'
import { findModule, whyNoModule } from './module.ts'

/** Why there is no such backend here; undefined where there is one. Compiles nothing. */
export { whyNoModule }

let loaded: { readonly backend: Backend } | { readonly backend?: undefined; readonly reason: string } | undefined

/** The backend; none, and why, where its module does not work. Never throws. */
export function wasmBackend(): NonNullable<typeof loaded> {
  loaded ??= load()
  return loaded
}

function load(): NonNullable<typeof loaded> {
  const found = findModule()
  if (!found.module) return found
  try {
    return { backend: new WasmBackend(found.module) }
  } catch (error) {
    return { reason: String(error) }
  }
}
