/** Holds every `#include` and `import` against the order of the house: arrows only go down. A new file needs a place here. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

// Top first. A file may reach its own line and the lines below; `*` stands for any name.
const native = [
  ['addon.cpp', 'addon/*'],
  ['model.*'],
  ['stack.cpp', 'stream.*', 'linear.*'],
  ['call.*'],
  ['pass.*', 'steps.cpp', 'worth.*'],
  ['layer.*'],
  ['stack.h'],
  ['crew.*', 'sharing.*'],
  ['pack.*', 'dispatch.*', 'pool.*'],
  ['threads.h', 'cpu.*', 'uniform.h'],
  ['isa/*.cpp'],
  ['run.h', 'isa/*.h'],
  ['ahead.h', 'finish.h', 'rows.h'],
  ['product.h'],
  ['sums.h'],
  ['math.h', 'cells/*', 'shapes.h'],
  ['kernels.h'],
]
const lib = [
  ['index.ts'],
  ['formats/onnx.ts', 'from-spec.ts'],
  ['rnn.ts', 'gru.ts', 'lstm.ts'],
  ['layer.ts', 'parts.ts', 'stream.ts', 'step.ts', 'batcher.ts', 'batch-*.ts', 'linear.ts', 'embedding.ts'],
  [
    'call.ts',
    'state-dict.ts',
    'loaded.ts',
    'saved-state.ts',
    'choose.ts',
    'async.ts',
    'abort.ts',
    'share.ts',
    'formats/*',
  ],
  ['native*.ts'],
  ['fallback/*'],
  [
    'options.ts',
    'tensor.ts',
    'errors.ts',
    'backend.ts',
    'weights.ts',
    'random.ts',
    'hash.ts',
    'memory.ts',
    'version.ts',
    'tracing.ts',
  ],
]

const matches = (pattern: string, file: string) =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(file)
const line = (order: string[][], file: string) => order.findIndex((names) => names.some((name) => matches(name, file)))

function* filesOf(folder: string, ending: RegExp, under = ''): Generator<{ file: string; text: string }> {
  for (const entry of readdirSync(join(root, folder, under), { withFileTypes: true })) {
    const file = under + entry.name
    if (entry.isDirectory() && !/^(build|node_modules)$/.test(entry.name)) yield* filesOf(folder, ending, `${file}/`)
    else if (entry.isFile() && ending.test(file)) yield { file, text: readFileSync(join(root, folder, file), 'utf8') }
  }
}

/** The files of the same folder tree that `pattern` finds in a text, as paths from that folder. */
const reached = (file: string, text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map((match) => normalize(join(dirname(file), match[1])).replaceAll('\\', '/'))

describe('layering', () => {
  it.each([...filesOf('native', /\.(cpp|h)$/)])('native/$file includes only what lies below it', ({ file, text }) => {
    const here = line(native, file)
    expect(here, 'has a line in the order').toBeGreaterThanOrEqual(0)
    const upwards = reached(file, text, /^#include "(.+)"/gm).filter((other) => line(native, other) < here)
    expect(upwards).toEqual([])

    const system = [...text.matchAll(/^#include <(.+)>/gm)].map((match) => match[1])
    const kernel = here >= line(native, 'isa/portable.cpp')
    if (!/^addon(\.cpp|\/)/.test(file)) expect(system.filter((name) => /napi|node_api/.test(name))).toEqual([])
    if (!file.startsWith('isa/')) {
      expect(system.filter((name) => /immintrin|arm_neon/.test(name))).toEqual([])
      expect(reached(file, text, /^#include "(.*run\.h)"/gm)).toEqual([])
    }
    // Their templates are compiled once per instruction set: nothing that a linker could share between the objects.
    if (kernel) expect(system.filter((name) => !/^(cstdint|cstddef|immintrin\.h|arm_neon\.h)$/.test(name))).toEqual([])
  })

  it.each([...filesOf('lib', /\.ts$/)])('lib/$file imports only what lies below it', ({ file, text }) => {
    const here = line(lib, file)
    expect(here, 'has a line in the order').toBeGreaterThanOrEqual(0)
    // A type of a layer above is a name and no arrow; values are what couples.
    const values = reached(file, text, /^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'(\.[^']+)'/gm)
    expect(values.filter((other) => line(lib, other) < here)).toEqual([])
    const all = reached(file, text, /(?:from|import\()\s*'(\.[^']+)'/g)
    expect(all.filter((other) => other === 'index.ts')).toEqual([])
    if (file.startsWith('fallback/')) {
      expect(values.filter((other) => !other.startsWith('fallback/'))).toEqual([])
      expect(all.filter((other) => other.startsWith('native'))).toEqual([])
    }
    if (!file.startsWith('native')) expect(text).not.toMatch(/createRequire|process\.dlopen/)
  })

  it('native/sources.json names every C++ file, for both builds', () => {
    const lists: Record<string, string[]> = JSON.parse(
      readFileSync(join(root, 'native', 'sources.json'), 'utf8'),
    ).variables
    const named = Object.keys(lists).flatMap((key) => (key.endsWith('_sources') ? lists[key] : []))
    expect(named.sort()).toEqual([...filesOf('native', /\.cpp$/)].map(({ file }) => file).sort())
  })

  it('tests, benches and examples import the package, not its insides', () => {
    for (const folder of ['test', 'bench', 'examples']) {
      for (const { file, text } of filesOf(folder, /^(?!.*node_modules).*\.(ts|mjs|js)$/)) {
        expect(text, `${folder}/${file}`).not.toMatch(/from '(\.\.\/)+(lib|dist|native)\//)
      }
    }
  })
})
