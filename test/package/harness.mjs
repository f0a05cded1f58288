// What the tests of the installed package share: a folder of their own, checks that are counted, programs whose results are compared.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const here = dirname(fileURLToPath(import.meta.url))
export const root = join(here, '..', '..')
export const work = mkdtempSync(join(tmpdir(), 'native-rnn-package-'))
/** The user's project, with the programs in it. */
export const app = join(work, 'app')
mkdirSync(app)
cpSync(join(here, 'programs'), app, { recursive: true })
writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }))

// Nothing of the checkout may leak into the programs.
export const env = { ...process.env }
for (const name of Object.keys(env)) if (/^(NATIVE_RNN_|npm_|NODE_)/i.test(name)) delete env[name]

let passed = 0
const failed = []
export async function check(name, body) {
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

/** Ends the process; `RNN_KEEP` keeps the folder. */
export function finish(what) {
  if (process.env.RNN_KEEP) console.log(`kept: ${work}`)
  else rmSync(work, { recursive: true, force: true })
  console.log(`${what}: ${passed} passed, ${failed.length} failed`)
  process.exit(failed.length === 0 ? 0 : 1)
}

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: app, env, encoding: 'utf8', ...options })
  if (result.status !== 0) {
    const how = result.error?.message ?? result.signal ?? `exit ${result.status}`
    throw Object.assign(new Error(`${command} ${args.join(' ')}: ${how}`), result)
  }
  return result
}
export const npm = (args, options) => run('npm', [...args, '--no-audit', '--no-fund'], options)

/** The bits of all that fuse multiply and add, and those of WebAssembly, which cannot. */
const expected = new Map()
/** Holds what a program found against what the first one found. `backend`: 'native', 'wasm' or 'typescript'. */
export function compare(found, backend = 'native') {
  const kind = /^(wasm|typescript)$/.test(found.backend) ? found.backend : 'native'
  if (kind !== backend) throw new Error(`${backend} was wanted, ${found.backend} ran: ${found.reason}`)
  if (kind !== 'native' && !found.reason) throw new Error(`${found.backend} ran, and no reason was said`)
  if (found.layer !== found.backend) throw new Error(`backendInfo() says ${found.backend}, the layer ${found.layer}`)
  // Bits are promised where multiply-adds are fused, which the portable kernels of x86 are not.
  if (kind !== 'typescript' && found.backend !== 'portable') {
    const first = expected.get(kind) ?? found.bits
    expected.set(kind, first)
    if (found.bits !== first) throw new Error(`other bits than on the first runtime: ${found.bits} and ${first}`)
  }
  return found
}

/** Runs a program and holds its one line of JSON against the first program's. */
export function program(command, args, { backend = 'native', extra = {}, cwd = app } = {}) {
  const { stdout, stderr } = run(command, args, { cwd, env: { ...env, ...extra } })
  return { ...compare(JSON.parse(stdout.trim().split('\n').at(-1)), backend), stderr }
}

/** Packs the checkout; dist/ and prebuilds/ are made first where they are missing. Gives what npm says of the tarball, and its file. */
export function pack() {
  if (!existsSync(join(root, 'dist', 'index.js')))
    execFileSync('npm', ['run', 'build:ts'], { cwd: root, stdio: 'inherit' })
  if (!existsSync(join(root, 'dist', 'native-rnn.wasm')))
    execFileSync('npm', ['run', 'build:wasm'], { cwd: root, stdio: 'inherit' })
  if (!existsSync(join(root, 'prebuilds'))) execFileSync('npm', ['run', 'prebuild'], { cwd: root, stdio: 'inherit' })
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', work]
  const packed = JSON.parse(
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )
  const tarball = Array.isArray(packed) ? packed[0] : Object.values(packed)[0]
  return { ...tarball, file: join(work, tarball.filename) }
}
