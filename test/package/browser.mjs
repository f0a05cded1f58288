// The installed package in a page and in workerd, bundled by esbuild and without a bundler.
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, check, program, run, work } from './harness.mjs'
import { closeBrowsers, hasChromium, inPage, inWorkerd } from './web.mjs'

const dist = join(app, 'node_modules', 'native-rnn', 'dist')

/** Bundles a program for a kind of runtime; the module of the package stays a file of its own. */
function bundle(tools, source, folder, ...options) {
  mkdirSync(folder, { recursive: true })
  const how = ['--bundle', '--format=esm', '--log-level=warning', `--outfile=${join(folder, 'app.js')}`, ...options]
  const { stderr } = run(join(tools, 'node_modules', '.bin', 'esbuild'), [source, ...how])
  if (stderr) throw new Error(`esbuild warns: ${stderr}`)
}

export async function checkBrowser(tools) {
  await check('WebAssembly on Node', () => {
    return program(process.execPath, ['esm.mjs'], { backend: 'wasm', extra: { NATIVE_RNN_BACKEND: 'wasm' } }).backend
  })
  const folder = join(work, 'page')
  if (hasChromium) {
    await check(
      'esbuild for pages, in chromium, without the module beside: TypeScript, with the reason and a notice',
      async () => {
        bundle(tools, 'page.mjs', folder, '--platform=browser')
        return (await inPage(tools, folder, 'typescript')).warnings[0]
      },
    )
    await check('esbuild for pages, in chromium, with native-rnn.wasm beside', async () => {
      cpSync(join(dist, 'native-rnn.wasm'), join(folder, 'native-rnn.wasm'))
      return (await inPage(tools, folder)).backend
    })
    await closeBrowsers()
  } else console.log('no chromium here: pages were not run')
  await check('esbuild for workerd, in workerd', async () => {
    const edge = join(work, 'workerd')
    bundle(tools, 'edge.mjs', edge, '--conditions=workerd', '--external:*.wasm')
    cpSync(join(dist, 'native-rnn.wasm'), join(edge, 'native-rnn.wasm'))
    return (await inWorkerd(tools, edge, ['app.js', 'native-rnn.wasm'])).backend
  })
}
