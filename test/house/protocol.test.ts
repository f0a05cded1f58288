/** What both languages say apart from each other and must agree on: numbers that cross the border, and the facts of cells. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cppConstants, cppEnums, cppTable, tsConstants } from '../support/twins.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const lowered = (name: string) => name[0].toLowerCase() + name.slice(1)
const byNumber = (numbers: Record<string, number>) => Object.entries(numbers).sort(([, a], [, b]) => a - b)

describe('the reading of the twins', () => {
  const cpp = `// enum class Ghost : int { no };
    enum class NetworkOp : int32_t { forwardArena, forward, weights = 4, stream };
    enum class Flag : uint32_t {
      batchFirst = 1, // of input and output
      output = 1 << 1,
    };
    constexpr size_t headerLength = 16;
    constexpr size_t words = sizeof(int);
    struct CellTraits {
      const char* name;
      size_t gates, candidateGates; // the last ones
      bool hasCellState;
    };
    constexpr CellTraits table[] = {
        {"gru", 3, 0, false}, // reset after
        {"lstm", 4, 0, true},
    };`
  const ts = `/** export const ghost = 1 */
export const headerLength = 16
export const networkOp = { forwardArena: 0, forward: 1 } as const
export const cellNumber = {
  gru: 0, // after
  lstm: 1,
} as const satisfies Record<CellName, number>
export const specFields = [
  'cell',
  'bias',
] as const satisfies (keyof NetworkSpec)[]
export const cellTraits = {
  gru: { gates: 3, hasCellState: false, className: 'GRU' },
  lstm: { gates: 4, hasCellState: true, className: 'LSTM' },
} as const satisfies Record<CellName, CellTraits>
export const cellNames = Object.keys(cellTraits) as CellName[]
`

  it('knows enumerations and constants of C++', () => {
    expect(cppEnums(cpp)).toEqual({
      NetworkOp: { forwardArena: 0, forward: 1, weights: 4, stream: 5 },
      Flag: { batchFirst: 1, output: 2 },
    })
    expect(cppConstants(cpp)).toEqual({ headerLength: 16 })
  })

  it('knows a table of C++', () => {
    expect(cppTable(cpp, 'CellTraits')).toEqual([
      { name: 'gru', gates: 3, candidateGates: 0, hasCellState: false },
      { name: 'lstm', gates: 4, candidateGates: 0, hasCellState: true },
    ])
    expect(() => cppTable(cpp, 'Other')).toThrow('no table of Other')
  })

  it('knows constants of TypeScript', () => {
    expect(tsConstants(ts)).toEqual({
      headerLength: 16,
      networkOp: { forwardArena: 0, forward: 1 },
      cellNumber: { gru: 0, lstm: 1 },
      specFields: ['cell', 'bias'],
      cellTraits: {
        gru: { gates: 3, hasCellState: false, className: 'GRU' },
        lstm: { gates: 4, hasCellState: true, className: 'LSTM' },
      },
    })
  })
})

describe('what crosses the border', () => {
  const functions = ['map_function', 'zip_function', 'reduction']
  const headers = () =>
    readdirSync(join(root, 'native/protocol'))
      .filter((name) => name.endsWith('.h'))
      .map((name) => `native/protocol/${name}`)
  const facts = ['network_spec', ...functions].map((name) => `native/spec/${name}.h`)
  const cpp = () => [...headers(), ...facts].map(read).join('\n')
  const ts = () => tsConstants(read('lib/backends/protocol.ts'))

  const enumerations = [
    'headerField',
    'networkOp',
    'streamOp',
    'batchOp',
    'operatorOp',
    'callOp',
    'outcome',
    'forwardFlag',
    'programOp',
    'instanceOp',
    'opcode',
    'poolKind',
  ]
  /** TypeScript's name of an enumeration that has another one in C++. */
  const renamed: Record<string, string> = {
    direction: 'directionNumber',
    region: 'regionNumber',
    element: 'elementNumber',
  }
  /** And that of a member whose name is a word of C++'s. */
  const members = (numbers: Record<string, number>) =>
    Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name === 'boolean' ? 'bool' : name, number]))
  const lists: Record<string, string> = {
    specField: 'specFields',
    functionsField: 'functionsFields',
    functionField: 'functionFields',
    weightField: 'weightFields',
    mapFunction: 'mapFunctions',
    zipFunction: 'zipFunctions',
    reduction: 'reductions',
  }

  it.each([...enumerations, ...Object.values(renamed)])('%s has the same names and numbers', (name) => {
    const twins = Object.entries(cppEnums(cpp())).map(([own, numbers]) => [
      renamed[lowered(own)] ?? lowered(own),
      members(numbers),
    ])
    expect(Object.fromEntries(twins)[name]).toBeDefined()
    expect(ts()[name]).toEqual(Object.fromEntries(twins)[name])
  })

  it.each(Object.entries(lists))('%s is in the order of %s', (own, name) => {
    const members = Object.entries(cppEnums(cpp())).find(([other]) => lowered(other) === own)?.[1] ?? {}
    expect(byNumber(members).map(([, number], at) => number === at)).not.toContain(false)
    expect(byNumber(members).map(([member]) => member)).toEqual(ts()[name])
  })

  it('has no enumeration in one language alone', () => {
    const files = [...headers(), ...functions.map((name) => `native/spec/${name}.h`)]
    const own = Object.keys(cppEnums(files.map(read).join('\n'))).map(lowered)
    const inCpp = [...own.map((name) => renamed[name] ?? lists[name] ?? name), ...Object.values(renamed)]
    const inTs = Object.entries(ts()).flatMap(([name, value]) => (typeof value === 'object' ? [name] : []))
    expect(inTs.sort()).toEqual([...new Set(inCpp)].sort())
  })

  it('has the same constants', () => {
    // C++ takes the arena's length from the array that it is given.
    const numbers = Object.entries(ts()).filter(([name, value]) => typeof value === 'number' && name !== 'arenaLength')
    expect(numbers.map(([name]) => name)).toContain('headerLength')
    expect(cppConstants(headers().map(read).join('\n'))).toMatchObject(Object.fromEntries(numbers))
  })
})

describe('the table of cells', () => {
  const facts = ['gates', 'candidateGates', 'hasCellState', 'hasPeepholes', 'general']
  const rowsOf = (table: [name: string, row: Record<string, unknown>][]) =>
    table.map(([name, row]) => [name, ...facts.map((fact) => row[fact])])

  it('says the same of each cell, in the same order', () => {
    const traits = tsConstants(read('lib/spec/cell-traits.ts')).cellTraits as Record<string, Record<string, unknown>>
    const table = cppTable(read('native/spec/cell_traits.h'), 'CellTraits')
    const kinds = byNumber(cppEnums(read('native/spec/cell_traits.h')).CellKind)
    const cells = kinds.map(([name]) => name)
    expect(kinds.map(([, number]) => number)).toEqual(cells.map((_, index) => index))
    expect(cells.length).toBeGreaterThan(5)
    expect(table.length).toBe(cells.length)
    for (const [at, row] of table.entries()) if ('name' in row) expect(row.name).toBe(cells[at])
    expect(rowsOf(table.map((row, at) => [cells[at], row]))).toEqual(rowsOf(Object.entries(traits)))
    for (const row of rowsOf(Object.entries(traits))) expect(row).not.toContain(undefined)
  })
})

describe('the list of activations', () => {
  it('begins the list of functions of one number', () => {
    const kinds = byNumber(cppEnums(read('native/spec/activation.h')).ActivationKind)
    const functions = byNumber(cppEnums(read('native/spec/map_function.h')).MapFunction)
    expect(functions.slice(0, kinds.length)).toEqual(kinds)
    expect(functions.length).toBeGreaterThan(kinds.length)
  })

  it('has the same names in the same order', () => {
    const kinds = byNumber(cppEnums(read('native/spec/activation.h')).ActivationKind)
    expect(kinds.map(([, number]) => number)).toEqual(kinds.map((_, index) => index))
    const table = tsConstants(read('lib/spec/activations.ts')).activationTraits as object
    expect(kinds.map(([name]) => name)).toEqual(Object.keys(table))
  })
})

describe('the list of operators', () => {
  it('has the same names in the same order', () => {
    const kinds = byNumber(cppEnums(read('native/spec/operator_kind.h')).OperatorKind)
    expect(kinds.map(([, number]) => number)).toEqual(kinds.map((_, index) => index))
    expect(kinds.map(([name]) => name)).toEqual(tsConstants(read('lib/spec/operator-traits.ts')).operatorKinds)
  })
})
