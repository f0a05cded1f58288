/** Which backends this machine can run, which one a layer gets, and why. */

import { fail, named } from '../errors.ts'
import { backendNames } from '../options/checks.ts'
import { loadsAddons, variable as readVariable, warn } from '../platform/process.ts'
import type { BackendName } from '../spec/spec.ts'
import { version } from '../version.ts'
import type { Backend } from './interface.ts'
import { nativeBackends } from './native/index.ts'
import { typescriptBackend } from './typescript/index.ts'
import { wasmBackend, whyNoModule } from './wasm/index.ts'

const variable = 'NATIVE_RNN_BACKEND'

interface Found {
  readonly backends: readonly Backend[]
  /** Why native code is absent, and why WebAssembly is. */
  readonly reason?: string
  readonly wasmReason?: string
  /** Why WebAssembly goes before native code. */
  readonly unwatched?: string
}

let found: Found | undefined
let said = false

/** Native code is looked for when it is first asked for, and once. */
function find(): Found {
  found ??= { ...nativeBackends(), wasmReason: whyNoModule() }
  return found
}

/**
 * The backends that this machine can run, best first; `'typescript'` is always the last.
 *
 * @example
 * availableBackends() // ['avx2', 'portable', 'wasm', 'typescript']
 */
export function availableBackends(): BackendName[] {
  const { backends, wasmReason, unwatched } = find()
  const names: BackendName[] = []
  const hasWasm = wasmReason === undefined
  if (hasWasm && unwatched) names[0] = 'wasm'
  for (let i = 0; i < backends.length; i++) names[names.length] = backends[i].name
  if (hasWasm && !unwatched) names[names.length] = 'wasm'
  names[names.length] = 'typescript'
  return names
}

/** Why the module did not work when it was last asked for: also for want of memory, which may pass. */
let wasmFailure: string | undefined

/** The module is compiled when it is first used; one that does not work then is absent from then on. */
function wasm(): Backend | undefined {
  const here = find()
  if (here.wasmReason !== undefined) return undefined
  const { backend, reason, isPassing } = wasmBackend()
  wasmFailure = reason
  if (!backend && !isPassing) found = { ...here, wasmReason: reason }
  return backend
}

/** What {@link backendInfo} tells. */
export interface BackendInfo {
  /** The backend that a layer gets when it asks for none. */
  name: BackendName
  /** Why native code is absent, or not the default. */
  reason?: string
  /** The version of this package. */
  version: string
}

/**
 * The default backend, and why it is no better one.
 *
 * @throws RNNError `ERR_RNN_BACKEND` where the variable NATIVE_RNN_BACKEND names one that cannot run here
 * @example
 * backendInfo() // { name: 'avx2', version: '0.1.0' }
 */
export function backendInfo(): BackendInfo {
  const { name } = pick(undefined)
  const { backends, reason, wasmReason, unwatched } = find()
  // Where no addon could be, it is WebAssembly whose absence has a reason.
  if (backends.length === 0) return { name, reason: loadsAddons ? reason : (wasmReason ?? reason), version }
  if (name !== 'wasm' && name !== 'typescript') return { name, version }
  return { name, reason: readVariable(variable) ? `${variable} asks for it` : unwatched, version }
}

/** The backend for a new layer. Says once, in a process warning, what computes where native code is absent. */
export function chooseBackend(name?: BackendName): Backend {
  const backend = pick(name)
  const { backends, reason, wasmReason } = find()
  if (backends.length === 0 && name === undefined && !readVariable(variable) && !said) {
    said = true
    const isWasm = backend.name === 'wasm'
    // Where no addon could be, nothing is amiss.
    if (isWasm && !loadsAddons) return backend
    const what = isWasm ? 'WebAssembly, on one thread,' : 'TypeScript, which is slower,'
    const noWasm = `WebAssembly is absent: ${wasmReason ?? wasmFailure}`
    const noAddon = `native code is absent: ${reason}`
    const why = isWasm ? noAddon : loadsAddons ? `${noAddon}; and ${noWasm}` : noWasm
    warn(`native-rnn computes in ${what} because ${why}`, 'NATIVE_RNN_ABSENT')
  }
  return backend
}

function pick(name: BackendName | undefined): Backend {
  const { backends, reason, unwatched } = find()
  const forced = readVariable(variable)
  if (name === undefined && !forced) return (unwatched && wasm()) || (backends[0] ?? wasm() ?? typescriptBackend)
  const asked = name ?? forced
  for (let i = 0; i < backends.length; i++) if (backends[i].name === asked) return backends[i]
  if (asked === 'typescript') return typescriptBackend
  const module = asked === 'wasm' ? wasm() : undefined
  if (module) return module
  const who = name === undefined ? `the backend of ${variable}` : 'the backend'
  const reasonOfAsked = asked === 'wasm' ? (find().wasmReason ?? wasmFailure) : reason
  const why = backendNames.includes(asked as BackendName)
    ? (reasonOfAsked ?? 'this machine lacks the instructions it needs')
    : 'there is no such backend'
  const here = `available: '${availableBackends().join("', '")}'`
  return fail('ERR_RNN_BACKEND', `${who}, '${named(asked as string)}', cannot run here: ${why}; ${here}`)
}
