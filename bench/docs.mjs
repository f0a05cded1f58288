/** The figures in docs/: replaces the marked tables of docs/speed.md, and its charts, by those of a run. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { growthCharts, overview } from './charts.mjs'
import { criteriaRows } from './criteria.mjs'
import { levelOf } from './limits.mjs'
import { cells } from './shapes.mjs'
import { header } from './table.mjs'

const folder = new URL('../docs/', import.meta.url)
const page = new URL('speed.md', folder)
const builds = new URL('build/', import.meta.url)

const number = (value, digits = 2) => (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits))
const us = (value) => (value === undefined ? '–' : value < 1000 ? value.toPrecision(3) : String(Math.round(value)))

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

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

/** What bench/promise.mjs found last on each backend. */
function promiseTable() {
  const backends = ['avx512', 'avx2', 'neon'].filter((name) => existsSync(new URL(`promise-${name}.json`, builds)))
  if (backends.length === 0) return undefined
  const found = backends.map((name) => JSON.parse(readFileSync(new URL(`promise-${name}.json`, builds), 'utf8')))
  const percent = ({ cost }) => `${(cost * 100).toFixed(0)} %`
  const rows = found[0].map(({ name }, i) => [name.replace(' promise', ''), ...found.map((list) => percent(list[i]))])
  return table(['shape', ...backends], rows)
}

/** Returns the paths that were written. */
export async function updateDocs(all) {
  mkdirSync(folder, { recursive: true })
  const written = []
  const has = (group, H) => all.results.some((result) => result.group === group && result.H === H)
  const charts = {}
  if (has('stream', 128) && has('sequence', 256) && has('batch', 256)) charts['speed.svg'] = overview(all)
  for (const [size, chart] of Object.entries(growthCharts(all))) charts[`growth-${size}.svg`] = chart
  for (const [name, chart] of Object.entries(charts)) {
    const file = new URL(name, folder)
    writeFileSync(file, await chart)
    written.push(fileURLToPath(file))
  }
  if (!existsSync(page)) return written
  const tables = {
    machine: `\`\`\`text\n${header(all)}\n\`\`\``,
    stream: shapesTable(all, 'stream'),
    sequence: shapesTable(all, 'sequence'),
    batch: shapesTable(all, 'batch'),
    tiny: shapesTable(all, 'tiny'),
    threads: threadsTable(all),
    criteria: criteriaTable(all),
    start: startTable(all),
    promise: promiseTable(),
  }
  const text = readFileSync(page, 'utf8').replace(
    /(<!-- figures: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (whole, open, name, close) => (tables[name] ? `${open}\n${tables[name]}\n\n${close}` : whole),
  )
  writeFileSync(page, text)
  return [...written, fileURLToPath(page)]
}
