/** Files of the disk. */
import { process } from './node.ts'

/** Node reads no larger files in one piece. */
const mostAtOnce = 2 ** 30

/** How a model file is read by its place, for words that say so. */
export async function readFile(path: string | URL, _failed: (why: string) => never): Promise<Uint8Array> {
  // Only here, for it takes a millisecond of each program's start.
  const { open } = await import('node:fs/promises')
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size <= mostAtOnce) return await file.readFile()
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(size - at, mostAtOnce), at)
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`)
      at += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
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
