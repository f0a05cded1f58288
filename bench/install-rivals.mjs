/** `npm run bench:rivals`: installs the rivals, npm's into bench/, Debian's through apt where that can be used. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const debian = ['python3-torch', 'libopenblas0-pthread', 'libdnnl-dev', 'g++']

const run = (command, args, options = {}) =>
  spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32', ...options }).status === 0

// Without this onnxruntime-node fetches some 300 MB for GPUs.
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
console.log('npm: onnxruntime-node, @tensorflow/tfjs and the chart library, into bench/node_modules')
const npm = run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, env })

const installed = debian.filter((name) => spawnSync('dpkg', ['-s', name]).status === 0)
const missing = debian.filter((name) => !installed.includes(name))
let apt = missing.length === 0
if (!apt && process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
  console.log(`apt-get: ${missing.join(', ')}`)
  apt = run('apt-get', ['update', '-qq']) && run('apt-get', ['install', '-y', '-qq', ...missing])
}
if (!apt) console.log(`PyTorch and oneDNN come from Debian, as root: apt-get install ${missing.join(' ')}`)
console.log('The bench says which rivals it found: npm run bench -- --quick')
process.exitCode = npm ? 0 : 1
