/** How the addon is found, and what is said where it cannot be used. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { availableBackends } from 'native-rnn'
import { afterAll, describe, expect, it } from 'vitest'
import { nativeBackends } from '../support/backends.ts'
import { printed } from '../support/child.ts'

const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What computes where the addon cannot. */
const others = availableBackends().filter((name) => name === 'wasm' || name === 'typescript')

const built = join(import.meta.dirname, '..', '..', 'build', 'Release', 'native-rnn.node')

describe('finding the addon', () => {
  const info = `
    import { availableBackends, backendInfo } from 'native-rnn'
    console.log(JSON.stringify({ ...backendInfo(), all: availableBackends() }))`

  it('says why a file of NATIVE_RNN_PATH cannot be used, and computes without it', async () => {
    const damaged = join(folder, 'damaged.node')
    writeFileSync(damaged, 'not a library')
    const missing = join(folder, 'missing.node')
    const env = { NATIVE_RNN_BACKEND: '' }
    expect(await printed(info, { ...env, NATIVE_RNN_PATH: missing })).toMatchObject({
      name: others[0],
      reason: `${missing}: there is no such file`,
      all: others,
    })
    expect(await printed(info, { ...env, NATIVE_RNN_PATH: damaged })).toMatchObject({
      name: others[0],
      reason: expect.stringContaining(`${damaged}: `),
    })
  })

  it('does not load it into a runtime whose Node-API is too old', async () => {
    const text = `Object.defineProperty(process.versions, 'napi', { value: '8' })
      const { backendInfo } = await import('native-rnn')
      console.log(JSON.stringify(backendInfo()))`
    expect(await printed(text, { NATIVE_RNN_BACKEND: '' })).toMatchObject({
      name: others[0],
      reason: 'it needs Node-API 9, this runtime has 8',
    })
  })

  it.runIf(nativeBackends.length > 0)('takes the file that NATIVE_RNN_PATH names', async () => {
    const copy = join(folder, 'copy.node')
    copyFileSync(process.env.NATIVE_RNN_PATH || built, copy)
    for (const path of [copy, relative(join(import.meta.dirname, '..', '..'), copy)]) {
      expect(await printed(info, { NATIVE_RNN_BACKEND: '', NATIVE_RNN_PATH: path })).toMatchObject({
        all: availableBackends(),
      })
    }
  })

  it.runIf(process.platform === 'linux' && nativeBackends.length > 0)(
    'puts WebAssembly before a prebuilt addon that nobody has seen run, unless it is asked for',
    async () => {
      const root = join(folder, 'unwatched')
      cpSync(join(import.meta.dirname, '..', '..', 'dist'), join(root, 'dist'), { recursive: true })
      writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
      mkdirSync(join(root, 'prebuilds'))
      // This machine's own: only its name is another's.
      for (const name of ['darwin-x64', 'linux-x64', 'linux-arm64'])
        copyFileSync(process.env.NATIVE_RNN_PATH || built, join(root, 'prebuilds', `${name}.node`))
      const found = (platform: string, backend = '') => {
        const text = `
          Object.defineProperty(process, 'platform', { value: '${platform}' })
          ${platform === 'darwin' ? "Object.defineProperty(process, 'arch', { value: 'x64' })" : ''}
          const { availableBackends, backendInfo, GRU } = await import(${JSON.stringify(join(root, 'dist', 'index.js'))})
          const { name, reason } = backendInfo()
          console.log(JSON.stringify({ all: availableBackends(), name, reason, layer: new GRU(1, 1).backend }))`
        return printed(text, { NATIVE_RNN_BACKEND: backend, NATIVE_RNN_PATH: '' })
      }
      const natives = availableBackends().filter((name) => name !== 'wasm' && name !== 'typescript')
      const [best] = natives
      const own = { all: [...natives, ...others], name: best, layer: best }
      expect(await found('linux')).toEqual(own)
      const why = 'prebuilds/darwin-x64.node was never seen to pass its tests'
      const hasWasm = others[0] === 'wasm'
      const all = hasWasm ? ['wasm', ...natives, 'typescript'] : own.all
      expect(await found('darwin')).toEqual(hasWasm ? { all, name: 'wasm', layer: 'wasm', reason: why } : own)
      expect(await found('darwin', best)).toEqual({ ...own, all })
    },
  )

  // Bun evaluates a file once, whatever is asked of it.
  it.skipIf(process.versions.bun)(
    'serves a module that is evaluated again, as test runners and reloading servers do',
    async () => {
      const text = `
      const url = import.meta.resolve('native-rnn')
      const copies = [await import(url), await import(url + '?again')]
      const found = []
      for (const { GRU } of [...copies, ...copies]) {
        const gru = new GRU(2, 3, { seed: 1 })
        const step = gru.batcher().open().step(Float32Array.of(1, 2))
        const { hn } = await gru.forwardAsync([[1, 2]])
        found.push(...[hn.data, gru.forward([[1, 2]]).hn.data, await step].map((values) => values.join()))
      }
      console.log(JSON.stringify({ differs: copies[0].GRU !== copies[1].GRU, results: new Set(found).size }))`
      expect(await printed(text)).toEqual({ differs: true, results: 1 })
    },
  )
})
