/** The operators around recurrent nodes against ONNX's own suite: every recorded case passes, or is refused by name. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type OperatorCase,
  operatorCases,
  operatorRows,
  operatorTable,
  outcomeOf,
  refused,
} from '../support/conformance-operators.mjs'

const operators = [...new Set(operatorCases.map(({ operator }: OperatorCase) => operator))]

describe('the ONNX backend suite', () => {
  it.each(operators)('%s', (operator) => {
    const own = operatorCases.filter((one: OperatorCase) => one.operator === operator)
    for (const one of own) {
      const expected = refused.get(one.name)
      const outcome = outcomeOf(one)
      if (expected === undefined) expect(outcome, one.name).toBe('passed')
      else {
        expect(outcome, one.name).toMatch(/^refused: /)
        expect(outcome, one.name).toMatch(expected.error)
      }
    }
  })

  it('has every case that is listed as refused', () => {
    const names = operatorCases.map(({ name }: OperatorCase) => name)
    expect([...refused.keys()].filter((name) => !names.includes(name))).toEqual([])
  })

  it('comes out as docs/conformance.md says', () => {
    const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
    expect(page).toContain(operatorTable(operatorRows()))
  })
})
