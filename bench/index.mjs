/** `npm run bench`: reads the command line, runs the shapes, prints the table; bench/README.md says how to use it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { levelOf } from './limits.mjs'
import { measure } from './measure.mjs'
import { criteriaText, evaluate } from './report/criteria.mjs'
import { close, open } from './session.mjs'
import { growthShapes, matches, shapes, withOut } from './shapes.mjs'
import { startup } from './startup.mjs'
import { columns, header, line, titles } from './table.mjs'

const help = `npm run bench -- [options]
  --only <words>      shapes whose name has all these words; commas give alternatives: 'lstm stream, H=128'; 'start'
                      is the time from a process's start to its first result
  --backend <names>   only these backends of native-rnn, e.g. avx2,typescript; the first is what rivals are held against
  --rivals <names>    only these rivals; 'none' for none
  --quick             few shapes, few rounds: about a minute
  --busy              the machine has other work: short slices, many rounds, the best instead of the median
  --rounds <n>        rounds of each shape (default 7)
  --models            whole models beside onnxruntime-node, instead of shapes; with --only, --backend, --rounds, --quick, --busy, --json, --from;
                      --report writes docs/model-figures.md and the README's table of a model
  --formats           weights of fewer bytes beside f32 and beside others' int8 LSTM, instead of the usual shapes; with --only, --backend,
                      --rivals, --quick, --busy, --rounds, --criteria, --json, --from; --report writes docs/format-figures.md and the README's sentence
  --chart             what the README's chart shows and nothing else, about a minute; with --backend, --rivals, --rounds, --json, --from;
                      --report draws docs/speed.svg
  --growth            how the cost grows with T, B and H, instead of the usual shapes
  --criteria          afterwards, each bar of the project with yes or no
  --json [file]       all results as JSON, on stdout or in the file
  --from <files>      nothing is timed: the figures of earlier --json files together, for --criteria and --report
  --report [file]     a page with charts (default bench/build/report.html); a whole run also puts its figures and charts
                      into docs/`

const options = {
  only: { type: 'string' },
  backend: { type: 'string' },
  rivals: { type: 'string' },
  rounds: { type: 'string' },
  quick: { type: 'boolean' },
  busy: { type: 'boolean' },
  growth: { type: 'boolean' },
  models: { type: 'boolean' },
  formats: { type: 'boolean' },
  chart: { type: 'boolean' },
  criteria: { type: 'boolean' },
  json: { type: 'string' },
  from: { type: 'string' },
  report: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
}

/** `--json` and `--report` may stand without a file. */
function withDefaults(args) {
  return args.flatMap((arg, i) => {
    const bare = (arg === '--json' || arg === '--report') && (i + 1 === args.length || args[i + 1].startsWith('--'))
    return bare ? [`${arg}=`] : [arg]
  })
}

const say = (text) => process.stderr.write(text)

/** What is being timed: one line that overwrites itself on a terminal, a line now and then elsewhere. */
function progress(total) {
  const start = performance.now()
  let said = start
  return {
    show(i, name) {
      const text = `${i + 1} of ${total}, ${Math.round((performance.now() - start) / 1000)} s: ${name}`
      if (process.stderr.isTTY) say(`\r${text.padEnd(78)}`)
      else if (performance.now() - said > 1e4) {
        say(`${text}\n`)
        said = performance.now()
      }
    },
    clear() {
      if (process.stderr.isTTY) say(`\r${' '.repeat(78)}\r`)
    },
  }
}

async function main() {
  const { values: args } = parseArgs({ args: withDefaults(process.argv.slice(2)), options })
  if (args.help) return console.log(help)
  if (args.models) return (await import('./models/index.mjs')).run(args)
  if (args.chart) return (await import('./chart/index.mjs')).run(args)
  if (args.formats) return (await import('./formats/index.mjs')).run(args)
  const report = args.report === undefined ? undefined : await openReport()
  if (args.from) return finish(stored(args.from.split(',')), args, report)
  const wanted = chosen(args)
  if (wanted.length === 0 && !timesStart(args)) throw new Error(`no shape matches --only '${args.only}'`)
  const session = await open(args)
  try {
    const results = await run(wanted, session, args)
    const rivals = session.rivals.map(({ name }) => name)
    const start = timesStart(args) ? startup(args.quick ? 5 : 41, rivals) : []
    await finish({ ...session.facts, best: session.backends[0], results, startup: start }, args, report)
  } finally {
    close(session)
  }
}

/** The figures of several files as those of one run; the machine is the first one's. */
function stored(files) {
  const parts = files.map((file) => JSON.parse(readFileSync(file, 'utf8')))
  return {
    ...parts[0],
    results: parts.flatMap(({ results }) => results),
    startup: parts.flatMap(({ startup }) => startup),
  }
}

/** Whether the start of a process is timed: in a whole run, or where `--only start` asks for it. */
function timesStart({ only, growth }) {
  return !growth && (!only || only.split(',').some((terms) => terms.trim() === 'start'))
}

function chosen({ only, quick, growth, report }) {
  const table = growth ? growthShapes : report !== undefined ? [...shapes, ...growthShapes] : shapes
  return table.filter((shape) => matches(shape, only) && (!quick || shape.quick || growth))
}

/** Before the run, so that a missing chart library is not found out at its end. */
async function openReport() {
  try {
    return await import('./report/report.mjs')
  } catch (error) {
    throw new Error(`--report needs the chart library that npm run bench:rivals installs: ${error.message}`)
  }
}

async function run(wanted, session, { json, busy }) {
  const print = json === '' ? () => {} : console.log
  const best = session.backends[0]
  const rivals = session.rivals
    .map(({ name }) => name)
    .filter((name) => wanted.some((shape) => shape.rivals.includes(name)))
  const cols = columns({
    backends: wanted.every((shape) => shape.best) ? [best] : session.backends,
    rivals,
    threads: [...new Set(wanted.flatMap((shape) => shape.threads))],
    out: wanted.some(withOut),
  })
  print(header(session.facts))
  if (busy) print('a busy machine: the best of short rounds, not medians')
  print(`\n${titles(cols, best)}`)
  const results = []
  const shown = progress(wanted.length)
  for (const [i, shape] of wanted.entries()) {
    shown.show(i, shape.name)
    const result = await measure(shape, session)
    shown.clear()
    if (i > 0 && wanted[i - 1].group !== shape.group) print('')
    print(line(result, cols, best, (bytes) => levelOf(bytes, session.facts.caches)))
    results.push(result)
  }
  return results
}

async function finish(found, args, report) {
  const criteria = evaluate(found.results, found.best, found.startup)
  const all = { ...found, criteria }
  if (args.json !== '') {
    for (const { name, ms, over } of found.startup) {
      console.log(`start of ${name}: ${ms.toFixed(1)} ms, ${over.toFixed(1)} over bare Node`)
    }
    if (args.criteria) console.log(`\n${criteriaText(criteria)}`)
  }
  if (args.json === '') console.log(JSON.stringify(all, null, 1))
  else if (args.json) writeFileSync(args.json, JSON.stringify(all, null, 1))
  const partial = Boolean(args.quick || args.busy || args.only || args.backend || args.rivals)
  if (report) for (const path of await report.writeReport(all, args.report, partial)) say(`wrote ${path}\n`)
}

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
