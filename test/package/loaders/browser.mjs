// Builds for pages and edge runtimes by Vite, webpack, Rollup and esbuild, run in chromium, in Firefox where there is one, and in workerd.
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, env, program, run } from '../harness.mjs'
import { closeBrowsers, hasFirefox, inPage, inWorkerd, openPage } from '../web.mjs'

const node = process.execPath

const vite = `
import { build } from 'vite'
await build({ logLevel: 'warn', build: { outDir: 'vite' } })`

const webpack = `
import webpack from 'webpack'
const common = { mode: 'production', performance: false, experiments: { outputModule: true } }
webpack([
  { ...common, target: 'web', entry: './page.mjs', output: { path: process.cwd() + '/webpack', filename: 'app.js', module: true } },
  { ...common, target: 'webworker', entry: './edge.mjs', resolve: { conditionNames: ['workerd', 'import'] }, externalsType: 'module',
    externals: [({ request }, tell) => (/\\.wasm$/.test(request) ? tell(null, request) : tell())],
    output: { path: process.cwd() + '/webpack-workerd', filename: 'app.js', library: { type: 'module' }, chunkFormat: 'module' } },
], (error, stats) => {
  if (error) throw error
  const said = stats.toString({ all: false, errors: true, warnings: true })
  if (said.trim()) throw new Error(said)
})`

const rollup = `
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
const onwarn = (warning) => { throw new Error(warning.message) }
const page = await rollup({ input: 'page.mjs', plugins: [nodeResolve({ browser: true })], onwarn })
await page.write({ format: 'esm', file: 'rollup/app.js' })
const edge = await rollup({ input: 'edge.mjs', external: /\\.wasm$/, plugins: [nodeResolve({ exportConditions: ['workerd'] })], onwarn })
await edge.write({ format: 'esm', file: 'rollup-workerd/app.js', paths: (id) => (/\\.wasm$/.test(id) ? './native-rnn.wasm' : id) })`

const esbuild = `
import { build } from 'esbuild'
const common = { bundle: true, format: 'esm', logLevel: 'warning' }
await build({ ...common, entryPoints: ['page.mjs'], outfile: 'esbuild/app.js' })
await build({ ...common, entryPoints: ['edge.mjs'], outfile: 'esbuild-workerd/app.js', conditions: ['workerd'], external: ['*.wasm'] })`

export async function test(project) {
  const tools = [
    'vite@8',
    'webpack@5',
    'rollup@4',
    '@rollup/plugin-node-resolve@16',
    'esbuild@0.28',
    'playwright-core@1',
    'puppeteer-core@25',
    'workerd@1',
  ]
  const folder = project('browser', tools)
  const module = join(folder, 'node_modules', 'native-rnn', 'dist', 'native-rnn.wasm')
  writeFileSync(
    join(folder, 'index.html'),
    '<link rel="icon" href="data:,"><script type="module" src="page.mjs"></script>',
  )
  await check('WebAssembly on Node', () => {
    return program(node, ['esm.mjs'], { backend: 'wasm', extra: { NATIVE_RNN_BACKEND: 'wasm' } }).backend
  })
  const build = (name, script) =>
    check(`${name} builds without a warning`, () => {
      writeFileSync(join(folder, 'build.mjs'), script)
      const { stderr } = run(node, ['build.mjs'], { cwd: folder })
      if (/warn/i.test(stderr)) throw new Error(stderr)
    })
  await build('Vite 8', vite)
  await build('webpack 5', webpack)
  await build('Rollup 4', rollup)
  await build('esbuild', esbuild)

  const browsers = hasFirefox ? ['chromium', 'firefox'] : ['chromium']
  for (const browser of browsers)
    for (const name of ['vite', 'webpack'])
      await check(
        `${name}, in ${browser}: the module is found`,
        async () => (await inPage(folder, join(folder, name), 'wasm', browser)).backend,
      )
  for (const name of ['rollup', 'esbuild']) {
    for (const browser of browsers)
      await check(
        `${name}, in ${browser}, the module not copied: TypeScript, with the reason and a notice`,
        async () => {
          return (await inPage(folder, join(folder, name), 'typescript', browser)).reason
        },
      )
    cpSync(module, join(folder, name, 'native-rnn.wasm'))
    for (const browser of browsers)
      await check(
        `${name}, in ${browser}, the module copied beside`,
        async () => (await inPage(folder, join(folder, name), 'wasm', browser)).backend,
      )
  }
  for (const name of ['webpack', 'rollup', 'esbuild']) {
    await check(`${name}, in workerd`, async () => {
      cpSync(module, join(folder, `${name}-workerd`, 'native-rnn.wasm'))
      return (await inWorkerd(folder, join(folder, `${name}-workerd`), ['app.js', 'native-rnn.wasm'])).backend
    })
  }
  await check("Vite 8, the developer's server, as it is", () => viteServes(folder, ''))
  await check("Vite 8, the developer's server, the package not bundled before", () =>
    viteServes(folder, `optimizeDeps: { exclude: ['native-rnn'] }`),
  )
  const plain = join(folder, 'plain')
  mkdirSync(plain)
  cpSync(join(folder, 'node_modules', 'native-rnn', 'dist'), join(plain, 'native-rnn'), { recursive: true })
  for (const name of readdirSync(folder))
    if (/^(page|results)\.mjs$/.test(name)) cpSync(join(folder, name), join(plain, name))
  const map = '<script type="importmap">{ "imports": { "native-rnn": "/native-rnn/browser.js" } }</script>'
  writeFileSync(
    join(plain, 'index.html'),
    `${map}<link rel="icon" href="data:,"><script type="module" src="page.mjs"></script>`,
  )
  for (const browser of browsers)
    await check(
      `without a bundler, by an import map, in ${browser}`,
      async () => (await inPage(folder, plain, 'wasm', browser)).backend,
    )
  await closeBrowsers()
}

/** Starts Vite's server in the project, and opens its page. */
async function viteServes(folder, options) {
  writeFileSync(
    join(folder, 'vite.config.mjs'),
    `export default { server: { host: '127.0.0.1' }, logLevel: 'info', ${options} }`,
  )
  const bin = join(folder, 'node_modules', 'vite', 'bin', 'vite.js')
  if (!existsSync(bin)) throw new Error('no vite')
  const server = spawn(node, [bin, '--port', '0', '--force'], {
    cwd: folder,
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = await new Promise((resolve, reject) => {
      let said = ''
      server.stdout.on('data', (text) => {
        said += text
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)
        if (found) resolve(found[0])
      })
      server.on('exit', () => reject(new Error(said)))
    })
    return (await openPage(folder, url)).backend
  } finally {
    server.kill()
  }
}
