/** What a program waits for before its first number: import, a 128-unit LSTM, one result; over a bare Node. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from './limits.mjs'

const programs = {
  bare: 'globalThis.started = 1',
  'native-rnn': `const { LSTM } = await import('native-rnn')
    new LSTM(128, 128).forward({ data: new Float32Array(128), shape: [1, 128] })`,
  onnxruntime: `await import('onnxruntime-node')`,
}
const folders = { onnxruntime: new URL('.', import.meta.url) }
const root = new URL('..', import.meta.url)

/** Medians in ms of whole processes, alternating; `over` is what each takes beyond a bare Node. */
export function startup(rounds, rivals) {
  const names = Object.keys(programs).filter((name) => name !== 'onnxruntime' || rivals.includes(name))
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let r = 0; r <= rounds; r++) {
    for (const name of r % 2 ? names : [...names].reverse()) {
      const args = ['--input-type=module', '-e', programs[name]]
      const start = performance.now()
      const done = spawnSync(process.execPath, args, { cwd: fileURLToPath(folders[name] ?? root), encoding: 'utf8' })
      const ms = performance.now() - start
      if (done.status !== 0) throw new Error(`the start of ${name} failed: ${done.stderr}`)
      // The first round only fills the disk's cache.
      if (r > 0) samples[name].push(ms)
    }
  }
  const bare = median(samples.bare)
  return names.map((name) => ({ name, ms: median(samples[name]), over: median(samples[name]) - bare }))
}
