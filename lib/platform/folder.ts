/** The folder of the code's own file, as it is on the disk. */
import { process } from './node.ts'

/** The folder beside which files could lie, by the path or URL of the code's own file; undefined where that is no place. */
export function folderOf(file: string): string | undefined {
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const { dirname, isAbsolute } = process.getBuiltinModule('node:path')
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  if (!isAbsolute(path)) return undefined
  // webpack writes the package's path into a bundle, but not into this.
  const folder = import.meta.dirname || dirname(path)
  // An executable of Bun names the folder of its code by a place that is on no disk: its own is meant.
  return /[\\/](?:\$bunfs|~BUN)(?:[\\/]|$)/.test(folder) ? dirname(process.execPath) : folder
}
