/** The figures in docs/: writes docs/speed-figures.md and the charts from a run; a table that the run does not have stays as it was. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { levelOf } from '../limits.mjs'
import { table } from '../markdown.mjs'
import { cells } from '../shapes.mjs'
import { header } from '../table.mjs'
import { growthCharts } from './charts.mjs'
import { criteriaRows } from './criteria.mjs'

const folder = new URL('../../docs/', import.meta.url)
const page = new URL('speed-figures.md', folder)

const number = (value, digits = 2) => (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits))
const us = (value) => (value === undefined ? '–' : value < 1000 ? value.toPrecision(3) : String(Math.round(value)))

/** One row a shape: what it takes, how near the limit that is, and how much longer the rivals take. */
function shapesTable({ results, best, caches }, group) {
  const rivals = ['onednn', 'onnxruntime', 'pytorch']
  const found = results.filter((result) => result.group === group)
  if (found.length === 0) return undefined
  const other = best === 'avx2' ? 'portable' : 'avx2'
  const rows = cells.flatMap((cell) =>
    found
      .filter((result) => result.cell === cell)
      .map(({ name, times, limits, bytes }) => {
        const own = times[best].us
        const near = limits[best] ? `${number(limits[best].reached)} ${levelOf(bytes, caches)}` : '–'
        const chained = number(limits[best]?.reachedChained)
        const slower = rivals.map((rival) => (times[rival] ? number(times[rival].us / own) : '–'))
        const shape = name.replace(` ${group}`, '')
        return [
          shape,
          us(own),
          number(times[best].gflops, 0),
          near,
          chained,
          us(times[other]?.us),
          us(times.typescript?.us),
          ...slower,
        ]
      }),
  )
  const head = ['shape', `${best} µs`, 'GFLOP/s', 'limit / measured', 'with the chain', `${other} µs`, 'TypeScript µs']
  return table([...head, '× oneDNN', '× onnxruntime', '× PyTorch'], rows)
}

function threadsTable({ results, best }) {
  const found = results.filter(({ times }) => times[`${best} ×2`])
  if (found.length === 0) return undefined
  const rows = found.map(({ name, times }) => {
    const two = times[`${best} ×2`].us
    return [name, us(times[best].us), us(two), number(times[best].us / two)]
  })
  return table(['shape', 'one thread, µs', 'two threads, µs', 'times faster'], rows)
}

function criteriaTable({ criteria }) {
  if (criteria.length < 20) return undefined
  return table(['shapes', 'what', 'asked', 'got', 'met'], criteriaRows(criteria))
}

function startTable({ startup }) {
  if (startup.length === 0) return undefined
  return table(
    ['program', 'ms', 'over bare Node'],
    startup.map(({ name, ms, over }) => [name, number(ms, 1), number(over, 1)]),
  )
}

/** The page's sections in order; a table is undefined where the run does not have it. */
const sections = [
  { name: 'machine', title: 'The machine', table: (all) => `\`\`\`text\n${header(all)}\n\`\`\`` },
  { name: 'stream', title: 'Streams: one step of one sequence', table: (all) => shapesTable(all, 'stream') },
  { name: 'sequence', title: 'Sequences: T steps of one sequence', table: (all) => shapesTable(all, 'sequence') },
  { name: 'batch', title: 'Batches', table: (all) => shapesTable(all, 'batch') },
  { name: 'tiny', title: 'A call on three steps', table: (all) => shapesTable(all, 'tiny') },
  { name: 'threads', title: 'Two threads', table: threadsTable },
  { name: 'start', title: 'From the start of a process', table: startTable },
  { name: 'criteria', title: 'The bars', table: criteriaTable },
]

const introduction = `# The figures of speed

<!-- Written by bench/report/docs.mjs. -->

Every figure on this page is put here by one run of the bench, \`npm run bench -- --report\`: one thread, f32, every contestant checked to compute
the same numbers and then timed in turns. [Speed](speed.md) says why the figures are what they are, [bench/README.md](../bench/README.md) how
they are measured. Ratios within a row hold better than the times of different rows.
`

/** What stands under each section's mark on the page so far. */
function earlier() {
  const text = existsSync(page) ? readFileSync(page, 'utf8') : ''
  return Object.fromEntries(
    [...text.matchAll(/<!-- figures: (\w+) -->\n\n([\s\S]*?)\n\n<!-- end -->/g)].map(([, name, table]) => [
      name,
      table,
    ]),
  )
}

/** The whole page. */
function figures(all) {
  const before = earlier()
  const texts = sections.flatMap(({ name, title, table }) => {
    const found = table(all) ?? before[name]
    return found ? [`## ${title}\n\n<!-- figures: ${name} -->\n\n${found}\n\n<!-- end -->\n`] : []
  })
  return [introduction, ...texts].join('\n')
}

/** Returns the paths that were written. */
export async function updateDocs(all) {
  mkdirSync(folder, { recursive: true })
  const written = []
  const charts = {}
  for (const [size, chart] of Object.entries(growthCharts(all))) charts[`growth-${size}.svg`] = chart
  for (const [name, chart] of Object.entries(charts)) {
    const file = new URL(name, folder)
    writeFileSync(file, await chart)
    written.push(fileURLToPath(file))
  }
  writeFileSync(page, figures(all))
  return [...written, fileURLToPath(page)]
}
