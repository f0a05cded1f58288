// Bundles of the package by esbuild, and other ways into it: require beside import, vm contexts, Electron's folders.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { app, check, program, run, work } from './harness.mjs'

const installed = join(app, 'node_modules', 'native-rnn')
const node = process.execPath

/** Checks a bundle alone, with the module beside it, and with the prebuilds beside it or one folder above; `start` runs it in its folder. */
export async function checkPlaces(name, folder, start) {
  await check(`${name} alone: TypeScript, with the reason and a notice`, () => {
    const { reason, stderr } = start({ backend: 'typescript' })
    if (stderr.split('NATIVE_RNN_ABSENT').length !== 2) throw new Error(`wanted one notice, got ${stderr}`)
    return reason
  })
  await check(`${name}, with native-rnn.wasm`, () => {
    const module = join(folder, 'native-rnn.wasm')
    cpSync(join(installed, 'dist', 'native-rnn.wasm'), module)
    const { backend } = start({ backend: 'wasm' })
    rmSync(module)
    return backend
  })
  for (const place of [join(folder, 'prebuilds'), join(folder, '..', 'prebuilds')]) {
    await check(`${name}, with ${place.startsWith(folder) ? '' : '../'}prebuilds`, () => {
      cpSync(join(installed, 'prebuilds'), place, { recursive: true })
      const { backend } = start()
      rmSync(place, { recursive: true })
      return backend
    })
  }
}

export async function checkBundles(esbuild) {
  const bundle = (source, format) => {
    const folder = join(work, `${source}-${format}`, 'dist')
    const file = join(folder, format === 'esm' ? 'app.mjs' : 'app.cjs')
    const how = ['--bundle', '--platform=node', `--format=${format}`, '--log-level=warning', `--outfile=${file}`]
    const { stderr } = run(esbuild, [source, ...how])
    if (stderr) throw new Error(`esbuild warns: ${stderr}`)
    return { folder, file }
  }
  for (const format of ['cjs', 'esm', 'iife']) {
    const { folder, file } = bundle('bundled.mjs', format)
    await checkPlaces(`esbuild, ${format}`, folder, (options) => program(node, [file], { cwd: folder, ...options }))
  }

  await check('one package by require and by import', () => program(node, ['both.cjs']).backend)
  await check('one package by require and by import, in one bundle', () => {
    const { file } = bundle('both.cjs', 'cjs')
    return program(node, [file], { backend: 'typescript' }).backend
  })
  await check('code in a vm context, with arrays of its own realm', () => program(node, ['realm.cjs']).backend)

  await check('a bundle as the text of a worker: TypeScript, with the reason', () => {
    const { file } = bundle('bundled.mjs', 'cjs')
    const text = `new (require('node:worker_threads').Worker)(require('node:fs').readFileSync('${file}', 'utf8'), { eval: true })`
    const { reason } = program(node, ['-e', text], { backend: 'typescript' })
    if (!/lies in no file/.test(reason)) throw new Error(reason)
    return reason
  })

  await check('a damaged prebuild beside a bundle: the reason names it', () => {
    const { folder, file } = bundle('bundled.mjs', 'cjs')
    const damaged = join(folder, 'prebuilds', `${process.platform}-${process.arch}.node`)
    mkdirSync(join(folder, 'prebuilds'))
    writeFileSync(damaged, 'not a library')
    const { reason } = program(node, [file], { backend: 'typescript' })
    if (!reason.includes(damaged)) throw new Error(reason)
    return reason
  })

  await check('an addon that Electron unpacks beside its asar', () => {
    const inside = join(work, 'electron', 'app.asar')
    cpSync(app, inside, { recursive: true })
    const prebuilds = join('node_modules', 'native-rnn', 'prebuilds')
    cpSync(join(inside, prebuilds), join(work, 'electron', 'app.asar.unpacked', prebuilds), { recursive: true })
    rmSync(join(inside, prebuilds), { recursive: true })
    return program(node, ['esm.mjs'], { cwd: inside }).backend
  })
}
