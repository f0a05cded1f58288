/** Which backends this machine can run, which one a layer gets, and why. */

import { fail, named } from '../errors.ts'
import { backendName } from '../options/checks.ts'
import { variable as readVariable, warn } from '../platform/process.ts'
import type { BackendName } from '../spec/spec.ts'
import { version } from '../version.ts'
import type { Backend } from './interface.ts'
import { nativeBackends } from './native/index.ts'
import { typescriptBackend } from './typescript/index.ts'

const variable = 'NATIVE_RNN_BACKEND'

interface Found {
  /** Best first; TypeScript is always the last. */
  readonly backends: readonly Backend[]
  readonly nativeIsAbsent: boolean
  readonly reason?: string
}

let found: Found | undefined
let said = false

/** Native code is looked for when it is first asked for, and once. */
function find(): Found {
  if (!found) {
    const { backends, reason } = nativeBackends()
    const nativeIsAbsent = backends.length === 0
    backends[backends.length] = typescriptBackend
    found = { backends, nativeIsAbsent, reason }
  }
  return found
}

/**
 * The backends that this machine can run, best first; `'typescript'` is always the last.
 *
 * @example
 * availableBackends() // ['avx2', 'portable', 'typescript']
 */
export function availableBackends(): BackendName[] {
  return find().backends.map((backend) => backend.name)
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
  const { nativeIsAbsent, reason } = find()
  const { name } = pick(undefined)
  if (nativeIsAbsent) return { name, reason, version }
  return name === 'typescript' ? { name, reason: `${variable} asks for it`, version } : { name, version }
}

/** The backend for a new layer. Says once, in a process warning, when it is TypeScript because native code is absent. */
export function chooseBackend(name?: BackendName): Backend {
  const backend = pick(name)
  const { nativeIsAbsent, reason } = find()
  if (nativeIsAbsent && name === undefined && !readVariable(variable) && !said) {
    said = true
    const message = `native-rnn computes in TypeScript, which is slower, because native code is absent: ${reason}`
    warn(message, 'NATIVE_RNN_ABSENT')
  }
  return backend
}

function pick(name: BackendName | undefined): Backend {
  const { backends, reason } = find()
  const forced = readVariable(variable)
  if (name === undefined && !forced) return backends[0]
  const asked = name ?? forced
  for (let i = 0; i < backends.length; i++) if (backends[i].name === asked) return backends[i]
  const who = name === undefined ? `the backend of ${variable}` : 'the backend'
  const here = `; available: ${backends.map((candidate) => `'${candidate.name}'`).join(', ')}`
  return fail(
    'ERR_RNN_BACKEND',
    `${who}, '${named(asked as string)}', cannot run here: ${why(asked as string, reason)}${here}`,
  )
}

function why(asked: string, reason: string | undefined): string {
  try {
    backendName(asked, variable)
  } catch {
    return 'there is no such backend'
  }
  return reason ?? 'this machine lacks the instructions it needs'
}
