/** Finds the compiled module, `native-rnn.wasm` beside the package's own file; the only file of this backend that knows Node. */
import process from 'node:process'
import { type Module, webAssembly } from './webassembly.ts'

/** The module; none, and why, where there is no use of it. */
export type Found = { readonly module: Module } | { readonly module?: undefined; readonly reason: string }

/** The file that this code lies in; in a CommonJS bundle `import.meta` is empty, and the file's name is a variable. */
const ownFile = (import.meta.url as string | undefined) || (typeof __filename === 'string' ? __filename : '')
const file = beside(ownFile)

function beside(own: string): string | URL | undefined {
  try {
    if (own.startsWith('file:')) return new URL('native-rnn.wasm', own)
  } catch {
    return undefined
  }
  const folder = Math.max(own.lastIndexOf('/'), own.lastIndexOf('\\'))
  return own.includes(':/') || folder < 0 ? undefined : `${own.slice(0, folder + 1)}native-rnn.wasm`
}

// Not imported: that makes Node load all of its streams, for 4 ms.
const fs = (): typeof import('node:fs') => process.getBuiltinModule('node:fs')

/** Why there can be no module here; undefined where nothing speaks against one. Compiles nothing. */
export function whyNoModule(): string | undefined {
  if (!webAssembly) return 'this runtime has no WebAssembly'
  if (!webAssembly.hasSimd) return 'WebAssembly has no vector instructions here'
  if (!file) return 'this code lies in no file beside which native-rnn.wasm could be'
  try {
    return fs().existsSync(file) ? undefined : `there is no file ${String(file)}`
  } catch (error) {
    return String(error)
  }
}

/** Reads and compiles the module. Never throws. */
export function findModule(): Found {
  const reason = whyNoModule()
  if (reason !== undefined) return { reason }
  try {
    return { module: webAssembly!.compile(fs().readFileSync(file!)) }
  } catch (error) {
    return { reason: String(error) }
  }
}
