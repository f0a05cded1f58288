// webpack's, Rollup's and Vite's server builds, with the package in the bundle and beside it.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkPlaces } from '../bundles.mjs'
import { check, program, run } from '../harness.mjs'

const node = process.execPath

const webpack = `
import webpack from 'webpack'
const bundle = (format) => ({
  mode: 'production', target: 'node20', entry: './bundled.mjs',
  output: { path: process.cwd() + '/webpack-' + format + '/dist', filename: format === 'esm' ? 'app.mjs' : 'app.cjs',
    ...(format === 'esm' ? { library: { type: 'module' }, chunkFormat: 'module' } : {}) },
  experiments: { outputModule: format === 'esm' },
})
webpack([bundle('cjs'), bundle('esm')], (error, stats) => {
  if (error) throw error
  const said = stats.toString({ all: false, errors: true, warnings: true })
  if (said.trim()) throw new Error(said)
})`

const vite = `
import { build } from 'vite'
for (const format of ['cjs', 'esm']) {
  for (const [name, noExternal] of [['in', true], ['beside', undefined]]) {
    await build({
      logLevel: 'warn', ssr: { noExternal, target: 'node' },
      build: { ssr: './bundled.mjs', outDir: 'vite-' + format + '-' + name + '/dist',
        rollupOptions: { output: { format, entryFileNames: format === 'esm' ? 'app.mjs' : 'app.cjs' } } },
    })
  }
}`

const rollup = `
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
const bundle = await rollup({ input: 'bundled.mjs', external: /^node:/, plugins: [nodeResolve()], onwarn(warning) { throw new Error(warning.message) } })
for (const format of ['cjs', 'esm'])
  await bundle.write({ format, inlineDynamicImports: true, file: 'rollup-' + format + '/dist/' + (format === 'esm' ? 'app.mjs' : 'app.cjs') })`

export async function test(project) {
  const folder = project('bundlers', ['webpack@5', 'vite@8', 'rollup@4', '@rollup/plugin-node-resolve@16'])
  const build = (name, script) =>
    check(name, () => {
      writeFileSync(join(folder, 'build.mjs'), script)
      run(node, ['build.mjs'], { cwd: folder })
    })
  await build('webpack 5 builds without a warning', webpack)
  await build('Vite 8 builds for the server', vite)
  await build('Rollup 4 builds without a warning', rollup)
  const runIn = (bundle, format) => (options) =>
    program(node, [format === 'esm' ? 'app.mjs' : 'app.cjs'], { cwd: join(folder, bundle, 'dist'), ...options })
  for (const format of ['cjs', 'esm'])
    await check(`Vite 8, ${format}, the package beside`, () => runIn(`vite-${format}-beside`, format)().backend)
  await check('webpack 5, where it was built: the addon of node_modules', () => runIn('webpack-cjs', 'cjs')().backend)
  // webpack writes the path of the package's file into the bundle: elsewhere there is none.
  renameSync(join(folder, 'node_modules'), join(folder, 'gone'))
  for (const format of ['cjs', 'esm']) {
    for (const [name, bundle] of [
      ['webpack 5', `webpack-${format}`],
      ['Rollup 4', `rollup-${format}`],
      ['Vite 8', `vite-${format}-in`],
    ])
      await checkPlaces(`${name}, ${format}`, join(folder, bundle, 'dist'), runIn(bundle, format))
  }
}
