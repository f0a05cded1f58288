/** Folders as a program names its own, and as they are on the disk. */
import process from 'node:process'

/** The folder beside which files could lie: an executable of Bun names that of its code by a place that is on no disk, and its own is meant. */
export function folderOnDisk(folder: string): string {
  if (!/[\\/](?:\$bunfs|~BUN)(?:[\\/]|$)/.test(folder)) return folder
  return process.getBuiltinModule('node:path').dirname(process.execPath)
}
