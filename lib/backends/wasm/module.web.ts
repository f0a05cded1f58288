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

/** What runtimes that compile nothing give for the `import` of a module's file. */
export function provideImported(given: unknown): void {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: { Module: new () => Module } }
  const is = given === null ? 'null' : `a ${typeof given}`
  const isModule = WebAssembly !== undefined && given instanceof WebAssembly.Module
  found = isModule
    ? { module: given }
    : { reason: `the import of native-rnn.wasm gave ${is}, not a WebAssembly.Module` }
}
