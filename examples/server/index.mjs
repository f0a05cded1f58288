/** Starts the server, and ends it on SIGTERM or SIGINT as a deploy wants: nothing that was asked for is lost. */

import './metrics.mjs'
import { listen } from './listen.mjs'
import { buildServer } from './server.mjs'

const { HOST = '127.0.0.1', PORT = '3000', STATE_FILE = 'streams.json', LOG_LEVEL = 'warn' } = process.env
const { MAX_QUEUE = '1024', MAX_DELAY_MS = '0', MAX_FORWARDS = '64' } = process.env

const app = await buildServer({
  stateFile: STATE_FILE,
  maxForwards: Number(MAX_FORWARDS),
  batcher: { maxQueue: Number(MAX_QUEUE), maxDelayMs: Number(MAX_DELAY_MS) },
  logger: { level: LOG_LEVEL },
})

await listen(app, HOST, PORT)
