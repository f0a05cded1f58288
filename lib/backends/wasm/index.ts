/** The backend of the WebAssembly module: found when it is asked for, compiled when it is first used. */
import type { Backend } from '../interface.ts'
import { WasmBackend } from './backend.ts'
import { findModule, whyNoModule } from './module.ts'

/** Why there is no such backend here; undefined where there is one. Compiles nothing. */
export { whyNoModule }

/** The backend; none, and why, where its module does not work. */
type Loaded =
  | { readonly backend: Backend; readonly reason: undefined; readonly isPassing?: false }
  | { readonly backend: undefined; readonly reason: string; readonly isPassing?: boolean }

let loaded: Loaded | undefined

/** Never throws. What fails for want of memory or stack may be asked for again. */
export function wasmBackend(): Loaded {
  if (loaded) return loaded
  const found = load()
  if (!found.isPassing) loaded = found
  return found
}

function load(): Loaded {
  const { module, reason } = findModule()
  if (!module) return { backend: undefined, reason }
  try {
    return { backend: new WasmBackend(module), reason: undefined }
  } catch (error) {
    return { backend: undefined, reason: String(error), isPassing: error instanceof RangeError }
  }
}
