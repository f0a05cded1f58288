/** The server: one WebSocket a call, its page, its health and its metrics. */

import { fileURLToPath } from 'node:url'
import files from '@fastify/static'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { recorded, toPcm16 } from '../vad/sound.mjs'
import { Calls, defaultLimits } from './calls.mjs'
import { Meter } from './metrics.mjs'

const part = { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }
const duration = { type: 'number', minimum: 0, maximum: 10_000 }
const querystring = {
  type: 'object',
  additionalProperties: false,
  properties: {
    token: { type: 'string', pattern: '^[\\w-]{22}$' },
    heard: { type: 'integer', minimum: -1, default: -1 },
    probabilities: { type: 'boolean', default: false },
    ...{ threshold: part, negativeThreshold: part, minSpeechMs: duration, minSilenceMs: duration, padMs: duration },
  },
}

/**
 * @param batcher a `ModelBatcher` of Silero VAD, or what has its methods; it is closed with the server
 * @param options store: as `FileStore`; limits: see `defaultLimits`; logger: fastify's
 */
export async function buildServer(batcher, { store, limits, logger }) {
  const app = Fastify({ logger, requestTimeout: 10_000, ajv: { customOptions: { removeAdditional: false } } })
  const meter = new Meter(() => ({ calls: calls.size, kept: store.size ?? 0 }))
  const calls = new Calls(batcher, store, { ...defaultLimits, ...limits }, meter, app.log)
  app.decorate('calls', calls)

  await app.register(websocket, { options: { maxPayload: 64 * 1024 }, preClose: () => calls.finish() })
  /** Before the upgrade a refusal is one of HTTP, which a balancer understands. */
  async function refuse({ query }, reply) {
    const reason = calls.refusal(query.token)
    if (!reason) return undefined
    meter.refused(reason)
    return reply.code(503).header('retry-after', 2).send({ status: 503, code: reason.toUpperCase() })
  }
  app.get('/calls', { websocket: true, schema: { querystring }, preHandler: refuse }, (socket, { query }) =>
    calls.serve(socket, query),
  )

  app.get('/health', async (_, reply) => {
    const status = calls.refusal() ?? 'ok'
    if (status !== 'ok') reply.code(503)
    return { status, calls: calls.size, latencyMs: meter.latency(), batcher: batcher.stats() }
  })
  app.get('/metrics', async (_, reply) => reply.type(meter.registry.contentType).send(await meter.registry.metrics()))

  const sound = toPcm16(recorded())
  app.get('/speech.pcm', async (_, reply) => reply.type('application/octet-stream').send(sound))
  await app.register(files, { root: fileURLToPath(new URL('page', import.meta.url)) })
  return app
}
