// Makes prebuilds/<platform>-<arch>.node for this machine and, on linux-x64 with Debian's cross compiler, for linux-arm64; those of Linux are
// for glibc and musl, and are built on glibc (any-libc.mjs). Then holds each against what a prebuild promises (check-addon.mjs).
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { forAnyLibc } from './any-libc.mjs'
import { checkAddon } from './check-addon.mjs'

const { platform, arch } = process
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const cmakeJs = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js')

/** Builds into `out` and returns the addon's path. */
function build(out, args) {
  const all = [cmakeJs, 'build', '--out', out, '--parallel', String(availableParallelism()), ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: root, encoding: 'utf8' })
  if (status !== 0) {
    console.error(`${stdout}${stderr}`)
    throw new Error(`native-rnn: the build in ${out} failed`)
  }
  return join(root, out, 'Release', 'native-rnn.node')
}

function keep(addon, name) {
  const target = join(root, 'prebuilds', `${name}.node`)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(addon, target)
  if (platform === 'linux') forAnyLibc(target)
  for (const line of checkAddon(target, { anyLibc: true })) console.log(`prebuilds/${name}.node: ${line}`)
}

keep(build('build', []), `${platform}-${arch}`)

const cross = !process.argv.includes('--host-only') && platform === 'linux' && arch === 'x64'
if (cross && spawnSync('aarch64-linux-gnu-g++', ['--version']).status === 0) {
  const args = ['--arch', 'arm64', '--CDCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux.cmake']
  keep(build('build-arm64', args), 'linux-arm64')
}
