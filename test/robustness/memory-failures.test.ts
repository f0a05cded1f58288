/** Arrays for which there is no memory, each one of every part of the package in turn; `npm run faults` does the addon's own memory too. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'

const program = join(import.meta.dirname, '..', 'stress', 'faults', 'child.mjs')

describe.each(engines)('memory that is missing on %s', (backend) => {
  it('is an error that changes nothing, at every array that is made', async () => {
    const env = { ...process.env, NATIVE_RNN_BACKEND: backend }
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, 'all', 'arrays', '2'], {
      env,
    })
    const { failed, errors } = JSON.parse(stdout)
    expect(failed).toBeGreaterThan(300)
    expect(errors).toEqual({ 'RangeError: Array buffer allocation failed': failed })
  })
})
