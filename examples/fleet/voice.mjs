/** One voice server of many: examples/voice with its calls in Redis. */

import { batcherOf, loadSilero } from '../vad/silero.mjs'
import { buildServer } from '../voice/server.mjs'
import { RedisStore } from './calls.mjs'

const { REDIS_URL = 'redis://127.0.0.1:6379', HOST = '127.0.0.1', PORT = '0' } = process.env
const batcher = batcherOf(await loadSilero(), { maxDelayMs: 4, maxQueue: 2000 })
const app = await buildServer(batcher, { store: new RedisStore(REDIS_URL), logger: { level: 'warn' } })
await app.listen({ host: HOST, port: Number(PORT) })
process.send?.(app.server.address().port)
process.once('SIGTERM', () => app.close())
