/** Finds the compiled addon; the only file that loads one. */

import { createRequire, Module } from 'node:module'
import process from 'node:process'
import type { Addon } from './addon.ts'

/** The addon and its sets of kernels; none, and why, where it cannot be used. */
export type Loaded =
  | { readonly addon: Addon; readonly tables: ReturnType<Addon['tables']> }
  | { readonly addon?: undefined; readonly reason: string }

/** The version of Node-API that the addon is compiled for; a process with an older one would crash on loading it. */
const napiVersion = 9

/** Looks for the addon in its places and loads the first that works. Never throws. */
export function loadAddon(): Loaded {
  const here = Number(process.versions.napi ?? 0)
  if (here < napiVersion) return { reason: `it needs Node-API ${napiVersion}, this runtime has ${here}` }
  const failures: string[] = []
  for (const [place, load] of places()) {
    try {
      const addon = load() as Addon
      const tables = addon.tables()
      if (tables.some(({ usable }) => usable)) return { addon, tables }
      failures.push(`${place}: this processor runs none of its kernels`)
    } catch (error) {
      failures.push(`${place}: ${whyNot(error)}`)
    }
  }
  return { reason: failures.join('; ') }
}

// Bundlers follow `require` of a constant string, so each place is written out.
const require = createRequire(import.meta.url)
type Place = [name: string, load: () => unknown]

function places(): Place[] {
  const path = process.env.NATIVE_RNN_PATH
  if (path) return [[path, () => require((require('node:path') as typeof import('node:path')).resolve(path))]]
  const target = `${process.platform}-${process.arch}`
  const built: Place = [
    'build/Release/native-rnn.node',
    () => beside(target) ?? require('../build/Release/native-rnn.node'),
  ]
  const prebuilt = prebuilds[target]
  const nothing = () => {
    throw new Error(`the package has no addon for ${target}`)
  }
  return [built, [`prebuilds/${target}.node`, prebuilt ?? nothing]]
}

const prebuilds: Record<string, () => unknown> = {
  'linux-x64': () => (musl() ? require('../prebuilds/linux-x64-musl.node') : require('../prebuilds/linux-x64.node')),
  'linux-arm64': () =>
    musl() ? require('../prebuilds/linux-arm64-musl.node') : require('../prebuilds/linux-arm64.node'),
  'darwin-arm64': () => require('../prebuilds/darwin-arm64.node'),
  'darwin-x64': () => require('../prebuilds/darwin-x64.node'),
  'win32-x64': () => require('../prebuilds/win32-x64.node'),
  'win32-arm64': () => require('../prebuilds/win32-arm64.node'),
}

/**
 * What `require` would give, for a file that lies where a checkout or an installed package has it: without the search, which takes a
 * millisecond. Undefined in every other case, also where the file cannot be loaded: `require` says why.
 */
function beside(target: string): unknown {
  const separator = process.platform === 'win32' ? '\\' : '/'
  const folder = import.meta.dirname
  const root = folder?.slice(0, folder.lastIndexOf(separator))
  const load = (...names: string[]): unknown => {
    const file = [root, ...names].join(separator)
    const known = require.cache[file]
    if (known) return known.exports
    const module = new Module(file)
    module.filename = file
    try {
      process.dlopen(module, file)
    } catch {
      return undefined
    }
    module.loaded = true
    require.cache[file] = module
    return module.exports
  }
  if (!root) return undefined
  return load('build', 'Release', 'native-rnn.node') ?? load('prebuilds', `${target}${musl() ? '-musl' : ''}.node`)
}

/**
 * Whether this process runs on musl in place of glibc: its own loader is then among the files that the process has mapped. Node's report
 * would say it too, but asks the network for the names of all who are connected, which takes seconds.
 */
function musl(): boolean {
  const cpu = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  if (process.platform !== 'linux') return false
  // Not imported: that makes Node load all of its streams, for 4 ms.
  const { existsSync, readFileSync } = require('node:fs') as typeof import('node:fs')
  if (!existsSync(`/lib/ld-musl-${cpu}.so.1`)) return false
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-')
  } catch {
    // No /proc: a system that has glibc's loader too has musl as a guest.
    return !existsSync(process.arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2')
  }
}

/** The first line of what went wrong: the rest is a list of the modules that asked. */
function whyNot(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const missing = (error as { code?: string } | undefined)?.code === 'MODULE_NOT_FOUND'
  return missing ? 'there is no such file' : message.split('\n')[0]
}
