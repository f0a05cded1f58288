/** What a program waits for before its first number: import, a 128-unit LSTM, one result; over a bare Node. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './limits.mjs'

const programs = {
  bare: 'globalThis.started = 1\n',
  'native-rnn': `import { LSTM } from 'native-rnn'
new LSTM(128, 128).forward({ data: new Float32Array(128), shape: [1, 128] })
`,
  onnxruntime: `import 'onnxruntime-node'\n`,
}
const packages = { 'native-rnn': '..', 'onnxruntime-node': 'node_modules/onnxruntime-node' }

/** A project of its own that has the packages installed, and the programs as files: that is how users start them. */
function project() {
  const folder = mkdtempSync(join(tmpdir(), 'native-rnn-start-'))
  mkdirSync(join(folder, 'node_modules'))
  for (const [name, place] of Object.entries(packages))
    symlinkSync(fileURLToPath(new URL(place, import.meta.url)), join(folder, 'node_modules', name), 'junction')
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(folder, `${name}.mjs`), text)
  return folder
}

/** Medians in ms of whole processes, alternating; `over` is what each takes beyond a bare Node. */
export function startup(rounds, rivals) {
  const names = Object.keys(programs).filter((name) => name !== 'onnxruntime' || rivals.includes(name))
  const cwd = project()
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  try {
    for (let r = 0; r <= rounds; r++) {
      for (const name of r % 2 ? names : [...names].reverse()) {
        const start = performance.now()
        const done = spawnSync(process.execPath, [`${name}.mjs`], { cwd, encoding: 'utf8' })
        const ms = performance.now() - start
        if (done.status !== 0) throw new Error(`the start of ${name} failed: ${done.stderr}`)
        // The first round only fills the disk's cache.
        if (r > 0) samples[name].push(ms)
      }
    }
  } finally {
    rmSync(cwd, { recursive: true })
  }
  // Within a round the machine is as busy for one as for the other.
  const over = (name) => median(samples[name].map((ms, r) => ms - samples.bare[r]))
  return names.map((name) => ({ name, ms: median(samples[name]), over: over(name) }))
}
