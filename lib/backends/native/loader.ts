/** Finds the compiled addon; the only file that loads one. */

import module from 'node:module'
import { folderOf } from '../../platform/folder.ts'
import { process } from '../../platform/node.ts'
import { variable } from '../../platform/process.ts'
import type { Addon } from './addon.ts'

/** The addon and its sets of kernels; none, and why, where it cannot be used. */
export type Loaded =
  | {
      readonly addon: Addon
      readonly tables: ReturnType<Addon['tables']>
      /** The file of a prebuilt one that nobody has seen run. */
      readonly unwatched?: string
    }
  | { readonly addon?: undefined; readonly reason: string }

/**
 * The prebuilt addons whose suites were seen to pass (docs/platforms.md): before all others goes WebAssembly. One that is built where it runs is
 * not asked for here.
 */
const watched = ['linux-x64.node', 'linux-arm64.node']

/** The version of Node-API that the addon is compiled for; a process with an older one would crash on loading it. */
const napiVersion = 9

/** Looks for the addon in its places and loads the first that works. Never throws. */
export function loadAddon(): Loaded {
  const here = Number(process.versions.napi ?? 0)
  if (here < napiVersion) return { reason: `it needs Node-API ${napiVersion}, this runtime has ${here}` }
  const failures: string[] = []
  const tried = places()
  for (let i = 0; i < tried.length; i++) {
    const { place, load } = tried[i]
    try {
      const addon = load(tried) as Addon
      const tables = addon.tables()
      if (tables.some(({ usable }) => usable)) {
        return { addon, tables, unwatched: prebuilt && watched.includes(prebuilt) ? undefined : prebuilt }
      }
      failures.push(`${place}: this processor runs none of its kernels`)
    } catch (error) {
      failures.push(`${place}: ${whyNot(error)}`)
    }
  }
  return { reason: failures.join('; ') }
}

/**
 * The file that this code lies in: the package's, or the bundle's. Undefined for code without a file, as of `eval`. In a CommonJS bundle
 * `import.meta` is empty, and the file's name is a variable.
 */
const ownFile = placed((import.meta.url as string | undefined) || (typeof __filename === 'string' ? __filename : ''))

function placed(file: string): string | undefined {
  try {
    // Refuses what names no file: "[worker eval]", data:, nothing.
    module.createRequire(file)
    return file
  } catch {
    return undefined
  }
}

// Written like this for tools: those that collect an application's files look for this call, and follow `require` of a constant string.
// An imported name `createRequire` makes webpack resolve those strings itself, also for platforms that an installation has no file of.
const require = module.createRequire(ownFile ?? process.execPath)
/** The file of the prebuilt addon that was tried last. */
let prebuilt: string | undefined

/** Where it could be, and what loads it from there; that may find further places. */
interface Place {
  readonly place: string
  readonly load: (places: Place[]) => unknown
}

function places(): Place[] {
  const path = variable('NATIVE_RNN_PATH')
  if (path) {
    const { resolve } = require('node:path') as typeof import('node:path')
    return [{ place: path, load: () => require(resolve(path)) }]
  }
  if (!ownFile)
    return [{ place: 'prebuilds', load: () => fail('this code lies in no file beside which they could be') }]
  const target = `${process.platform}-${process.arch}`
  const given = prebuilds[target] ?? (() => fail(`the package has no addon for ${target}`))
  return [
    {
      place: 'build/Release/native-rnn.node',
      load: () => nearby(target) ?? require('../build/Release/native-rnn.node'),
    },
    {
      place: `prebuilds/${target}.node`,
      load: (places) => {
        prebuilt = `${target}.node`
        lookElsewhere(target, places)
        return given()
      },
    },
  ]
}

function fail(why: string): never {
  throw new Error(why)
}

const prebuilds: Record<string, () => unknown> = {
  // On glibc and on musl.
  'linux-x64': () => require('../prebuilds/linux-x64.node'),
  'linux-arm64': () => require('../prebuilds/linux-arm64.node'),
  'darwin-arm64': () => require('../prebuilds/darwin-arm64.node'),
  'darwin-x64': () => require('../prebuilds/darwin-x64.node'),
  'win32-x64': () => require('../prebuilds/win32-x64.node'),
  'win32-arm64': () => require('../prebuilds/win32-arm64.node'),
}

/**
 * What `require` would give, for a file that lies where a checkout or an installed package has it: without the search, which takes a
 * millisecond. Undefined in every other case, also where the file cannot be loaded: `require` says why. So too where a test runner has
 * put this code in a realm of its own, with its own `require`: that one keeps the addon from one test file to the next.
 */
function nearby(target: string): unknown {
  const folder = import.meta.dirname
  if (!folder || !(module.createRequire instanceof Function)) return undefined
  const root = folder.slice(0, folder.lastIndexOf(separator))
  const load = (...names: string[]): unknown => {
    const file = names.join(separator)
    const known = require.cache[file]
    if (known) return known.exports
    const addon = new module.Module(file)
    addon.filename = file
    try {
      process.dlopen(addon, file)
    } catch {
      return undefined
    }
    addon.loaded = true
    require.cache[file] = addon
    return addon.exports
  }
  const own = load(root, 'build', 'Release', 'native-rnn.node')
  if (own) return own
  const name = `${target}.node`
  const found = load(root, 'prebuilds', name)
  if (found) prebuilt = name
  return found
}

/** Adds where bundles and executables have it, in their own folder, and where Electron unpacks it: the files that are there. */
function lookElsewhere(target: string, places: Place[]): void {
  const { existsSync } = require('node:fs') as typeof import('node:fs')
  const { join } = require('node:path') as typeof import('node:path')
  const add = (...names: string[]): void => {
    const file = join(...names, 'prebuilds', `${target}.node`)
    if (existsSync(file)) places[places.length] = { place: file, load: () => require(file) }
  }
  try {
    const folder = folderOf(ownFile!)
    if (folder === undefined) return
    add(folder)
    const unpacked = folder.replace(/\.asar(?=[\\/])/, '.asar.unpacked')
    if (unpacked !== folder) add(unpacked, '..')
  } catch {
    // The address of a file on another machine.
  }
}

const separator = process.platform === 'win32' ? '\\' : '/'

/** The first line of what went wrong: the rest is a list of the modules that asked. */
function whyNot(error: unknown): string {
  // Of another realm where a test runner loads the package into one of its own.
  const { message = String(error), code } = (error ?? {}) as { message?: string; code?: string }
  const missing = code === 'MODULE_NOT_FOUND'
  return missing ? 'there is no such file' : message.split('\n')[0]
}
