/** The entry for edge runtimes, on Node under the condition of one: what tools give for its import, and what such runtimes lack. */
import { availableBackends } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { printed } from '../support/child.ts'

/** Answers the import of `native-rnn.wasm?module` with what the program has put into `globalThis.given`. */
const hooks = `export function load(url, context, next) {
  if (!url.endsWith('?module')) return next(url, context)
  return { format: 'module', shortCircuit: true, source: 'export default globalThis.given' }
}`

/** What the package finds where the import gives what an expression of `bytes`, the module's, is worth. */
function found(given: string, before = '') {
  const text = `
    import { readFileSync } from 'node:fs'
    import { register } from 'node:module'
    import vm from 'node:vm'
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
    const bytes = readFileSync('dist/native-rnn.wasm')
    globalThis.given = ${given}
    ${before}
    const { backendInfo, GRU } = await import('native-rnn')
    const { name, reason } = backendInfo()
    const gru = new GRU(2, 3, { seed: 1 })
    const sums = (await gru.forwardAsync([[1, 2]])).hn.data.map((value, i) => value - gru.forward([[1, 2]]).hn.data[i])
    console.log(JSON.stringify({ name, reason, sums: [...sums] }))`
  return printed(text, { NATIVE_RNN_BACKEND: '' }, ['--conditions=edge-light', '--no-warnings'])
}

describe.runIf(availableBackends().includes('wasm'))('the import of the module', () => {
  const computes = { name: 'wasm', reason: 'pages and edge runtimes load no addons', sums: [0, 0, 0] }

  it('may give it compiled, in this realm or in that of the program around, or as bytes', async () => {
    expect(await found('new WebAssembly.Module(bytes)')).toEqual(computes)
    expect(await found(`vm.runInNewContext('new WebAssembly.Module(bytes)', { bytes })`)).toEqual(computes)
    expect(await found('new Uint8Array(bytes)')).toEqual(computes)
  })

  it('may give anything else: TypeScript computes, and says why', async () => {
    const neither = (is: string) =>
      `the import of native-rnn.wasm gave ${is}, neither a WebAssembly.Module nor its bytes`
    const instead = { ...computes, name: 'typescript' }
    expect(await found('{}')).toEqual({ ...instead, reason: neither('a object') })
    expect(await found('null')).toEqual({ ...instead, reason: neither('null') })
    const damaged = expect.stringMatching(/^the bytes that the import of native-rnn\.wasm gave: CompileError/)
    expect(await found('bytes.subarray(0, 1000)')).toEqual({ ...instead, reason: damaged })
  })

  it.each([
    ['a MessageChannel that only throws', 'globalThis.MessageChannel = class { constructor() { throw new Error() } }'],
    ['no MessageChannel', 'delete globalThis.MessageChannel'],
    ['neither it nor timers, as in an audio worklet', 'delete globalThis.MessageChannel; delete globalThis.setTimeout'],
  ])('computes in turns with %s', async (_, before) => {
    expect(await found('new WebAssembly.Module(bytes)', before)).toEqual(computes)
  })
})
