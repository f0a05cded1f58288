/** The compiled module, as the entry of a page or an edge runtime has come by it. */
import { type Module, webAssembly } from './webassembly.ts'

export type Found = { readonly module: Module } | { readonly module?: undefined; readonly reason: string }

let found: Found = { reason: 'nobody has given its module' }

/** Called by the entry, before anyone else can call anything. */
export function provideModule(given: Found): void {
  found = given
}

export function whyNoModule(): string | undefined {
  if (!webAssembly) return 'this runtime has no WebAssembly'
  if (!webAssembly.hasSimd) return 'WebAssembly has no vector instructions here'
  return found.module ? undefined : found.reason
}

export function findModule(): Found {
  const reason = whyNoModule()
  return reason === undefined ? found : { reason }
}

/** What the `import` of a module's file gives: the compiled module, where the runtime or its tool compiles it, or the bytes that a tool carries. */
export function provideImported(given: unknown): void {
  found = imported(given)
}

function imported(given: unknown): Found {
  if (isModule(given)) return { module: given }
  const is = given === null ? 'null' : `a ${typeof given}`
  if (!ArrayBuffer.isView(given))
    return { reason: `the import of native-rnn.wasm gave ${is}, neither a WebAssembly.Module nor its bytes` }
  try {
    return webAssembly ? { module: webAssembly.compile(given as Uint8Array) } : found
  } catch (error) {
    return { reason: `the bytes that the import of native-rnn.wasm gave: ${error}` }
  }
}

/** Of this realm, or of the program whose sandbox this is. */
function isModule(given: unknown): given is Module {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: { Module: { exports(module: unknown): unknown } } }
  try {
    WebAssembly!.Module.exports(given)
    return true
  } catch {
    return false
  }
}
