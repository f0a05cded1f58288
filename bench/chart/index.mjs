/** `npm run bench -- --chart`: times what the README's chart shows, and nothing else, in about a minute: three jobs beside the rivals, a stream in each weight format, a whole model's frame. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { measureFormats } from '../formats/measure.mjs'
import { openLibrary } from '../library.mjs'
import { measure } from '../measure.mjs'
import { openRival, times } from '../models/index.mjs'
import { models } from '../models/list.mjs'
import { close, open } from '../session.mjs'
import { formatShapes, matches, shapes } from '../shapes.mjs'
import { header } from '../table.mjs'

/** The shapes of the jobs. */
const jobs = 'stream H=128, sequence T=100 H=256, batch T=100 B=32 H=256'
/** The stream whose weights are kept in each format. */
const formats = 'stream H=512'
/** The model whose frame is timed. */
const model = 'silero vad 16k op15'

const picture = new URL('../../docs/speed.svg', import.meta.url)

/** Times it, or takes the figures of an earlier `--json`; `--report` draws docs/speed.svg. */
export async function run(args) {
  if (args.report !== undefined && (args.only || args.quick || args.busy)) {
    throw new Error('--report draws the chart of a whole run: not with --only, --quick or --busy')
  }
  const draw = args.report === undefined ? undefined : (await openPicture()).picture
  const all = args.from ? JSON.parse(readFileSync(args.from, 'utf8')) : await timed(args)
  if (args.json === '') console.log(JSON.stringify(all, null, 1))
  else if (args.json) writeFileSync(args.json, JSON.stringify(all, null, 1))
  if (!draw) return
  writeFileSync(picture, await draw(all))
  console.error(`wrote ${fileURLToPath(picture)}`)
}

/** Before the run, so that a missing chart library is not found out at its end. */
async function openPicture() {
  try {
    return await import('./picture.mjs')
  } catch (error) {
    throw new Error(`--report needs the chart library that npm run bench:rivals installs: ${error.message}`)
  }
}

async function timed(args) {
  const best = args.backend?.split(',')[0] ?? (await openLibrary()).availableBackends()[0]
  const backend = best === 'typescript' ? best : `${best},typescript`
  const session = await open({ ...args, backend, rivals: args.rivals ?? 'onnxruntime,onednn,pytorch' })
  const say = args.json === '' ? () => {} : console.log
  try {
    say(header(session.facts))
    const results = []
    for (const shape of shapes.filter((one) => matches(one, jobs))) {
      const found = await measure({ ...shape, threads: [] }, session)
      results.push(found)
      const each = Object.entries(found.times).map(([name, { us }]) => `${name} ${us.toPrecision(3)} µs`)
      say(`${found.name}: ${each.join(', ')}; bound ${found.limits[best]?.bound.toPrecision(3) ?? '–'} µs`)
    }
    const kept = []
    for (const shape of formatShapes.filter((one) => matches(one, formats))) {
      const found = await measureFormats(shape, session)
      kept.push(found)
      const each = Object.entries(found.times).map(([name, { us }]) => `${name} ${us.toPrecision(3)} µs`)
      say(`${found.name}: ${each.join(', ')}`)
    }
    return { ...session.facts, best, results, formats: kept, frame: await frameOf(session, best, say) }
  } finally {
    close(session)
  }
}

/** A step of a stream of the model, and the same in the formats; undefined where its file is not here. */
async function frameOf(session, backend, say) {
  const [spec] = models(model).models
  if (!spec) return undefined
  const { ort } = await openRival()
  const found = await times(spec, 1, { ...session, ort, backend })
  const each = Object.entries(found).map(([name, us]) => `${name} ${us.toPrecision(3)} µs`)
  say(`${spec.name}, a frame: ${each.join(', ')}`)
  return { name: spec.name, times: found }
}
