// Bun's installer, bundler, executables and test runner.
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runtime } from '../../../scripts/runtime.mjs'
import { checkPlaces } from '../bundles.mjs'
import { check, here, program, run, work } from '../harness.mjs'

export async function test(_project, file) {
  const bun = runtime('@oven/bun-linux-x64@1')
  const folder = join(work, 'bun')
  mkdirSync(folder)
  cpSync(join(here, 'programs'), folder, { recursive: true })
  cpSync(join(here, 'loaders', 'programs', 'jest', 'require.test.cjs'), join(folder, 'require.test.cjs'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const { stdout } = run(bun, ['--version'])
  await check(`bun ${stdout.trim()} add, of the tarball`, () => {
    run(bun, ['add', file], { cwd: folder })
    return program(bun, ['run', 'esm.mjs'], { cwd: folder }).backend
  })
  await check('bun test', () => {
    const { stderr } = run(bun, ['test', './require.test.cjs'], { cwd: folder })
    return /\d+ pass/.exec(stderr)?.[0]
  })
  const builds = [
    ['for bun', [bun, 'run'], 'app.mjs', ['--target=bun']],
    ['for node', [process.execPath], 'app.mjs', ['--target=node']],
    ['for node, cjs', [process.execPath], 'app.cjs', ['--target=node', '--format=cjs']],
    ['--compile', [], 'app', ['--compile']],
  ].map(([name, [...command], file, options]) => {
    const place = join(folder, name.replace(/\W+/g, '-'), 'dist')
    const made = join(place, file)
    const [first, ...args] = [...command, made]
    const start = (how) => program(first, args, { cwd: place, ...how })
    return { name: `bun build ${name}`, place, start, build: ['build', 'bundled.mjs', ...options, `--outfile=${made}`] }
  })
  for (const { name, build } of builds)
    await check(name, () => {
      run(bun, build, { cwd: folder })
    })
  // For `cjs` the path of the package's file is written into the bundle: its addon is found, and elsewhere nothing beside the bundle.
  const [forBun, forNode, forNodeCjs, executable] = builds
  await check(`${forNodeCjs.name}, where it was built`, () => forNodeCjs.start().backend)
  renameSync(join(folder, 'node_modules'), join(folder, 'gone'))
  for (const { name, place, start } of [forBun, forNode, executable]) await checkPlaces(name, place, start)
  await check(`${forNodeCjs.name}, elsewhere: TypeScript, with the reason`, () => {
    return forNodeCjs.start({ backend: 'typescript' }).reason
  })
  await check(`${forNodeCjs.name}, elsewhere, with NATIVE_RNN_PATH`, () => {
    const addon = `gone/native-rnn/prebuilds/${process.platform}-${process.arch}.node`
    return forNodeCjs.start({ extra: { NATIVE_RNN_PATH: join(folder, addon) } }).backend
  })
}
