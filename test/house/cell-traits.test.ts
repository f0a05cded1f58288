/** Holds the two accounts of the cells in TypeScript against each other: the table that the package asks, and the reference backend's own. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const lib = join(import.meta.dirname, '..', '..', 'lib')
const table = readFileSync(join(lib, 'spec/cell-traits.ts'), 'utf8')
const folder = join(lib, 'backends/typescript/cells')
const cells = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))

const row =
  /^ {2}(\w+): \{ gates: (\d), candidateGates: (\d), hasCellState: (\w+), hasPeepholes: (\w+), general: (?:\w+), className/gm
const cell = /^export const (\w+): Cell = \{\s*gates: (\d),\s*cellState: (\w+),\s*peepholes: (\w+),\s*(secondInput)?/gm

it('the reference backend and the table of cells say the same', () => {
  const rows = [...table.matchAll(row)].map(([, name, gates, candidates, state, peepholes]) => {
    return { name, gates, state, peepholes, hasSecondProduct: candidates !== '0' }
  })
  const own = cells
    .flatMap((text) => [...text.matchAll(cell)])
    .map(([, name, gates, state, peepholes, second]) => {
      return { name, gates, state, peepholes, hasSecondProduct: second !== undefined }
    })
  const fast = ['rnnTanh', 'rnnRelu', 'gru', 'gruResetBefore', 'lstm', 'lstmPeephole']
  const general = ['rnnGeneral', 'gruGeneral', 'gruResetBeforeGeneral', 'lstmGeneral', 'lstmPeepholeGeneral']
  expect(rows.map(({ name }) => name)).toEqual([...fast, ...general])
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  expect(own.sort(byName)).toEqual(rows.sort(byName))
})
