/** `npm run bench -- --models`: whole models beside onnxruntime-node, on one thread each: a step or a run, a batch, memory, loading, size. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { openLibrary } from '../library.mjs'
import { median } from '../limits.mjs'
import { calibrate, compare, round } from '../measure.mjs'
import { feedsOf, openStream, ours, sessionOptions, theirs } from './contestants.mjs'
import { models } from './list.mjs'

const BATCH = 64
const STREAMS = 1000
// A session a stream takes megabytes: so many are opened, and the rest is reckoned.
const SESSIONS = 20
const RIVAL = 'onnxruntime'

async function openRival() {
  try {
    const ort = (await import('onnxruntime-node')).default
    return { ort, version: ort.env.versions.node ?? ort.env.versions.common }
  } catch {
    return {}
  }
}

/** Medians in µs of one call on so many rows, in turns. */
async function times(spec, B, { library, ort, backend, rounds, slice, busy }) {
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

const number = (value) =>
  value === undefined ? '-' : value < 9.95 ? value.toFixed(2) : value < 99.5 ? value.toFixed(1) : value.toFixed(0)
const columns = [
  ['model', 30, ({ name, size }) => (size ? `${name}, ${size}` : name)],
  ['KB', 7, ({ bytes }) => number(bytes / 1024)],
  ['load ms', 9, ({ load }, own) => number(load[own])],
  ['ort', 8, ({ load }) => number(load[RIVAL])],
  ['B=1 µs', 10, ({ one }, own) => number(one[own])],
  ['ort', 8, ({ one }) => number(one[RIVAL])],
  ['×', 7, ({ one }, own) => number(one[RIVAL] / one[own] || undefined)],
  [`B=${BATCH} µs a row`, 15, ({ many }, own) => number(many[own] / BATCH)],
  ['ort', 8, ({ many }) => number(many[RIVAL] / BATCH || undefined)],
  ['×', 7, ({ many }, own) => number(many[RIVAL] / many[own] || undefined)],
  ['1,000 streams MB', 18, ({ held }) => number(held?.streams)],
  ['ort, 1 session', 16, ({ held }) => number(held?.shared)],
  ['1,000 sessions', 16, ({ held }) => number(held?.sessions)],
]
const text = (cells) =>
  cells.map(([value, width], i) => (i === 0 ? value.padEnd(width) : value.padStart(width))).join('')

/** Times the models that the command line asks for and prints a line for each. */
export async function run({ only, backend, quick, busy, rounds, json }) {
  const library = await openLibrary()
  const own = backend?.split(',')[0] ?? library.availableBackends()[0]
  const { ort, version } = await openRival()
  const { models: list, absent } = models(only)
  if (list.length === 0)
    throw new Error(`no model ${only ? `matches --only '${only}'` : 'is here'}; ${absent.join('; ')}`)
  const print = json === '' ? () => {} : console.log
  print(
    `${cpus()[0].model}, Node ${process.version}, native-rnn on ${own}, ${ort ? `onnxruntime-node ${version}` : 'no rival: npm run bench:rivals'}; one thread each`,
  )
  for (const line of absent) print(line)
  print(text(columns.map(([title, width]) => [title, width])))
  const session = {
    library,
    ort,
    backend: own,
    busy,
    rounds: Number(rounds ?? (quick ? 3 : 7)),
    slice: busy ? 1e6 : quick ? 4e6 : 8e6,
  }
  const results = []
  for (const spec of list) {
    const [one, many] = [await times(spec, 1, session), await times(spec, BATCH, session)]
    const { name, size } = spec
    const bytes = statSync(spec.file).size
    const result = { name, size, bytes, load: await loading(spec, session), one, many, held: memory(spec, session) }
    print(text(columns.map(([, width, cell]) => [cell(result, own), width])))
    results.push(result)
  }
  if (json === '') console.log(JSON.stringify(results, null, 1))
  else if (json) writeFileSync(json, JSON.stringify(results, null, 1))
}
