/** Starts the server, and ends it on SIGTERM or SIGINT as a deploy wants: every call can go on where it was. */

import { listen } from '../server/listen.mjs'
import { batcherOf, loadSilero } from '../vad/silero.mjs'
import { buildServer } from './server.mjs'
import { FileStore } from './store.mjs'

const { HOST = '127.0.0.1', PORT = '3000', STATE_FILE = 'calls.json', LOG_LEVEL = 'warn' } = process.env
const {
  MAX_CALLS = '2000',
  MAX_BATCH = '64',
  MAX_DELAY_MS = '4',
  IDLE_MS = '30000',
  MAX_SECONDS = '14400',
} = process.env

const maxCalls = Number(MAX_CALLS)
const model = await loadSilero()
// A call has one stream and one frame under way: neither can be full before the server is.
const batcher = batcherOf(model, {
  maxBatch: Number(MAX_BATCH),
  maxDelayMs: Number(MAX_DELAY_MS),
  maxQueue: maxCalls,
  maxStreams: maxCalls,
})
const store = new FileStore({ file: STATE_FILE })
await store.load()
const app = await buildServer(batcher, {
  store,
  limits: { maxCalls, idleMs: Number(IDLE_MS), maxSeconds: Number(MAX_SECONDS) },
  logger: { level: LOG_LEVEL },
})

await listen(app, HOST, PORT)
