/** The figures of the weight formats in the documentation: docs/format-figures.md with its chart, and the README's sentence. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { section, table } from '../markdown.mjs'
import { cells } from '../shapes.mjs'
import { header } from '../table.mjs'
import { barsRows, evaluate } from './bars.mjs'
import { chart } from './chart.mjs'
import { gain, geometric, integers, kinds, narrow } from './kinds.mjs'
import { large, means, number, us } from './table.mjs'

const page = new URL('../../docs/format-figures.md', import.meta.url)
const picture = new URL('../../docs/formats.svg', import.meta.url)
const readme = new URL('../../README.md', import.meta.url)

const introduction = `# The figures of weight formats

<!-- Written by bench/formats/docs.mjs. -->

Every figure on this page is put here by \`npm run bench -- --formats --report\`: the [weight formats](precision.md) beside float32 with the same
weights, one thread, timed in turns. × says how many times faster than float32. Ratios within a row hold better than the times of different rows.
[bench/README.md](../bench/README.md#weight-formats) says how they are measured.
`

const titleOf = ({ name, group }) => name.replace(` ${group}`, '')
const names = narrow.map(({ name }) => name)

function timesTable(results, group) {
  const rows = cells.flatMap((cell) => {
    const found = results.filter((result) => result.cell === cell && result.group === group)
    const each = found.map((result) => [
      titleOf(result),
      us(result.times.f32.us),
      ...narrow.flatMap((kind) => [us(result.times[kind.name].us), number(gain(result, kind))]),
    ])
    const mean = group === 'stream' ? large(results, cell) : []
    if (mean.length < 2) return each
    const sizes = `${mean[0].H} … ${mean.at(-1).H}`
    return [
      ...each,
      [`${cell}, H = ${sizes}, geometric mean`, '', ...means(mean).flatMap((value) => ['', number(value)])],
    ]
  })
  return table(['shape', 'f32 µs', ...names.flatMap((name) => [`${name} µs`, '×'])], rows)
}

function limitsTable(results) {
  const found = results.filter(({ limits }) => limits.f32)
  const near = (result) => kinds.map(({ name }) => number(result.limits[name].reached))
  return table(
    ['shape', ...kinds.map(({ name }) => name)],
    cells.flatMap((cell) => found.filter((one) => one.cell === cell).map((one) => [one.name, ...near(one)])),
  )
}

function memoryTable(results) {
  const rows = cells.flatMap((cell) =>
    results
      .filter((result) => result.cell === cell && result.group === 'stream')
      .map((result) => {
        const { memory } = result
        return [
          titleOf(result),
          memory.f32.toLocaleString('en-US'),
          ...names.map((name) => (memory[name] / memory.f32).toFixed(3)),
        ]
      }),
  )
  return table(['shape', 'f32 bytes', ...names], rows)
}

/** Beside what others compute on integers of 8 bits; `off` is how far results are from float32's. */
function rivalTable({ results, beside }) {
  if (beside.length === 0) return 'No rival was there: `npm run bench:rivals` installs them.'
  const contestants = [integers.name, ...beside]
  const rows = results
    .filter(({ times }) => times[beside[0]])
    .map(({ name, times }) => {
      const own = times[integers.name].us
      const others = beside.flatMap((rival) => [us(times[rival].us), number(times[rival].us / own)])
      return [name, us(own), ...others, ...contestants.map((who) => times[who].difference.toFixed(4))]
    })
  const head = beside.flatMap((rival) => [`${rival} µs`, '×'])
  return table(['shape', `${integers.name} µs`, ...head, ...contestants.map((who) => `${who}: off`)], rows)
}

function figures(all) {
  const { results } = all
  return [
    introduction,
    section('The machine', `\`\`\`text\n${header(all)}\n\`\`\``),
    section(
      'Streams: one step of one sequence',
      `![GOP/s of a stream’s step by format, and the most that reading the weights allows](formats.svg)\n\n${timesTable(results, 'stream')}`,
    ),
    section('Batches of 32 rows', timesTable(results, 'batch')),
    section(
      'Beside the int8 LSTM of others',
      `An LSTM with int8 weights in onnxruntime-node (\`DynamicQuantizeLSTM\`) and in PyTorch (\`quantize_dynamic\`), which round x and h to 8 bits as int8 × int8 does, and in oneDNN, whose scale of x and h is fixed beforehand; × says how many times longer they take.

${rivalTable(all)}`,
    ),
    section('limit / measured', limitsTable(results)),
    section(
      'Bytes',
      `What \`layer.memory()\` tells of float32, and of it what the formats take.\n\n${memoryTable(results)}`,
    ),
    section('The bars', table(['shapes', 'what', 'asked', 'got', 'met'], barsRows(evaluate(all)))),
  ].join('\n')
}

/** The README's sentence; undefined where the run does not have what it says. */
function sentence({ results, cpu, best, date }) {
  const streams = large(results, 'lstm')
  if (streams.length < 2) return undefined
  const found = means(streams).map((mean, i) => `${number(mean)} with ${names[i]}`)
  const slower = streams
    .filter(({ times }) => times.onnxruntime)
    .map(({ times }) => times.onnxruntime.us / times[integers.name].us)
  const beside =
    slower.length > 0 ? `; onnxruntime’s int8 LSTM takes ${number(geometric(slower))} times as long as int8 × int8` : ''
  return `A stream’s step of an LSTM of ${streams[0].H} to ${streams.at(-1).H} units, times as fast as float32’s in the geometric mean (${cpu}, ${best}, one thread,
${date}): ${found.join(', ')}${beside} ([figures](docs/format-figures.md)).`
}

/** Writes the page, its chart and the README's sentence; returns the paths that were written. */
export async function writeFormatFigures(all) {
  writeFileSync(page, figures(all))
  writeFileSync(picture, await chart(all))
  const written = [page, picture]
  const own = sentence(all)
  if (own !== undefined) {
    const text = readFileSync(readme, 'utf8')
    const mark = /<!-- figures: formats -->\n\n[\s\S]*?\n\n<!-- end -->/
    writeFileSync(
      readme,
      text.replace(mark, () => `<!-- figures: formats -->\n\n${own}\n\n<!-- end -->`),
    )
    written.push(readme)
  }
  return written.map((file) => fileURLToPath(file))
}
