/** The bars that the project set itself for fewer bytes a weight, held against the results of a run. */
import { cells } from '../shapes.mjs'
import { gain, geometric, integers, meanFrom, narrow } from './kinds.mjs'

// Times float32: of streams from 256 units on in the geometric mean, at 128 units, at most 64 units, and of batches; and of float32's bytes at most.
const halves = { large: 1.7, middle: 1, batch: 0.95, memory: 0.51 }
const asked = {
  f16: halves,
  bf16: halves,
  int8: { large: 2, middle: 1, batch: 0.9, memory: 0.27 },
  'int8 × int8': { large: 3, middle: 1.4, batch: 1, memory: 0.27 },
}
// With an instruction for sums of products of 8-bit integers.
const askedOfDots = { large: 4, middle: 2, batch: 2 }
const small = 0.91
const rival = { large: 3, middle: 8, batch: 1.3 }

const isStream = ({ group }) => group === 'stream'
const least = (values) => Math.min(...values)
const groups = [
  {
    key: 'large',
    title: `stream, H ≥ ${meanFrom}, mean`,
    where: (shape) => isStream(shape) && shape.H >= meanFrom,
    of: geometric,
  },
  { key: 'middle', title: 'stream, H = 128', where: (shape) => isStream(shape) && shape.H === 128, of: least },
  { key: 'small', title: 'stream, H ≤ 64, each', where: (shape) => isStream(shape) && shape.H <= 64, of: least },
  { key: 'batch', title: 'batch of 32, each', where: ({ group }) => group === 'batch', of: least },
]

/** Whether the processor has an instruction for sums of products of 8-bit integers: without one they are at most twice as fast as floats. */
const hasDots = ({ limits, best }) => limits[best]?.dots > 3 * limits[best].P

/** Every bar as a row: what of, what, asked, got, and whether it is met. Bars whose shapes or rival were not in the run give none. */
export function evaluate({ results, limits, best }) {
  const rows = []
  const wide = hasDots({ limits, best })
  for (const cell of cells) {
    const own = results.filter((result) => result.cell === cell)
    for (const kind of narrow) {
      const bars = { small, ...asked[kind.name], ...(wide && kind.integers ? askedOfDots : {}) }
      for (const { key, title, where, of } of groups) {
        const found = own.filter(where)
        if (found.length === 0) continue
        const got = of(found.map((result) => gain(result, kind)))
        rows.push({
          title: `${cell} ${title}`,
          what: `${kind.name}: × f32`,
          asked: `≥ ${bars[key]}`,
          got,
          met: got >= bars[key],
        })
      }
      const kept = own.filter((shape) => isStream(shape) && shape.H >= 128)
      if (kept.length === 0) continue
      const got = Math.max(...kept.map(({ memory }) => memory[kind.name] / memory.f32))
      const what = `${kind.name}: bytes of f32’s`
      rows.push({ title: `${cell}, H ≥ 128`, what, asked: `≤ ${bars.memory}`, got, met: got <= bars.memory })
    }
    for (const { key, title, where, of } of groups) {
      const found = own.filter((result) => where(result) && result.times.onnxruntime)
      if (rival[key] === undefined || found.length === 0) continue
      const got = of(found.map(({ times }) => times.onnxruntime.us / times[integers.name].us))
      const what = `${integers.name}: × onnxruntime`
      rows.push({ title: `${cell} ${title}`, what, asked: `≥ ${rival[key]}`, got, met: got >= rival[key] })
    }
  }
  return rows
}

/** The rows for a table. */
export const barsRows = (rows) =>
  rows.map(({ title, what, asked, got, met }) => [title, what, asked, got.toFixed(got < 1 ? 3 : 2), met ? 'yes' : 'no'])

/** The rows as text. */
export const barsText = (rows) =>
  barsRows(rows)
    .map(
      ([title, what, asked, got, met]) =>
        `${met.padEnd(4)}${title.padEnd(36)}${what.padEnd(30)}${asked.padEnd(8)}${got}`,
    )
    .join('\n')
