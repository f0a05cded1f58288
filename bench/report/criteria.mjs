/** The bars that the project set itself, held against the results of a run. */
import { cells, neighbours } from '../shapes.mjs'

const geometric = (values) => Math.exp(values.reduce((total, value) => total + Math.log(value), 0) / values.length)

const bars = [
  {
    title: 'stream, H = 8 … 128',
    group: 'stream',
    from: 8,
    to: 128,
    each: { onnxruntime: 20, onednn: 2 },
    limit: 0.6,
    limitFrom: 32,
  },
  {
    title: 'stream, H = 256, 512',
    group: 'stream',
    from: 256,
    to: 512,
    each: { onnxruntime: 3, onednn: 1.2 },
    limit: 0.8,
  },
  {
    title: 'T = 28 … 100, B = 1, H = 32 … 512',
    group: 'sequence',
    each: { onnxruntime: 1.5, onednn: 1.1 },
    mean: { onnxruntime: 2.2, onednn: 1.5 },
    limit: 0.75,
  },
  {
    title: 'B = 32 and 64, H = 64 … 512',
    group: 'batch',
    each: { onnxruntime: 1.3, onednn: 1.05 },
    mean: { onnxruntime: 1.6 },
    limit: 0.8,
  },
  { title: 'T = 3, I = 3, H = 4, arrays in', group: 'tiny', each: { onnxruntime: 15 } },
]

/**
 * Every bar as a row: what was asked, what came, whether it is met, and which shapes fall short. Against a rival also what would
 * come at the limit itself, with the input product hidden behind the reading of the recurrent weights, and how many of the shapes
 * that fall short would do so even there: what is asked of them is beyond it.
 * A bar whose shapes or rivals were not in the run gives no row.
 */
export function evaluate(results, best, startupRows = []) {
  const rows = []
  const add = (title, what, asked, values, summary, most) => {
    if (values.length === 0) return
    const short = values.filter(({ value }) => !(value >= asked))
    const got = summary ?? Math.min(...values.map(({ value }) => value))
    const missed = summary === undefined ? short.map(missedShape) : []
    const beyond = summary === undefined ? short.filter(({ most }) => most < asked).length : 0
    rows.push({ title, what, asked, got, met: got >= asked, of: values.length, missed, beyond, most })
  }
  for (const cell of cells) {
    const own = results.filter((result) => result.cell === cell && result.times[best])
    for (const bar of bars) {
      const { group, from = 0, to = Infinity } = bar
      const within = own.filter((result) => result.group === group && result.H >= from && result.H <= to)
      const title = `${cell} ${bar.title}`
      for (const rival of ['onnxruntime', 'onednn']) {
        const timed = within.filter(({ times }) => times[rival])
        const values = timed.map(({ name, times, limits }) => {
          const value = times[rival].us / times[best].us
          return {
            name,
            value,
            most: bar.limit && limits[best] ? times[rival].us / limits[best].overlapped : undefined,
          }
        })
        if (bar.each[rival]) add(title, `× ${rival}, each`, bar.each[rival], values)
        if (bar.mean?.[rival]) {
          const [mean, most] = ['value', 'most'].map((key) => geometric(values.map((value) => value[key])))
          add(title, `× ${rival}, mean`, bar.mean[rival], values, mean, most)
        }
      }
      const limited = within.filter(({ limits, H }) => limits[best] && H >= (bar.limitFrom ?? 0))
      const reached = limited.map(({ name, limits }) => ({ name, value: limits[best].reached }))
      if (bar.limit) add(title, 'limit / measured', bar.limit, reached)
    }
    add(
      `${cell} threads: 2, B ≥ 32`,
      '× one thread',
      1.7,
      twoThreads(own, best, ({ B }) => B >= 32),
    )
    const long = ({ B, T, H }) => B === 1 && T === 100 && H >= 256
    add(`${cell} threads: 2, T = 100, B = 1, H ≥ 256`, '× one thread', 1.3, twoThreads(own, best, long))
    add(`${cell} H = 67, 100, 200`, 'of the neighbours’ speed', 0.85, odd(own, best))
  }
  const start = startupRows.find(({ name }) => name === 'native-rnn')
  if (start)
    rows.push({
      title: 'import to first result',
      what: 'ms over bare Node',
      asked: 10,
      got: start.over,
      met: start.over < 10,
      of: 1,
      missed: [],
      beyond: 0,
    })
  return rows
}

/** A shape that falls short, with what would come at the limit where that is known. */
function missedShape({ name, value, most }) {
  const atLimit = most === undefined ? '' : `, ${most.toFixed(2)} at the limit`
  return `${name.split(' ').slice(2).join(' ')}: ${value.toFixed(2)}${atLimit}`
}

function twoThreads(results, best, which) {
  return results
    .filter((result) => result.times[`${best} ×2`] && which(result))
    .map(({ name, times }) => ({ name, value: times[best].us / times[`${best} ×2`].us }))
}

/** The speed per operation of an odd size over that of the sizes beside it, at the same T and B. */
function odd(results, best) {
  const group = results.filter((result) => result.group === 'odd')
  const speed = (like, H) => group.find((r) => r.H === H && r.form === like.form && r.B === like.B)?.times[best].gflops
  return group
    .filter(({ H }) => neighbours[H])
    .map((result) => {
      const beside = neighbours[result.H].map((H) => speed(result, H)).filter(Boolean)
      return { name: result.name, value: result.times[best].gflops / geometric(beside) }
    })
    .filter(({ value }) => Number.isFinite(value))
}

/** How many shapes fall short, and how many of them would at the limit too. */
function why({ of, missed, beyond, most, asked }) {
  if (most !== undefined) return `, ${most.toFixed(2)} at the limit${most < asked ? ': beyond it' : ''}`
  if (missed.length === 0) return ''
  return `, ${missed.length} of ${of} short${beyond > 0 ? `, ${beyond} beyond the limit` : ''}`
}

/** The rows for a table: shapes, what, asked, got, met. */
export function criteriaRows(rows) {
  return rows.map((row) => {
    const { title, what, asked, got, met } = row
    return [title, what, `${what.startsWith('ms') ? '<' : '≥'} ${asked}`, got.toFixed(2), met ? 'yes' : `no${why(row)}`]
  })
}

/** The rows as text. */
export function criteriaText(rows) {
  const lines = rows.map((row) => {
    const { title, what, asked, got, met, of, missed } = row
    const bar = what.startsWith('ms') ? `< ${asked}` : `≥ ${asked}`
    const shown =
      missed.length > 4 ? `${missed.slice(0, 4).join('; ')}; and ${missed.length - 4} more` : missed.join('; ')
    return `${met ? 'yes' : 'NO '} ${title.padEnd(44)}${what.padEnd(26)}${bar.padEnd(8)}${got.toFixed(2).padStart(7)}  (${of})${met ? '' : `${why(row)}${shown && `:  ${shown}`}`}`
  })
  return lines.join('\n')
}
