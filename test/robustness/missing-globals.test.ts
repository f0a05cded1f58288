/** Pages of Electron, jsdom and edge runtimes lack globals that Node has: importing never fails on one, and what needs it says so. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { availableBackends, writeSafetensors } from 'native-rnn'
import { afterAll, describe, expect, it } from 'vitest'
import { model, tiny } from '../support/onnx-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'a.safetensors')
writeFileSync(file, writeSafetensors({ a: [1] }))

function without(...names: string[]): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, 'without-global.mjs'), {
      workerData: { names, file, model: model(...tiny.weights, tiny.rnn) },
      env: { ...process.env, NATIVE_RNN_BACKEND: '' },
      // The test runner's own modules need globals too.
      execArgv: [],
    })
    worker.on('message', resolve)
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`the worker ended with ${code} and said nothing`)))
  })
}

/** What the language is made of; nothing at all runs without these. */
const language = new Set(
  `Object Function Array Number String Boolean Symbol Error TypeError RangeError SyntaxError Math JSON Promise Map Set WeakMap RegExp
  ArrayBuffer Uint8Array Float32Array Float64Array Int32Array Uint16Array DataView BigInt globalThis undefined NaN Infinity`.split(
    /\s+/,
  ),
)
const globals = Object.getOwnPropertyNames(globalThis).filter((name) => /^[a-zA-Z]/.test(name) && !language.has(name))
const vitest = /^(vi|__vitest|expect|describe|it|test|suite)/

describe('without a global', () => {
  const whole = without()
  it('that nobody knows, everything works', async () => {
    const said = await whole
    for (const [what, how] of Object.entries(said))
      if (!/^(backend|reason)$/.test(what)) expect(how, what).toBe(/ layer$/.test(what) ? 'done' : true)
  })

  it.each(globals.filter((name) => !vitest.test(name)))('%s everything works as with it', async (name) => {
    const as = Object.entries(await whole).filter(([what]) => name !== 'WebAssembly' || !what.startsWith('wasm '))
    expect(await without(name)).toEqual(Object.fromEntries(as))
  })

  it('everything works with none of them', async () => {
    const optional = `SharedArrayBuffer TextDecoder TextEncoder performance AbortSignal AbortController structuredClone FinalizationRegistry
      WeakRef Float16Array Buffer process URL setImmediate queueMicrotask Atomics Intl crypto navigator fetch MessageChannel Blob console`
    expect(await without(...optional.split(/\s+/))).toEqual(await whole)
  })

  it('that shared memory needs, TypeScript computes, and share() says what is missing', async () => {
    const said = await without('SharedArrayBuffer', 'WebAssembly')
    expect(said).toMatchObject({
      backend: 'typescript',
      reason: expect.stringMatching(/SharedArrayBuffer/),
      'typescript share': 'ERR_RNN_BACKEND: share() needs SharedArrayBuffer, and this runtime has none',
      'typescript layer': 'done',
    })
    const others = Object.entries(said).filter(([what]) => !/share|layer$|^backend$|^reason$/.test(what))
    expect(others.filter(([, how]) => how !== true)).toEqual([])
    expect(availableBackends().length).toBeGreaterThan(0)
  })
})
