/** Holds every `#include` and `import` against the order of the house: arrows only go down. A new file needs a place here. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

// Top first. A file may reach its own line and the lines below; `*` stands for any name.
const native = [
  ['node/*'],
  ['async/*', 'protocol/*'],
  ['rnn/network.cpp', 'rnn/stream.*', 'ops/linear.*'],
  ['rnn/forward.*'],
  ['rnn/recurrence.*', 'rnn/input_gates.cpp', 'rnn/thread_plan.*'],
  ['rnn/packed_layer.*'],
  ['rnn/network.h'],
  ['threading/fork_join.*', 'rnn/thread_cost.*'],
  ['matmul/*', 'kernels/dispatch.*', 'threading/team.*', 'threading/barrier.h'],
  ['threading/pool.*'],
  ['platform/*'],
  ['kernels/isa/*.cpp'],
  ['kernels/rnn/recurrence.h', 'kernels/simd/avx2.h', 'kernels/simd/vector4.h'],
  ['kernels/rnn/overlap.h', 'kernels/rnn/epilogue.h', 'kernels/simd/vec_pair.h'],
  ['kernels/matmul/gemm.h'],
  ['kernels/matmul/gemv.h'],
  ['kernels/simd/activations.h', 'kernels/rnn/cells/*', 'kernels/matmul/tiling.h'],
  ['kernels/kernels.h'],
  ['spec/*'],
]
const lib = [
  ['index.ts'],
  ['formats/*'],
  ['layers/*'],
  ['streams/*'],
  ['calls/*'],
  ['backends/*'],
  ['weights/*'],
  ['options/*', 'tensor/*'],
  ['spec/*'],
  ['errors.ts', 'hash.ts', 'tracing.ts', 'version.ts'],
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
    const kernel = here >= line(native, 'kernels/isa/portable.cpp')
    if (!/^node\//.test(file)) expect(system.filter((name) => /napi|node_api/.test(name))).toEqual([])
    if (!/^kernels\/(isa|simd)\//.test(file)) {
      expect(system.filter((name) => /immintrin|arm_neon/.test(name))).toEqual([])
      expect(reached(file, text, /^#include "(.*kernels\/rnn\/recurrence\.h)"/gm)).toEqual([])
    }
    // Their templates are compiled once per instruction set: nothing that a linker could share between the objects.
    if (kernel) expect(system.filter((name) => !/^(cstdint|cstddef|immintrin\.h|arm_neon\.h)$/.test(name))).toEqual([])
  })

  it.each([...filesOf('lib', /\.ts$/)])('lib/$file imports only what lies below it', ({ file, text }) => {
    const here = line(lib, file)
    expect(here, 'has a line in the order').toBeGreaterThanOrEqual(0)
    const all = reached(file, text, /(?:from|import\()\s*'(\.[^']+)'/g)
    expect(all.filter((other) => line(lib, other) < here)).toEqual([])
    const values = reached(file, text, /^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'(\.[^']+)'/gm)
    expect(all.filter((other) => other === 'index.ts')).toEqual([])
    if (file.startsWith('backends/typescript/')) {
      expect(values.filter((other) => !other.startsWith('backends/typescript/'))).toEqual([])
      expect(all.filter((other) => other.startsWith('backends/native/'))).toEqual([])
    }
    if (!file.startsWith('backends/native/')) expect(text).not.toMatch(/createRequire|process\.dlopen/)
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
