/** The table in docs/conformance.md is what `npm run conformance` prints: the suite's cases, and numbers measured here again. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { cases, cell } from '../support/conformance.mjs'

import { activationNode, rows as activationRows, kinds } from '../support/onnx-activations.mjs'

const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
const [titles, , ...rows] = page
  .slice(page.indexOf('| case of'), page.indexOf('\n\n', page.indexOf('| case of')))
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((text) => text.trim()),
  )

describe('docs/conformance.md', () => {
  it('has a row for every case of the suite, in its order', () => {
    expect(rows.map(([name]) => name)).toEqual(cases.map(({ name }) => `\`${name}\``))
  })

  it('has onnxruntime beside, which refuses layout = 1 and nothing else', () => {
    const column = titles.findIndex((title) => title.startsWith('onnxruntime-node '))
    for (const [i, { attributes }] of cases.entries()) {
      expect(rows[i][column]).toMatch(attributes.layout === 1 ? /^refuses `layout = 1`$/ : /^(0|\d\.\de-\d+)$/)
    }
  })

  it.each(backends.filter((backend) => titles.includes(`native-rnn, ${backend}`)))(
    'has the numbers of %s',
    (backend) => {
      const column = titles.indexOf(`native-rnn, ${backend}`)
      const measured = cases.map((testCase) => cell(testCase, backend))
      if (backend !== 'portable') expect(rows.map((row) => row[column])).toEqual(measured)
      // Its bits differ between processors with and without a fused multiply-add.
      else for (const text of measured) expect(Number(text)).toBeLessThan(1e-6)
    },
  )

  it('has every activation beside onnxruntime, near it but where the page says why', () => {
    const at = page.indexOf('| in all places of a cell')
    const [head, , ...table] = page
      .slice(at, page.indexOf('\n\n', at))
      .split('\n')
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((text) => text.trim()),
      )
    expect(head.slice(1)).toEqual(kinds.map(({ title }) => title))
    expect(table.map(([name]) => name)).toEqual(activationRows.map(({ title }) => title))
    for (const [i, row] of activationRows.entries()) {
      for (const [k, kind] of kinds.entries()) {
        const text = table[i][k + 1]
        if (activationNode(row, kind) === undefined) expect(text).toBe('')
        else if (kind.opType === 'LSTM' && row.title === '`clip` 0.2') expect(Number(text)).toBeGreaterThan(1e-3)
        else expect(Number(text)).toBeLessThan(row.activation === 'Softplus' ? 1e-4 : 1e-6)
      }
    }
  })

  it('has no number above 1e-6', () => {
    for (const text of rows.flatMap((row) => row.slice(1))) {
      if (/^\d/.test(text)) expect(Number(text)).toBeLessThan(1e-6)
    }
  })
})
