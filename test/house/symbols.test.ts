/** Reads the objects of the build: an instruction set's object exports its table alone, and code above the baseline stays in it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const objects = join(import.meta.dirname, '..', '..', 'build', 'CMakeFiles', 'native-rnn.dir', 'native')
const tool = (name: string, ...args: string[]) => execFileSync(name, args, { encoding: 'utf8', maxBuffer: 1 << 28 })

// Elsewhere the objects have other formats and tools; what they hold comes from the same sources.
const readable = process.platform === 'linux' && existsSync(objects)

describe.runIf(readable)('objects of the native build', () => {
  const isas = existsSync(join(objects, 'kernels', 'isa'))
    ? readdirSync(join(objects, 'kernels', 'isa')).filter((name) => name.endsWith('.o'))
    : []

  it.each(isas)('isa/%s exports one symbol, its table, and no weak one', (name) => {
    const lines = tool('nm', '--defined-only', '--demangle', join(objects, 'kernels', 'isa', name))
      .trim()
      .split('\n')
    const symbols = lines.map((line) => line.slice(17).trim())
    const global = symbols.filter((line) => /^[A-Z]/.test(line) && !/^[WVu] /.test(line))
    expect(global).toEqual([expect.stringMatching(/^[RD] native_rnn::\w+Kernels$/)])
    expect(symbols.filter((line) => /^[WVvwu] /.test(line))).toEqual([])
  })

  it('products of int8 that only some processors have are in the objects for them', () => {
    const users = isas.filter((name) =>
      /\t(\{vex\} )?(vpdpbusd|sdot)\b/.test(
        tool('objdump', '--disassemble', '--no-show-raw-insn', join(objects, 'kernels', 'isa', name)),
      ),
    )
    const all = { x64: ['avx2_vnni.cpp.o', 'avx512_vnni.cpp.o'], arm64: ['neon_dot.cpp.o'] }
    expect(users.sort()).toEqual(process.arch in all ? all[process.arch as keyof typeof all] : [])
  })

  it.runIf(process.arch === 'x64')(
    'nothing outside isa/avx2 and isa/avx512 uses a wide register or an AVX instruction',
    () => {
      const plain = readdirSync(objects, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /(?<!avx\w+\.cpp)\.o$/.test(name),
      )
      expect(plain.length).toBeGreaterThan(5)
      for (const name of plain) {
        const wide = tool('objdump', '--disassemble', '--no-show-raw-insn', join(objects, name))
          .split('\n')
          .filter((line) => /%[yz]mm\d|\tv[a-z0-9]+ +.*%xmm/.test(line))
        expect(wide, name).toEqual([])
      }
    },
  )
})
