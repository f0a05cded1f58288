/** scripts/fetch-models.mjs where no registry answers: it says so and ends well, and under CI it fails. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function fetchModels(ci: string | undefined) {
  const script = fileURLToPath(new URL('../../scripts/fetch-models.mjs', import.meta.url))
  const { CI: _, ...env } = process.env
  const registry = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' }
  const own = { ...env, ...registry, npm_config_cache: join(folder, 'cache'), ...(ci === undefined ? {} : { CI: ci }) }
  return spawnSync(process.execPath, [script, join(folder, 'models')], { env: own, encoding: 'utf8' })
}

it.each([
  { ci: undefined, status: 0 },
  { ci: '1', status: 1 },
])('ends with $status where CI is $ci', ({ ci, status }) => {
  const done = fetchModels(ci)
  expect(done.stderr).toMatch(
    /^@jjhbw\/silero-vad@1\.0\.3 could not be fetched: .*ECONNREFUSED.*\nWhat needs these models is skipped\.$/m,
  )
  expect(done.status).toBe(status)
  expect(readdirSync(join(folder, 'models'))).toEqual([])
})
