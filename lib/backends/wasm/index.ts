/** The backend of the WebAssembly module: found when it is asked for, compiled when it is first used. */
import type { Backend } from '../interface.ts'
import { WasmBackend } from './backend.ts'
import { findModule, whyNoModule } from './module.ts'

/** Why there is no such backend here; undefined where there is one. Compiles nothing. */
export { whyNoModule }

/** The backend; none, and why, where its module does not work. */
interface Loaded {
  readonly backend: Backend | undefined
  readonly reason?: string
  /** Whether it failed for want of memory or stack, and may be asked for again. */
  readonly isPassing?: boolean
}

let backend: Backend | undefined

/** Never throws. */
export function wasmBackend(): Loaded {
  if (backend) return { backend }
  const { module, reason } = findModule()
  if (!module) return { backend: undefined, reason }
  try {
    backend = new WasmBackend(module)
    return { backend }
  } catch (error) {
    return { backend: undefined, reason: String(error), isPassing: error instanceof RangeError }
  }
}
