/** The server of examples/voice on the engine that `ENGINE` names. */

import { buildServer } from '../../examples/voice/server.mjs'
import { FileStore } from '../../examples/voice/store.mjs'
import { engines } from './engines.mjs'

const batcher = await engines[process.env.ENGINE]()
// None is refused for slowness: it is to be measured.
const limits = { maxCalls: 20_000, maxLatencyMs: Number.POSITIVE_INFINITY }
const app = await buildServer(batcher, { store: new FileStore(), limits, logger: { level: 'warn' } })
process.once('SIGTERM', () => app.close())
console.log(`Listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}`)
