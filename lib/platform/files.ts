/** Files of the disk. */
import process from 'node:process'

/** How a model file is read by its place, for words that say so. */
export async function readFile(path: string | URL, _failed: (why: string) => never): Promise<Uint8Array> {
  // Only here, for it takes a millisecond of each program's start.
  const { readFile } = await import('node:fs/promises')
  return readFile(path)
}

/** Gives files of the folder of `path` and those below it; undefined for all others. */
export function filesBeside(path: string | URL): (location: string) => Uint8Array | undefined {
  // Not imported: that takes milliseconds of each program's start.
  const { readFileSync } = process.getBuiltinModule('node:fs')
  const { dirname, isAbsolute, relative, resolve } = process.getBuiltinModule('node:path')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const folder = dirname(resolve(typeof path === 'string' ? path : fileURLToPath(path)))
  return (location) => {
    const file = resolve(folder, location)
    const within = relative(folder, file)
    const isOutside = isAbsolute(location) || within === '' || isAbsolute(within) || /^\.\.([\\/]|$)/.test(within)
    return isOutside ? undefined : readFileSync(file)
  }
}
