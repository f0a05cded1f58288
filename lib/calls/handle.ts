/** What handles of layers and of models have in common: they may have come from anywhere, and say what they are. */

import { describe, failOption, withArticle } from '../errors.ts'
import { isObject } from '../intrinsics/properties.ts'
import { version } from '../version.ts'

const types: readonly unknown[] = ['RNN', 'GRU', 'LSTM', 'Model']

export function notHandle(got: string): never {
  failOption(`handle must be what share() gave, got ${got}`)
}

/** The properties of a handle of this type, each read once; `wanted` are the words for it where another one came. */
export function readHandle<Handle>(handle: unknown, type: string, wanted: string): Record<keyof Handle, unknown> {
  if (!isObject(handle)) notHandle(describe(handle))
  const given = { __proto__: null, ...handle } as unknown as Record<'type' | 'version', unknown>
  if (given.type !== type) {
    if (!types.includes(given.type)) notHandle(describe(handle))
    const use = `${given.type}.fromShared`
    failOption(`handle must be ${wanted}, got one of ${withArticle(given.type)}: use ${use}`)
  }
  if (given.version !== version) {
    failOption(`handle must be of native-rnn ${version}, got one of ${describe(given.version)}`)
  }
  return given as unknown as Record<keyof Handle, unknown>
}
