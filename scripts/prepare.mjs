// Builds a checkout: types and JavaScript first, then the WebAssembly module and the addon. Without clang there is no module, which is
// one line and no failure; without a compiler or CMake the checkout works on what is left, which is one line too, and fails under CI.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildWasm, missingForWasm } from './build-wasm.mjs'
import { bundle } from './bundle.mjs'
import { finishDeclarations } from './declarations.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)

/** Whether one of the programs is on PATH. */
function has(...names) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : ['']
  return (process.env.PATH ?? '').split(delimiter).some((folder) =>
    names.some((name) =>
      endings.some((ending) => {
        try {
          accessSync(join(folder, name + ending), constants.X_OK)
          return true
        } catch {
          return false
        }
      }),
    ),
  )
}

/** The file that a package's `bin` names, so that nothing depends on shells or PATH. */
function bin(pkg, name) {
  const manifest = require.resolve(`${pkg}/package.json`)
  const { bin } = require(manifest)
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[name])
}

/** Runs a program of node_modules quietly; what it printed comes back, for the case that it failed. */
function run(args) {
  const result = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
  return { ok: result.status === 0, log: `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}` }
}

/** The same, beside others. */
function runBeside(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    child.stdout.on('data', (text) => (log += text))
    child.stderr.on('data', (text) => (log += text))
    child.on('error', (error) => resolve({ ok: false, log: `${log}${error}` }))
    child.on('close', (code) => resolve({ ok: code === 0, log }))
  })
}

function fail(what, log) {
  const file = join(root, 'build', 'prepare.log')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, log)
  console.error(log.trimEnd().split('\n').slice(-40).join('\n'))
  console.error(`native-rnn: ${what} failed; the whole log is in ${relative(root, file)}`)
  process.exit(1)
}

const types = run([bin('typescript', 'tsc'), '-p', 'tsconfig.json'])
if (!types.ok) fail('compiling the TypeScript', types.log)

const dist = join(root, 'dist')
finishDeclarations(dist)
copyFileSync(join(root, 'lib', 'index.cjs'), join(dist, 'index.cjs'))

// Few files instead of fifty: Node spends 0.4 ms on each module that it loads.
try {
  await bundle(root)
} catch (error) {
  fail('bundling the JavaScript', String(error))
}

// Both side by side: each has a file that takes a minute while other processors wait.
const builds = []
if (!process.argv.includes('--no-native')) {
  const lacks = missingForWasm()
  if (lacks) console.log(`native-rnn: no WebAssembly module, for want of ${lacks}`)
  else
    builds.push(
      buildWasm().then(
        () => undefined,
        (error) => ['the WebAssembly build', String(error)],
      ),
    )
}

// Visual Studio is found by CMake and node-gyp themselves, it is not on PATH.
const compiler = process.platform === 'win32' || has('c++', 'g++', 'clang++')
const make = process.platform === 'win32' || has('make', 'ninja')
const missing = [compiler ? [] : 'a C++ compiler', has('cmake') ? [] : 'cmake', make ? [] : 'make or ninja'].flat()

if (process.argv.includes('--no-native')) {
  // Only the JavaScript was asked for.
} else if (missing.length > 0) {
  const hint = missing.join() === 'cmake' ? ' (`npm run build:gyp` builds without cmake)' : ''
  const line = `native-rnn: no native build, for want of ${missing.join(' and ')}: the TypeScript backend will run${hint}`
  if (process.env.CI) fail('the native build', line)
  console.log(line)
} else {
  const build = runBeside([bin('cmake-js', 'cmake-js'), 'build', '--parallel', String(availableParallelism())])
  const addon = join(root, 'build', 'Release', 'native-rnn.node')
  builds.push(build.then(({ ok, log }) => (ok && existsSync(addon) ? undefined : ['the native build', log])))
}
const failed = (await Promise.all(builds)).find((what) => what)
if (failed) fail(...failed)
