/** The tables of `npm run accuracy`: on the terminal, and between two marks of docs/precision.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { backendInfo } from 'native-rnn'

const page = new URL('../../docs/precision.md', import.meta.url)
const marks = ['<!-- accuracy: written by `npm run accuracy -- --write` -->', '<!-- accuracy: end -->']

const short = (value) => (value === 0 ? '0' : value < 0.001 ? value.toExponential(1) : value.toPrecision(2))
const bytes = (value) => value.toLocaleString('en-US')

/** @param {import('./compare.mjs').Report} report */
function cellsOf({ unit, count, rows }) {
  const hasQuality = rows.some(({ quality }) => quality !== undefined)
  const head = [
    'weights',
    'bytes',
    ...(count > 0 ? ['decisions changed'] : []),
    'largest difference',
    'mean difference',
  ]
  if (hasQuality) head.push('against the truth')
  const lines = rows.map(({ format, bytes: own, changed, worst, mean, quality }) => [
    format,
    bytes(own),
    ...(count > 0 ? [`${changed} of ${bytes(count)}`] : []),
    `${short(worst)}${unit}`,
    `${short(mean)}${unit}`,
    ...(hasQuality ? [quality ?? ''] : []),
  ])
  return { head, lines }
}

/** @param {readonly import('./compare.mjs').Report[]} reports */
export function print(reports) {
  for (const report of reports) {
    const { head, lines } = cellsOf(report)
    const widths = head.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i].length)))
    console.log(`${report.name}${report.count > 0 ? `; a decision is ${report.decision}` : ''}`)
    for (const line of [head, ...lines]) console.log(`  ${line.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`)
    console.log()
  }
}

/** @param {readonly import('./compare.mjs').Report[]} reports */
export function write(reports) {
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(marks[0]), text.indexOf(marks[1])]
  if (from < 0 || to < from) throw new Error(`docs/precision.md has no place for the tables: ${marks.join(' … ')}`)
  const row = (cells) => `| ${cells.join(' | ')} |`
  const tables = reports.map((report) => {
    const { head, lines } = cellsOf(report)
    const table = [row(head), row(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...lines.map(row)].join('\n')
    return `**${report.name}.** A decision is ${report.decision}.\n\n${table}\n`
  })
  const where = `Measured on the ${backendInfo().name} backend.\n`
  writeFileSync(page, `${text.slice(0, from)}${marks[0]}\n\n${where}\n${tables.join('\n')}\n${text.slice(to)}`)
}
