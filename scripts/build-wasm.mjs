// The WebAssembly module: `npm run build:wasm` makes dist/native-rnn.wasm of the core and native/wasm. Files, flags: native/sources.json.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const native = join(root, 'native')
const objects = join(root, 'build', 'wasm')
const output = join(root, 'dist', 'native-rnn.wasm')

/** What an attempt to compile a file of nothing but includes misses; undefined where nothing does. */
export function missingForWasm() {
  const works = (command, args, input) => spawnSync(command, args, { input, encoding: 'utf8' }).status === 0
  if (!works('clang++', ['--version'])) return 'clang++'
  const target = ['--target=wasm32-wasi', '-fno-exceptions', '-x', 'c++']
  if (!works('clang++', [...target, '-fsyntax-only', '-'], '#include <vector>\n#include <cstdlib>\n'))
    return 'a sysroot for wasm32 (Debian: wasi-libc, libc++-dev-wasm32)'
  if (!works('wasm-ld', ['--version'])) return 'wasm-ld (Debian: lld)'
  const linked = ['-mexec-model=reactor', '-o', process.platform === 'win32' ? 'NUL' : '/dev/null']
  if (!works('clang++', [...target, '-', ...linked], 'int x;')) return 'libclang-rt for wasm32'
}

/** Compiles what has changed, two files at a time, the longest first; throws with what a compiler said. */
export async function buildWasm() {
  const lists = JSON.parse(readFileSync(join(native, 'sources.json'), 'utf8')).variables
  const launcher = spawnSync('ccache', ['--version']).status === 0 ? ['ccache'] : []
  const jobs = [
    ...lists.wasm128_sources.map((file) => ({ file, flags: lists.wasm128_flags })),
    ...[...lists.wasm_sources, ...lists.core_sources].map((file) => ({ file, flags: lists.wasm_core_flags })),
  ].map(({ file, flags }) => ({ file, flags, object: join(objects, `${file.replaceAll('/', '-')}.o`) }))
  mkdirSync(objects, { recursive: true })
  mkdirSync(dirname(output), { recursive: true })
  const waiting = [...jobs]
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const args = [...lists.wasm_flags, ...job.flags, '-c', join('native', job.file), '-o', relative(root, job.object)]
      await run([...launcher, 'clang++', ...args])
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker))
  const link = lists.wasm_link_flags.map((flag) => `-Wl,${flag}`)
  await run([
    'clang++',
    ...lists.wasm_flags,
    '-mexec-model=reactor',
    ...link,
    ...jobs.map(({ object }) => object),
    '-o',
    output,
  ])
}

function run([command, ...args]) {
  return new Promise((resolve, reject) => {
    // Paths within the checkout, so that a compiler cache knows a file in another one too.
    const child = spawn(command, args, {
      cwd: root,
      env: { CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1', ...process.env },
    })
    let log = ''
    child.stdout.on('data', (text) => (log += text))
    child.stderr.on('data', (text) => (log += text))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')}\n${log}`))))
  })
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const missing = missingForWasm()
  if (missing) {
    console.error(`native-rnn: the WebAssembly module cannot be built here, for want of ${missing}`)
    process.exit(1)
  }
  await buildWasm()
  const packed = gzipSync(readFileSync(output), { level: 9 }).length
  console.log(`${relative(root, output)}: ${statSync(output).size} bytes, ${packed} packed`)
}
