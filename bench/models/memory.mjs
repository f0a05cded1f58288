/** A process of its own that opens so many live streams of one model and prints how many bytes it has grown by: what `npm run bench -- --models` asks. */
import { readFileSync } from 'node:fs'
import { openLibrary } from '../library.mjs'
import { feedsOf, openStream, sessionOptions } from './contestants.mjs'
import { models } from './list.mjs'

const [way, name, count, backend] = process.argv.slice(2)
const spec = models(name).models.find((model) => model.name === name)
const bytes = readFileSync(spec.file)
const kept = []

/** Streams of one model. */
async function streams(library) {
  const model = library.Model.read(bytes, { backend, constants: spec.constants })
  kept.push(model)
  for (let i = 0; i < count; i++) {
    const stream = openStream(model, spec, spec.inputs(1))
    stream.step()
    kept.push(stream)
  }
}

/** Sessions, one a stream, or one for all of them and the states by hand. */
async function sessions(ort, shared) {
  let session
  for (let i = 0; i < count; i++) {
    if (!shared || i === 0) session = await ort.InferenceSession.create(bytes, sessionOptions)
    const feeds = feedsOf(ort, spec, spec.inputs(1))
    const result = await session.run(feeds)
    kept.push(
      session,
      feeds,
      Object.values(spec.states).map((next) => result[next]),
    )
  }
}

const ways = {
  streams: async () => [await openLibrary(), streams],
  sessions: async () => [(await import('onnxruntime-node')).default, (ort) => sessions(ort, false)],
  shared: async () => [(await import('onnxruntime-node')).default, (ort) => sessions(ort, true)],
}
const [library, open] = await ways[way]()
globalThis.gc()
const before = process.memoryUsage().rss
await open(library)
globalThis.gc()
console.log(process.memoryUsage().rss - before)
