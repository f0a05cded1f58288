/** `npm run bench -- --models`: whole models beside onnxruntime-node, on one thread each: a step or a run, a batch, memory, loading, size. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { openLibrary } from '../library.mjs'
import { median } from '../limits.mjs'
import { calibrate, compare, round } from '../measure.mjs'
import { feedsOf, openStream, ours, sessionOptions, theirs } from './contestants.mjs'
import { models } from './list.mjs'
import { BATCH, header, line, RIVAL, titles } from './table.mjs'

const STREAMS = 1000
// A session a stream takes megabytes: so many are opened, and the rest is reckoned.
const SESSIONS = 20

/** onnxruntime-node and its version; nothing where it is not installed. */
export async function openRival() {
  try {
    const ort = (await import('onnxruntime-node')).default
    return { ort, version: ort.env.versions.node ?? ort.env.versions.common }
  } catch {
    return {}
  }
}

/** Medians in µs of one call on so many rows, in turns. */
export async function times(spec, B, { library, ort, backend, rounds, slice, busy }) {
  const contestants = [{ name: backend, ...(await ours(library, spec, B, backend)) }]
  if (ort) contestants.push({ name: RIVAL, ...(await theirs(ort, spec, B)) })
  try {
    await compare(contestants, `${spec.name}, ${B} rows`)
    for (const contestant of contestants) await calibrate(contestant, slice)
    for (let r = 0; r < rounds; r++) await round(contestants, r % 2 === 1)
    const pick = busy ? (samples) => Math.min(...samples) : median
    return Object.fromEntries(contestants.map(({ name, samples }) => [name, pick(samples) / 1e3]))
  } finally {
    for (const contestant of contestants) await contestant.close()
  }
}

/** Medians in ms from a file's bytes to the first result. */
async function loading(spec, { library, ort, backend, rounds }) {
  const bytes = readFileSync(spec.file)
  const { constants } = spec
  const starts = {
    [backend]: async () => {
      const model = library.Model.read(bytes, { backend, constants })
      if (spec.states) openStream(model, spec, spec.inputs(1)).step()
      else model.run(spec.inputs(1))
      model.dispose()
    },
  }
  if (ort) {
    starts[RIVAL] = async () => {
      const session = await ort.InferenceSession.create(bytes, sessionOptions)
      await session.run(feedsOf(ort, spec, spec.inputs(1)))
      await session.release()
    }
  }
  const samples = Object.fromEntries(Object.keys(starts).map((name) => [name, []]))
  for (let r = 0; r <= rounds; r++) {
    for (const [name, start] of Object.entries(starts)) {
      const began = performance.now()
      await start()
      if (r > 0) samples[name].push(performance.now() - began)
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, found]) => [name, median(found)]))
}

/** MB that 1,000 live streams take, each measured in a process of its own. */
function memory(spec, { ort, backend }) {
  if (!spec.states) return undefined
  const program = fileURLToPath(new URL('memory.mjs', import.meta.url))
  const grown = (way, count) => {
    const done = spawnSync(process.execPath, ['--expose-gc', program, way, spec.name, count, backend], {
      encoding: 'utf8',
    })
    if (done.status !== 0) throw new Error(`memory of ${spec.name}, ${way}: ${done.stderr}`)
    return Number(done.stdout) / 2 ** 20
  }
  const streams = grown('streams', STREAMS)
  if (!ort) return { streams }
  const few = grown('sessions', SESSIONS / 4)
  const perSession = (grown('sessions', SESSIONS) - few) / (SESSIONS * 0.75)
  return { streams, shared: grown('shared', STREAMS), sessions: few + perSession * (STREAMS - SESSIONS / 4) }
}

/** Where and when this is measured. */
function facts(own, rival, busy) {
  const processors = cpus()
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const platform = `${process.platform} ${release()} ${process.arch}`
  const date = new Date().toISOString().slice(0, 10)
  const [{ model: cpu }] = processors
  return { cpu, cores: processors.length, node: process.version, platform, version, own, rival, date, busy }
}

/** The figures of several files as those of one run; the machine is the first one's. */
function stored(files) {
  const parts = files.map((file) => JSON.parse(readFileSync(file, 'utf8')))
  return { ...parts[0], results: parts.flatMap(({ results }) => results) }
}

/** Times the models that the command line asks for and prints a line for each. */
export async function run(args) {
  const all = args.from ? stored(args.from.split(',')) : await timed(args)
  if (args.json === '') console.log(JSON.stringify(all, null, 1))
  else if (args.json) writeFileSync(args.json, JSON.stringify(all, null, 1))
  if (args.report === undefined) return
  const { writeModelFigures } = await import('./docs.mjs')
  for (const path of writeModelFigures(all)) console.error(`wrote ${path}`)
}

async function timed({ only, backend, quick, busy, rounds, json }) {
  const library = await openLibrary()
  const own = backend?.split(',')[0] ?? library.availableBackends()[0]
  const { ort, version } = await openRival()
  const { models: list, absent } = models(only)
  if (list.length === 0)
    throw new Error(`no model ${only ? `matches --only '${only}'` : 'is here'}; ${absent.join('; ')}`)
  const print = json === '' ? () => {} : console.log
  const all = { ...facts(own, version, busy), results: [] }
  print(header(all))
  for (const text of absent) print(text)
  print(titles())
  const session = {
    library,
    ort,
    backend: own,
    busy,
    rounds: Number(rounds ?? (quick ? 3 : 7)),
    slice: busy ? 1e6 : quick ? 4e6 : 8e6,
  }
  for (const spec of list) {
    const [one, many] = [await times(spec, 1, session), await times(spec, BATCH, session)]
    const { name, size } = spec
    const bytes = statSync(spec.file).size
    const result = { name, size, bytes, load: await loading(spec, session), one, many, held: memory(spec, session) }
    print(line(result, own))
    all.results.push(result)
  }
  return all
}
