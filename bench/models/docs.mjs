/** The figures of whole models in the documentation: docs/model-figures.md, and the README's table of one model. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { section, table } from '../markdown.mjs'
import { BATCH, header, number, RIVAL, ratio, title } from './table.mjs'

const page = new URL('../../docs/model-figures.md', import.meta.url)
const readme = new URL('../../README.md', import.meta.url)
/** Whose figures the README has. */
const shown = 'silero vad 16k op15'

const introduction = `# The figures of whole models

<!-- Written by bench/models/docs.mjs. -->

Every figure on this page is put here by \`npm run bench -- --models --report\`: whole models here and in onnxruntime-node, one thread each, checked
to compute the same numbers and then timed in turns. [bench/README.md](../bench/README.md#whole-models) says how they are measured and which models
they are. × says how many times longer onnxruntime-node takes. Ratios within a row hold better than the times of different rows.
`

function figures(all) {
  const { own, results } = all
  const pair = (times, divisor = 1) => [
    number(times[own] / divisor),
    number(times[RIVAL] / divisor || undefined),
    ratio(times[own], times[RIVAL]),
  ]
  const calls = results.map((result) => [title(result), ...pair(result.one), ...pair(result.many, BATCH)])
  const loads = results.map((result) => [title(result), number(result.bytes / 1024), ...pair(result.load)])
  const held = results.filter((result) => result.held)
  const memory = held.map((result) => {
    const { streams, shared, sessions } = result.held
    return [title(result), number(streams), number(shared), number(sessions)]
  })
  const there = 'onnxruntime-node'
  return [
    introduction,
    section('The machine', `\`\`\`text\n${header(all)}\n\`\`\``),
    section(
      'A step or a run',
      `Of a model with states a live stream's step, else one run; then the same for ${BATCH} rows at once, of which one.\n\n${table(
        ['model', `${own}, µs`, `${there}, µs`, '×', `${own}, µs a row of ${BATCH}`, `${there}, µs a row`, '×'],
        calls,
      )}`,
    ),
    section(
      'Loading',
      `From the file's bytes to the first result.\n\n${table(['model', 'KB', `${own}, ms`, `${there}, ms`, '×'], loads)}`,
    ),
    section(
      'Memory',
      `What a process has grown by with 1,000 streams of one model; of a session a stream 20 are opened and the rest is reckoned.\n\n${table(
        ['model', 'streams, MB', `${there}: one session, states by hand, MB`, `${there}: a session a stream, MB`],
        memory,
      )}`,
    ),
  ].join('\n')
}

/** The README's table; undefined where the run does not have its model. */
function excerpt({ own, results, cpu, date, rival }) {
  const found = results.find(({ name }) => name === shown)
  if (!found?.one[RIVAL] || !found.held?.sessions) return undefined
  const { one, many, held } = found
  const rows = [
    ['a step of a live stream, µs', number(one[own]), number(one[RIVAL]), ratio(one[own], one[RIVAL])],
    [
      `a row of a batch of ${BATCH}, µs`,
      number(many[own] / BATCH),
      number(many[RIVAL] / BATCH),
      ratio(many[own], many[RIVAL]),
    ],
    [
      '1,000 streams, MB (there: one session)',
      number(held.streams),
      number(held.shared),
      ratio(held.streams, held.shared),
    ],
    [
      '1,000 streams, MB (there: a session a stream)',
      number(held.streams),
      number(held.sessions),
      ratio(held.streams, held.sessions),
    ],
  ]
  const head = [
    `Silero VAD, 16 kHz; ${cpu}, ${own}, one thread, ${date}`,
    'native-rnn',
    `onnxruntime-node ${rival}`,
    '×',
  ]
  return table(head, rows)
}

/** Writes the page, and the README's table; returns the paths that were written. */
export function writeModelFigures(all) {
  writeFileSync(page, figures(all))
  const own = excerpt(all)
  if (own === undefined) return [fileURLToPath(page)]
  const text = readFileSync(readme, 'utf8')
  const mark = /<!-- figures: models -->\n\n[\s\S]*?\n\n<!-- end -->/
  writeFileSync(
    readme,
    text.replace(mark, () => `<!-- figures: models -->\n\n${own}\n\n<!-- end -->`),
  )
  return [fileURLToPath(page), fileURLToPath(readme)]
}
