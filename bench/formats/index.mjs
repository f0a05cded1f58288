/** `npm run bench -- --formats`: the weight formats beside float32 and beside the int8 LSTM of others, on one thread, in turns. */
import { readFileSync, writeFileSync } from 'node:fs'
import { openLibrary } from '../library.mjs'
import { close, open } from '../session.mjs'
import { cells, formatShapes, matches } from '../shapes.mjs'
import { header } from '../table.mjs'
import { barsText, evaluate } from './bars.mjs'
import { narrow } from './kinds.mjs'
import { measureFormats } from './measure.mjs'
import { large, line, means, number, titles } from './table.mjs'

/** Times the formats as the command line asks, or takes the figures of an earlier run. */
export async function run(args) {
  if (args.report !== undefined && (args.only || args.quick || args.busy)) {
    throw new Error('--report puts a whole run into docs/: not with --only, --quick or --busy')
  }
  const write = args.report === undefined ? undefined : (await openDocs()).writeFormatFigures
  const all = args.from ? stored(args.from.split(',')) : await timed(args)
  if (args.criteria) console.log(`\n${barsText(evaluate(all))}`)
  if (args.json === '') console.log(JSON.stringify(all, null, 1))
  else if (args.json) writeFileSync(args.json, JSON.stringify(all, null, 1))
  if (write) for (const path of await write(all)) console.error(`wrote ${path}`)
}

/** Before the run, so that a missing chart library is not found out at its end. */
async function openDocs() {
  try {
    return await import('./docs.mjs')
  } catch (error) {
    throw new Error(`--report needs the chart library that npm run bench:rivals installs: ${error.message}`)
  }
}

/** The figures of several files as those of one run; the machine is the first one's. */
function stored(files) {
  const parts = files.map((file) => JSON.parse(readFileSync(file, 'utf8')))
  return { ...parts[0], results: parts.flatMap(({ results }) => results) }
}

async function timed(args) {
  const { only, quick, json } = args
  const wanted = formatShapes.filter((shape) => matches(shape, only) && (!quick || shape.quick))
  if (wanted.length === 0) throw new Error(`no shape matches --only '${only}'`)
  const backend = args.backend?.split(',')[0] ?? (await openLibrary()).availableBackends()[0]
  const session = await open({ ...args, backend, rivals: args.rivals ?? 'onnxruntime,onednn,pytorch' })
  try {
    const print = json === '' ? () => {} : console.log
    const rivals = session.rivals.filter(({ opened }) => opened.loadQuantized).map(({ name }) => name)
    const results = []
    print(`${header(session.facts)}\n\n${titles(rivals)}`)
    for (const shape of wanted.sort((a, b) => cells.indexOf(a.cell) - cells.indexOf(b.cell))) {
      results.push(await measureFormats(shape, session))
      print(line(results.at(-1), rivals))
    }
    for (const cell of cells.filter((name) => large(results, name).length > 0)) {
      const found = means(large(results, cell)).map((mean, i) => `${narrow[i].name} ${number(mean)}`)
      print(`${cell} stream, geometric mean from H = ${large(results, cell)[0].H} on, times f32: ${found.join(', ')}`)
    }
    return { ...session.facts, best: backend, beside: rivals, results }
  } finally {
    close(session)
  }
}
