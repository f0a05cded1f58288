/** Operators against ONNX's own suite: every recorded case passes, as constants and as a model on every backend, or is refused by name. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { nativeBackends } from '../support/backends.ts'
import {
  type OperatorCase,
  operatorCases,
  operatorRows,
  operatorTable,
  outcomeOf,
  refusalOf,
  refused,
} from '../support/conformance-operators.mjs'
import { modelBackends } from '../support/model-files.ts'

const operators = [...new Set(operatorCases.map(({ operator }: OperatorCase) => operator))]

const ways = [undefined, ...modelBackends].map((backend) => ({
  way: backend === undefined ? 'constants of readOnnx' : `a model on ${backend}`,
  backend,
}))

describe.each(ways)('the ONNX backend suite as $way', ({ backend }) => {
  it.each(operators)('%s', (operator) => {
    const own = operatorCases.filter((one: OperatorCase) => one.operator === operator)
    for (const one of own) {
      const expected = refusalOf(one, backend)
      const outcome = outcomeOf(one, backend)
      if (expected === undefined) expect(outcome, one.name).toBe('passed')
      else {
        expect(outcome, one.name).toMatch(/^refused: /)
        expect(outcome, one.name).toMatch(expected)
      }
    }
  })
})

describe('docs/conformance.md', () => {
  it('has every case that is listed as refused', () => {
    const names = operatorCases.map(({ name }: OperatorCase) => name)
    expect([...refused.keys()].filter((name) => !names.includes(name))).toEqual([])
  })

  it.skipIf(nativeBackends.length === 0)('says how the suite comes out', () => {
    const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
    expect(page).toContain(operatorTable(operatorRows(nativeBackends)))
  })
})
