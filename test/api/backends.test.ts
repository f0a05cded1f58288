/** Which backends there are, how one is forced, and what is said where native code is absent. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableBackends, backendInfo, GRU, Linear, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Runs a program in a process of its own: what it returned, and the warnings it raised. */
function run(
  program: string,
  env: Record<string, string> = {},
  flags: string[] = [],
): { result: unknown; warnings: unknown[] } {
  const code = `import * as lib from 'native-rnn'
    const attempt = (make) => { try { return make() } catch ({ code, message }) { return { code, message } } }
    const warnings = []
    process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }))
    const result = await (async () => { ${program} })()
    setImmediate(() => console.log(JSON.stringify({ result, warnings })))`
  const { NATIVE_RNN_BACKEND: _, NATIVE_RNN_PATH: __, ...clean } = process.env
  const printed = execFileSync(process.execPath, [...flags, '--input-type=module', '-e', code], {
    cwd: new URL('../..', import.meta.url),
    env: { ...clean, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(printed)
}

const nowhere = { NATIVE_RNN_PATH: '/nowhere/native-rnn.node' }

describe('availableBackends', () => {
  it('lists known names once, typescript last', () => {
    const names = availableBackends()
    expect(names.at(-1)).toBe('typescript')
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(['avx512', 'avx2', 'neon', 'portable', 'wasm', 'typescript']).toContain(name)
    names.pop()
    expect(availableBackends().at(-1)).toBe('typescript')
  })
})

describe('backendInfo', () => {
  it('tells the default backend and the version of the package', () => {
    const forced = process.env.NATIVE_RNN_BACKEND
    expect(backendInfo()).toMatchObject({ name: forced || availableBackends()[0], version })
    expect(new RNN(1, 1).backend).toBe(backendInfo().name)
  })
})

describe('the option backend', () => {
  it.each(availableBackends())('%s is what a layer gets', (backend) => {
    for (const Layer of [RNN, GRU, LSTM, Linear]) expect(new Layer(2, 3, { backend }).backend).toBe(backend)
    expect(RNN.fromStateDict(new RNN(2, 3).stateDict(), { backend }).backend).toBe(backend)
  })

  it('refuses one that cannot run here, and says what can', () => {
    const missing = (['neon', 'avx512', 'avx2', 'portable'] as const).filter(
      (name) => !availableBackends().includes(name),
    )
    for (const backend of missing) {
      const words = new RegExp(`^the backend, '${backend}', cannot run here: .+; available: .*'typescript'$`)
      expectError(() => new RNN(1, 1, { backend }), 'ERR_RNN_BACKEND', words)
      expectError(() => new Linear(1, 1, { backend }), 'ERR_RNN_BACKEND', words)
      expectError(() => GRU.fromStateDict(new GRU(1, 1).stateDict(), { backend }), 'ERR_RNN_BACKEND', words)
    }
    expect(missing.length).toBeGreaterThan(0)
  })
})

describe('NATIVE_RNN_BACKEND', () => {
  it.each(availableBackends())('forces %s, and an option still wins', (backend) => {
    const program = `return [lib.backendInfo().name, new lib.RNN(1, 1).backend, new lib.RNN(1, 1, { backend: 'typescript' }).backend, lib.availableBackends()]`
    const { result, warnings } = run(program, { NATIVE_RNN_BACKEND: backend })
    expect(result).toEqual([backend, backend, 'typescript', availableBackends()])
    expect(warnings).toEqual([])
  })

  it('throws where it names one that cannot run', () => {
    const program = `return [attempt(() => new lib.RNN(1, 1)), attempt(() => lib.backendInfo()), new lib.RNN(1, 1, { backend: 'typescript' }).backend]`
    const { result } = run(program, { NATIVE_RNN_BACKEND: 'abacus' })
    const error = {
      code: 'ERR_RNN_BACKEND',
      message: expect.stringContaining(
        "the backend of NATIVE_RNN_BACKEND, 'abacus', cannot run here: there is no such backend; available: ",
      ),
    }
    expect(result).toEqual([error, error, 'typescript'])
    const absent = run('return attempt(() => new lib.RNN(1, 1))', {
      NATIVE_RNN_BACKEND: 'portable',
      ...nowhere,
    })
    expect(absent).toMatchObject({
      result: { code: 'ERR_RNN_BACKEND', message: expect.stringContaining('/nowhere/native-rnn.node') },
    })
  })

  it('counts as unset where it is empty', () => {
    const { result } = run('return lib.backendInfo().name', { NATIVE_RNN_BACKEND: '' })
    expect(result).toBe(availableBackends()[0])
  })
})

describe('where native code is absent', () => {
  const program = `const layers = [new lib.RNN(1, 1), new lib.GRU(1, 1), new lib.Linear(1, 1)]
    return { info: lib.backendInfo(), all: lib.availableBackends(), used: layers.map((layer) => layer.backend), sum: layers[0].forward([[1]]).output.shape }`
  const hasWasm = availableBackends().includes('wasm')
  const told = (name: string, all: string[]) => ({
    info: { name, reason: expect.stringContaining('/nowhere/native-rnn.node'), version },
    all,
    used: [name, name, name],
    sum: [1, 1],
  })
  const warning = (message: RegExp) => [
    { name: 'NativeRNNWarning', code: 'NATIVE_RNN_ABSENT', message: expect.stringMatching(message) },
  ]

  it.runIf(hasWasm)('layers compute in WebAssembly, and the first one says so, once, with the reason', () => {
    const { result, warnings } = run(program, nowhere)
    expect(result).toEqual(told('wasm', ['wasm', 'typescript']))
    expect(warnings).toEqual(
      warning(/^native-rnn computes in WebAssembly, on one thread, because native code is absent: .*nowhere/),
    )
  })

  // Bun has WebAssembly always.
  it.skipIf(process.versions.bun)(
    'and WebAssembly is too, they compute in TypeScript, and the first one says so, once, with both reasons',
    () => {
      const { result, warnings } = run(program, nowhere, ['--jitless'])
      expect(result).toEqual(told('typescript', ['typescript']))
      expect(warnings).toEqual(
        warning(
          /^native-rnn computes in TypeScript, which is slower, because native code is absent: .*nowhere.*; and WebAssembly is absent: this runtime has no WebAssembly$/,
        ),
      )
    },
  )

  it.skipIf(process.versions.bun)('a backend that is forced and absent is an error that says why', () => {
    const { result } = run('return attempt(() => new lib.RNN(1, 1))', { ...nowhere, NATIVE_RNN_BACKEND: 'wasm' }, [
      '--jitless',
    ])
    expect(result).toMatchObject({
      code: 'ERR_RNN_BACKEND',
      message: expect.stringContaining("'wasm', cannot run here: this runtime has no WebAssembly"),
    })
  })

  it('nothing is said to those who ask for TypeScript, or only import', () => {
    expect(run(`new lib.RNN(1, 1, { backend: 'typescript' }); lib.backendInfo()`, nowhere)).toMatchObject({
      warnings: [],
    })
    expect(run('new lib.RNN(1, 1)', { ...nowhere, NATIVE_RNN_BACKEND: 'typescript' })).toMatchObject({ warnings: [] })
    expect(run('lib.availableBackends()', nowhere)).toMatchObject({ warnings: [] })
  })
})
