/** The page of a run and what goes with it: puts the charts in order and says what each shows; one file, no scripts. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { neighbours } from '../shapes.mjs'
import { header } from '../table.mjs'
import { bars, growthCharts, lines, overview, points } from './charts.mjs'
import { criteriaRows } from './criteria.mjs'
import { updateDocs } from './docs.mjs'

const root = new URL('../..', import.meta.url)

/** Writes the page and, unless the run was a partial one, the figures in docs/; returns the paths. */
export async function writeReport(all, file, partly) {
  const page = resolve(file || fileURLToPath(new URL('bench/build/report.html', root)))
  mkdirSync(dirname(page), { recursive: true })
  writeFileSync(page, await html(all))
  return partly ? [page] : [page, ...(await updateDocs(all))]
}

const escaped = (text) => String(text).replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c])
const limitTitle = 'limit'

async function html(all) {
  const sections = []
  const section = async (title, text, chart) => {
    if (chart)
      sections.push(
        `<section><h2>${escaped(title)}</h2><p>${escaped(text)}</p><figure>${await chart}</figure></section>`,
      )
  }
  const { best } = all
  const single = (name) => !name.includes('×')
  const over = (group, options, where = () => true) => {
    const values = points(all, { group, where, who: single })
    return values.length > 0 ? lines(values, options) : undefined
  }
  const size = { x: 'H', xTitle: 'hidden units H (inputs I = H)' }
  const speed = { ...size, y: 'gflops', yTitle: 'GFLOP/s' }
  const groups = ['stream', 'sequence', 'batch'].every((group) =>
    all.results.some((r) => r.group === group && r.H <= 256),
  )
  if (groups)
    await section(
      'At a glance',
      'Operations a second, two a weight and step. Dashed: more than this core can do.',
      overview(all),
    )
  await section(
    'A stream’s step',
    'One frame in, one state further. Lower is faster; the limit is the reading of the weights or the arithmetic.',
    over('stream', { ...size }),
  )
  await section(
    '100 steps, one sequence',
    'forward on T = 100, B = 1. Higher is faster.',
    over('sequence', { ...speed }, ({ T }) => T === 100),
  )
  await section(
    '28 steps, one sequence',
    'forward on T = 28, B = 1. Higher is faster.',
    over('sequence', { ...speed }, ({ T }) => T === 28),
  )
  for (const B of [32, 64]) {
    await section(
      `${B} sequences at once`,
      `forward on B = ${B}, T = 100 or 50. Higher is faster.`,
      over('batch', { ...speed }, (r) => r.B === B),
    )
  }
  await section(
    'How near the limit',
    `The limit's time over the measured time on ${best}: 1 is as fast as this core can be, one product after the other.`,
    reached(all),
  )
  await section('Two threads', 'How many times faster than one thread.', threaded(all))
  await section(
    'Odd sizes',
    'Speed per operation of sizes that fill no vector, over that of the sizes beside them (1: the same).',
    odd(all),
  )
  const growth = growthCharts(all)
  const steps = 'A stream’s step from 8 to 2048 units: the time grows with H², faster where the weights leave a cache.'
  await section('Growth with H', steps, growth.h)
  await section('Growth with T', 'forward on H = 128, B = 1: straight in T once the call itself is paid for.', growth.t)
  const rows =
    'forward on H = 128, T = 28: the weights are read once a step for all rows, so that more rows cost less each.'
  await section('Growth with B', rows, growth.b)
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>native-rnn: speed</title>
<style>
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #222; background: #fff; max-width: 1120px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .2rem } section p { margin: 0 0 .8rem; color: #555 }
pre { background: #f6f6f6; padding: .8rem 1rem; overflow-x: auto; font-size: 12.5px; line-height: 1.45 }
figure { margin: 0; overflow-x: auto } figure svg { max-width: 100%; height: auto }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap } th:first-child, td:first-child { text-align: left }
.short { display: block; text-align: left; white-space: normal; min-width: 14rem } .yes { color: #2b7a3d } .no { display: inline-block; max-width: 11rem; white-space: normal; color: #b3261e; font-weight: 600 }
</style>
<h1>native-rnn: speed</h1>
<pre>${escaped(header(all))}</pre>
${sections.join('\n')}
${criteriaTable(all.criteria)}
${startTable(all.startup)}
${resultTable(all)}
</html>
`
}

/** One row a shape of the three main groups, the name without the cell. */
function perShape(all, value) {
  return all.results
    .map((result) => ({
      cell: result.cell.toUpperCase(),
      name: result.name.split(' ').slice(1).join(' '),
      value: value(result),
    }))
    .filter(({ value }) => value !== undefined)
}

function reached(all) {
  const main = (result) => ['stream', 'sequence', 'batch'].includes(result.group) && result.H >= 32
  const values = perShape(all, (result) => (main(result) ? result.limits[all.best]?.reached : undefined))
  return values.length > 0 ? bars(values, { xTitle: 'limit / measured', asked: 1 }) : undefined
}

function threaded(all) {
  const two = ({ times }) => times[`${all.best} ×2`]
  const values = perShape(all, (result) => (two(result) ? result.times[all.best].us / two(result).us : undefined))
  return values.length > 0 ? bars(values, { xTitle: 'times faster than one thread', asked: 1 }) : undefined
}

function odd(all) {
  const group = all.results.filter(({ group }) => group === 'odd')
  const speed = (like, H) =>
    group.find((r) => r.cell === like.cell && r.H === H && r.form === like.form && r.B === like.B)?.times[all.best]
      .gflops
  const values = perShape({ results: group }, (result) => {
    const [below, above] = (neighbours[result.H] ?? []).map((H) => speed(result, H))
    return below && above ? speed(result, result.H) / Math.sqrt(below * above) : undefined
  })
  return values.length > 0 ? bars(values, { xTitle: 'of the neighbours’ speed', asked: 1 }) : undefined
}

const row = (cells, tag = 'td') => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`
const table = (title, head, rows) =>
  `<section><h2>${title}</h2><div class="scroll"><table>${row(head, 'th')}${rows.join('')}</table></div></section>`

function criteriaTable(criteria) {
  if (criteria.length === 0) return ''
  const rows = criteriaRows(criteria).map((cells, i) => {
    const word = cells.pop()
    const met = `<span class="${criteria[i].met ? 'yes' : 'no'}">${word}</span>`
    const short = criteria[i].met ? '' : criteria[i].missed.join('; ')
    return row([...cells.map(escaped), met, `<span class="short">${escaped(short)}</span>`])
  })
  return table('The bars', ['shapes', 'what', 'asked', 'got', 'met', 'short of it'], rows)
}

function startTable(start) {
  if (start.length === 0) return ''
  const rows = start.map(({ name, ms, over }) => row([name, ms.toFixed(1), over.toFixed(1)]))
  return table('From the start of the process', ['program', 'ms', 'over bare Node'], rows)
}

function resultTable({ results, best }) {
  const names = [...new Set(results.flatMap(({ times }) => Object.keys(times)))]
  const rows = results.map(({ name, times, limits }) => {
    const cells = names.map((who) => (times[who] ? times[who].us.toPrecision(4) : ''))
    return row([name, ...cells, limits[best]?.us.toPrecision(4) ?? '', limits[best]?.reached.toFixed(2) ?? ''])
  })
  return table('All figures, µs a call', ['shape', ...names, limitTitle, 'limit / measured'], rows)
}
