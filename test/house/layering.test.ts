/** The order of the house: which folder may look into which. Folders are held against each other, so that a new file needs no line here. */
import { describe, expect, it } from 'vitest'
import { circlesOf, filesOf, reachedFrom, type Source, sourcesOf } from './imports.mjs'

// Floors, top first. A room is a folder with all below it that is no room of its own, or a file. It may look into itself and into the
// floors below; rooms of one floor do not look into each other. Types are imports too.
const native = [
  ['node', 'wasm'],
  ['async'],
  ['graph'],
  ['protocol'],
  ['rnn', 'ops'],
  ['matmul'],
  ['kernels', 'threading'],
  ['platform'],
  ['spec'],
]
// Compiled once for each instruction set: the sources of the kernels look into nothing else, and nothing else looks into them.
const kernels = [
  ['kernels/isa'],
  ['kernels/rnn', 'kernels/ops'],
  ['kernels/matmul'],
  ['kernels/simd'],
  ['kernels/kernels.h'],
  ['spec'],
]
const lib = [
  ['entries'],
  ['index.ts'],
  ['models'],
  ['formats'],
  ['layers'],
  ['streams'],
  ['calls'],
  ['backends'],
  ['backends/native', 'backends/typescript', 'backends/wasm'],
  ['backends/program', 'backends/batch-arrays.ts'],
  ['backends/interface.ts', 'backends/packing.ts', 'backends/turns'],
  ['backends/packed-memory.ts', 'backends/protocol.ts'],
  ['weights'],
  ['graph'],
  ['options', 'tensor', 'precision'],
  ['spec'],
  ['runtime.ts'],
  ['errors.ts', 'tracing.ts', 'version.ts', 'intrinsics'],
  ['platform'],
]
/** The one header of the kernels' that the engine shares with them: how weights lie in memory. */
const layout = 'kernels/matmul/layout.h'

const within = (file: string, room: string) => file === room || file.startsWith(`${room}/`)

/** The innermost room that a file is in; undefined where it has none. */
const roomOf = (floors: string[][], file: string) =>
  floors
    .flat()
    .filter((room) => within(file, room))
    .sort((a, b) => b.length - a.length)[0]

const floorOf = (floors: string[][], file: string) =>
  floors.findIndex((rooms) => rooms.includes(roomOf(floors, file) ?? '-'))

/** Whether a file may import another one, by the floors alone. */
const mayReach = (floors: string[][], file: string, other: string) =>
  roomOf(floors, other) !== undefined &&
  (roomOf(floors, file) === roomOf(floors, other) || floorOf(floors, file) < floorOf(floors, other))

const cpp = sourcesOf('native', 'cpp')
const ts = sourcesOf('lib', 'ts')
const kernelSources = cpp.filter(({ file }) => roomOf(kernels, file) && !within(file, 'spec'))
const engine = cpp.filter((source) => !kernelSources.includes(source))

/** The imports of these files that a rule does not allow, as `file → other`. */
const arrows = (sources: Source[], allowed: (file: string, other: string) => boolean) =>
  sources.flatMap(({ file, imports }) =>
    imports.filter((other) => !allowed(file, other)).map((other) => `${file} → ${other}`),
  )

/** The system headers or packages of these files that a rule does not allow, as `file: header`. */
const systems = (sources: Source[], allowed: (file: string, name: string) => boolean) =>
  sources.flatMap(({ file, system }) => system.filter((name) => !allowed(file, name)).map((name) => `${file}: ${name}`))

