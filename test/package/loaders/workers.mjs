// What pages start, in chromium and Firefox: workers, shared workers, service workers and audio worklets; the module fetched, or in the bundle.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, program, run } from '../harness.mjs'
import { closeBrowsers, hasFirefox, openPage, serve } from '../web.mjs'

const node = process.execPath

// By itself `browser` awaits its module; `workerd` imports it, and a tool may put it into the bundle.
const esbuild = `
import { build } from 'esbuild'
const common = { bundle: true, logLevel: 'warning', entryPoints: ['inside.mjs', 'asked.mjs'] }
await build({ ...common, format: 'esm', outdir: 'fetched' })
await build({ ...common, format: 'iife', target: 'es2022', outdir: 'carried', conditions: ['workerd'], loader: { '.wasm': 'binary' } })`

const names = {
  worker: 'a worker',
  shared: 'a shared worker',
  service: 'a service worker',
  worklet: 'an audio worklet',
}

export async function test(project) {
  const folder = project('workers', ['esbuild@0.28', 'playwright-core@1', 'puppeteer-core@25'], 'inside')
  const module = join(folder, 'node_modules', 'native-rnn', 'dist', 'native-rnn.wasm')
  await check('WebAssembly on Node', () => {
    return program(node, ['esm.mjs'], { backend: 'wasm', extra: { NATIVE_RNN_BACKEND: 'wasm' } }).backend
  })
  await check('esbuild builds without a warning', () => {
    writeFileSync(join(folder, 'build.mjs'), esbuild)
    const { stderr } = run(node, ['build.mjs'], { cwd: folder })
    if (stderr) throw new Error(stderr)
    cpSync(module, join(folder, 'fetched', 'native-rnn.wasm'))
    for (const way of ['fetched', 'carried']) {
      cpSync(join(folder, 'starts.mjs'), join(folder, way, 'starts.mjs'))
      const page = '<link rel="icon" href="data:,"><script type="module" src="starts.mjs"></script>'
      writeFileSync(join(folder, way, 'index.html'), page)
    }
  })
  for (const browser of hasFirefox ? ['chromium', 'firefox'] : ['chromium']) {
    const started = async (way, type, where, backend) => {
      const { url, close } = await serve(join(folder, way))
      try {
        return await openPage(folder, `${url}?${where}&type=${type}`, backend, browser)
      } finally {
        close()
      }
    }
    await check(`a worker of modules that fetches the module, in ${browser}`, async () => {
      return (await started('fetched', 'module', 'worker')).backend
    })
    await check(`a worker of modules that is asked before it has fetched the module, in ${browser}`, async () => {
      return (await started('fetched', 'module', 'asked')).backend
    })
    await check(
      `an audio worklet, where nothing can be fetched, in ${browser}: TypeScript, with the reason`,
      async () => {
        return (await started('fetched', 'module', 'worklet', 'typescript')).reason
      },
    )
    for (const where of ['worker', 'shared', 'service', 'worklet'])
      await check(`${names[where]} that carries the module, in ${browser}`, async () => {
        return (await started('carried', 'classic', where)).backend
      })
  }
  await closeBrowsers()
}
