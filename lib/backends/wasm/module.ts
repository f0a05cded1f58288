/** Finds the compiled module, `native-rnn.wasm` beside the package's own file; the only file of this backend that knows Node. */
import { folderOf } from '../../platform/folder.ts'
import { process } from '../../platform/node.ts'
import { type Module, webAssembly } from './webassembly.ts'

/** The module; none, and why, where there is no use of it. */
export type Found =
  | { readonly module: Module; readonly reason?: undefined }
  | { readonly module: undefined; readonly reason: string }

/** The file that this code lies in; in a CommonJS bundle `import.meta` is empty, and the file's name is a variable. */
const ownFile = (import.meta.url as string | undefined) || (typeof __filename === 'string' ? __filename : '')

// Not imported: that makes Node load all of its streams, for 4 ms.
const fs = (): typeof import('node:fs') => process.getBuiltinModule('node:fs')

/** Where the module would be; undefined for code without a file, as of `eval`. */
function place(): string | undefined {
  const folder = folderOf(ownFile)
  return folder === undefined ? undefined : process.getBuiltinModule('node:path').join(folder, 'native-rnn.wasm')
}

/** Why there can be no module here; undefined where nothing speaks against one. Compiles nothing. */
export function whyNoModule(): string | undefined {
  if (!webAssembly) return 'this runtime has no WebAssembly'
  if (!webAssembly.hasSimd) return 'WebAssembly has no vector instructions here'
  try {
    const file = place()
    if (!file) return 'this code lies in no file beside which native-rnn.wasm could be'
    return fs().existsSync(file) ? undefined : `there is no file ${file}`
  } catch (error) {
    return String(error)
  }
}

/** Reads and compiles the module. Never throws. */
export function findModule(): Found {
  const reason = whyNoModule()
  if (reason !== undefined) return { module: undefined, reason }
  try {
    return { module: webAssembly!.compile(fs().readFileSync(place()!)) }
  } catch (error) {
    return { module: undefined, reason: String(error) }
  }
}