describe('native/', () => {
  it('has every file in a room', () => {
    expect(cpp.filter(({ file }) => !roomOf(native, file)).map(({ file }) => file)).toEqual([])
  })

  it('looks down only', () => {
    const allowed = (file: string, other: string) => {
      if (roomOf(kernels, other) && !/^(spec\/|kernels\/kernels\.h$)/.test(other)) {
        return other === layout && within(file, 'matmul')
      }
      return mayReach(native, file, other)
    }
    expect(arrows(engine, allowed)).toEqual([])
  })

  it('has kernels that look into each other from the instruction set down, and into facts', () => {
    expect(arrows(kernelSources, (file, other) => mayReach(kernels, file, other))).toEqual([])
  })

  it('includes no file in a circle', () => {
    expect(circlesOf(cpp)).toEqual([])
  })

  // One that is not defined is no error to the preprocessor: AVX-VNNI's products were once compiled and never linked.
  it('asks for no macro whose header it does not include', () => {
    const asked = ({ file, text }: Source) =>
      [...text.matchAll(/\b(?:defined\(|#ifn?def )(RNN_\w+)/g)].map(([, macro]) => ({ file, macro: macro! }))
    const definers = (macro: string) =>
      cpp.filter(({ text }) => new RegExp(`^#define ${macro}\\b`, 'm').test(text)).map(({ file }) => file)
    const missing = cpp.flatMap(asked).filter(({ file, macro }) => {
      const known = definers(macro) // those of the build are in no header
      const reached = reachedFrom(cpp, [file]).map((source) => source.file)
      return known.length > 0 && !known.some((header) => reached.includes(header))
    })
    expect(missing).toEqual([])
  })

  it('has Node-API in node/ alone', () => {
    expect(systems(cpp, (file, name) => within(file, 'node') || !/napi|node_api/.test(name))).toEqual([])
  })

  it('has vector instructions in kernels/simd and kernels/isa alone', () => {
    const own = (file: string) => within(file, 'kernels/simd') || within(file, 'kernels/isa')
    expect(systems(cpp, (file, name) => own(file) || !/immintrin|arm_neon|wasm_simd/.test(name))).toEqual([])
  })

  it('has operating systems and processors in platform/ alone', () => {
    const os = /^(pthread|sched|unistd|windows|process|dlfcn|cpuid|intrin)\.h$|^(sys|linux|mach)\//
    expect(systems(cpp, (file, name) => within(file, 'platform') || !os.test(name))).toEqual([])
  })

  // Their templates are compiled once per instruction set: nothing that a linker could share between the objects.
  it('compiles nothing of the standard library into the kernels', () => {
    const compiled = reachedFrom(
      cpp,
      kernelSources.map(({ file }) => file),
    )
    const plain = (name: string) => /^(cstdint|cstddef|immintrin\.h|arm_neon\.h|wasm_simd128\.h)$/.test(name)
    expect(systems(compiled, (_, name) => plain(name))).toEqual([])
  })

  it('has every C++ file in sources.json, for both builds', () => {
    const [{ text }] = filesOf('native', /^sources\.json$/)
    const lists: Record<string, string[]> = JSON.parse(text).variables
    const named = Object.keys(lists).flatMap((key) => (key.endsWith('_sources') ? lists[key] : []))
    expect(named.sort()).toEqual(cpp.map(({ file }) => file).filter((file) => file.endsWith('.cpp')))
  })
})

describe('lib/', () => {
  it('has every file in a room', () => {
    expect(ts.filter(({ file }) => !roomOf(lib, file)).map(({ file }) => file)).toEqual([])
  })

  it('looks down only', () => {
    expect(arrows(ts, (file, other) => mayReach(lib, file, other))).toEqual([])
  })

  it('imports no file in a circle', () => {
    expect(circlesOf(ts)).toEqual([])
  })

  it('imports the package’s own index in the entries of the web alone', () => {
    expect(arrows(ts, (file, other) => within(file, 'entries') || other !== 'index.ts')).toEqual([])
  })

  // It is the second opinion on the native one, which rounds weights by code of its own: it shares facts and an interface, and no code.
  it('has a TypeScript backend that looks into itself, the interface, facts, rounding, operators on plain tensors, the runtime and the language alone', () => {
    const own = ts.filter(({ file }) => within(file, 'backends/typescript'))
    expect(
      arrows(own, (_, other) =>
        /^(backends\/(typescript|turns)\/|(backends\/(interface|packed-memory)|runtime)\.ts$|graph\/|precision\/|spec\/|intrinsics\/|platform\/)/.test(
          other,
        ),
      ),
    ).toEqual([])
  })

  it('has Node’s modules in platform/, in backends/native and where it finds the WebAssembly module alone', () => {
    const own = (file: string) => within(file, 'platform') || within(file, 'backends/native')
    const node = (file: string, name: string) => own(file) || file === 'backends/wasm/module.ts' || !/^node:/.test(name)
    expect(systems(ts, node)).toEqual([])
    const types = /^import type .* from 'node:/
    const web = ts.filter(({ file }) => /\.web\.ts$/.test(file))
    const lines = web.flatMap(({ text }) => text.split('\n').filter((line) => /'node:/.test(line) && !types.test(line)))
    expect(lines).toEqual([])
  })

  it('has for each file of the web a namesake that exports the same names', () => {
    const namesOf = (text: string) =>
      [...text.matchAll(/^export (?:async )?(?:const|function|class|let) \{? ?(\w+)|^export \{ ?([^}]+)\}/gm)]
        .flatMap(([, one, several]) => one ?? several.split(',').map((part) => part.replace(/^.* as /, '').trim()))
        .filter((name) => name && !/^type /.test(name) && /^[a-z]/.test(name))
        .sort()
    const web = ts.filter(({ file }) => /\.web\.ts$/.test(file) && file !== 'backends/wasm/module.web.ts')
    expect(web.length).toBeGreaterThan(5)
    for (const { file, text } of web) {
      const namesake = ts.find((other) => other.file === file.replace('.web.ts', '.ts'))
      expect(namesOf(text), file).toEqual(namesOf(namesake?.text ?? ''))
    }
  })

  it('loads compiled code in backends/native alone', () => {
    const others = ts.filter(({ file }) => !within(file, 'backends/native'))
    expect(others.filter(({ text }) => /createRequire|process\.dlopen/.test(text)).map(({ file }) => file)).toEqual([])
  })
})

it('tests, benches and examples import the package, not its insides', () => {
  const inside = ['test', 'bench', 'examples'].flatMap((folder) =>
    filesOf(folder, /\.(ts|mts|mjs|js)$/)
      .filter(({ text }) => /(from|import\()\s*'(\.\.\/)+(lib|dist|native)\//.test(text))
      .map(({ file }) => `${folder}/${file}`),
  )
  expect(inside).toEqual([])
})
