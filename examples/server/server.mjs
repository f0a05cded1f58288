/** The server: whole sequences over HTTP, live streams over WebSocket, and a shutdown that loses neither. */

import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { register } from 'prom-client'
import { liveStreams } from './live.mjs'
import { dayAfter, daySchema, loadModel } from './model.mjs'
import { checkOrder, describe, problem } from './problems.mjs'
import { NamedStreams } from './streams.mjs'

const body = (required, properties) => ({ body: { type: 'object', additionalProperties: false, required, properties } })
const days = { type: 'array', minItems: 1, maxItems: 10_000, items: daySchema }
const tensor = { type: 'array' } // what is in it, the library checks
const named = { params: { type: 'object', properties: { name: { type: 'string', pattern: '^[\\w-]{1,64}$' } } } }

/**
 * @param options stateFile: where streams outlive the process; maxStreams, maxForwards: how many streams may live and how many whole
 * sequences may be under way; batcher: options of `layer.batcher`; logger: fastify's
 */
export async function buildServer({ stateFile, maxStreams = 10_000, maxForwards = 64, batcher: limits, logger }) {
  const model = await loadModel()
  const batcher = model.lstm.batcher(limits)
  const streams = new NamedStreams(batcher, maxStreams)
  await streams.restore(stateFile)

  const ajv = { customOptions: { coerceTypes: false, removeAdditional: false } }
  const app = Fastify({ logger, bodyLimit: 2 ** 21, requestTimeout: 10_000, ajv })
  app.setErrorHandler((error, request, reply) => {
    const answer = describe(error)
    if (answer.status === 500) request.log.error(error)
    if (answer.status === 503) reply.header('retry-after', 1)
    return reply.code(answer.status).send(answer)
  })

  // On shutdown steps are finished and answered, then the states are written; HTTP requests that run are finished after that.
  const preClose = () =>
    live.finish(
      () => batcher.close(),
      () => streams.save(stateFile),
    )
  await app.register(websocket, { options: { maxPayload: 1024 }, preClose })
  const live = liveStreams(model, streams, app.websocketServer.clients)
  app.get('/streams/:name', { websocket: true, schema: named }, live.serve)

  app.delete('/streams/:name', { schema: named }, async ({ params: { name } }, reply) => {
    if (!(await streams.delete(name))) throw problem(404, 'NO_STREAM', `there is no stream ${name}`)
    return reply.code(204).send()
  })

  let forwards = 0
  /** A place among those that are under way, before the body is read: refusing has to be cheap. A client that is gone stops its call. */
  function onRequest(request, reply, done) {
    if (forwards >= maxForwards) return done(problem(503, 'OVERLOADED', `${forwards} sequences are under way already`))
    const gone = new AbortController()
    request.gone = gone.signal
    forwards++
    reply.raw.once('close', () => {
      forwards--
      gone.abort()
    })
    done()
  }
  app.decorateRequest('gone', null)

  const forecastRoute = { schema: body(['days'], { days }), onRequest }
  app.post('/forecast', forecastRoute, async ({ body: { days }, gone: signal }) => {
    for (let n = 1; n < days.length; n++) checkOrder(days[n], dayAfter(days[n - 1].date))
    const { output } = await model.lstm.forwardAsync(model.frames(days), { signal })
    return { forecasts: model.forecasts(days, output) }
  })

  const forwardRoute = { schema: body(['input'], { input: tensor, h0: tensor, c0: tensor }), onRequest }
  app.post('/forward', forwardRoute, async ({ body: { input, ...states }, gone: signal }) => {
    const { output, hn, cn } = await model.lstm.forwardAsync(input, { ...states, signal })
    return { output: output.toNested(), hn: hn.toNested(), cn: cn.toNested() }
  })

  app.get('/health', async () => ({ status: 'ok', streams: streams.size, forwards, batcher: batcher.stats() }))
  app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()))
  return app
}
