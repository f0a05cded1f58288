/** Arrays for which there is no memory, each one of every part of the package in turn; `npm run faults` does the addon's own memory too. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'
import { printed } from '../support/child.ts'

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

describe('memory that is missing for the cell states of a batch', () => {
  it('leaves its streams as they were', async () => {
    const came = await printed(`
      const Real = Float32Array
      let denied = 0
      globalThis.Float32Array = new Proxy(Real, {
        construct(target, args) {
          if (denied > 0 && args[0] === denied) throw new RangeError('no memory')
          return new target(...args)
        },
      })
      const { LSTM } = await import('native-rnn')
      const batcher = new LSTM(5, 8, { projSize: 2, seed: 1, backend: 'typescript' }).batcher()
      const streams = Array.from({ length: 16 }, () => batcher.open())
      const step = (stream) => stream.step(new Real(5)).then(() => 'done', String)
      // More than there was room for so far.
      const steps = () => Promise.all([...streams, ...streams, ...streams].map(step))
      const came = []
      denied = 32 * 8
      try { batcher.open() } catch (error) { came.push(error.message) }
      denied = 0
      came.push(...await steps())
      batcher.open()
      console.log(JSON.stringify(came))
      await batcher.close()
    `)
    expect(came).toEqual(['no memory', ...new Array(48).fill('done')])
  })
})
