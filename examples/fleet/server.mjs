/** One server of many: `POST /<stream>/<n>` takes step n with the 6 floats of the body and answers with 32, little-endian. It holds no state. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { LSTM, loadSafetensors, RNNError } from 'native-rnn'
import { RedisStreams } from './streams.mjs'

const { REDIS_URL = 'redis://127.0.0.1:6379', HOST = '127.0.0.1', PORT = '0' } = process.env
const weights = await loadSafetensors(new URL('../forecast/model.safetensors', import.meta.url))
const streams = new RedisStreams(LSTM.fromStateDict(weights, { prefix: 'rnn.' }), REDIS_URL)

async function answer(request) {
  const [, name, n] = /^\/([\w-]{1,64})\/(\d{1,9})$/.exec(request.url) ?? []
  if (request.method !== 'POST' || !name) return [404, 'POST /<stream>/<n>']
  if (Number(request.headers['content-length'] ?? 1e9) > 1024) return [413, 'a frame is short']
  const body = await buffer(request)
  const frame = new Float32Array(new Uint8Array(body).buffer, 0, Math.floor(body.length / 4))
  try {
    const output = await streams.step(name, Number(n), frame)
    return [200, Buffer.from(output.buffer)]
  } catch (error) {
    if (error instanceof RNNError && error.code === 'ERR_RNN_SHAPE') return [400, error.message]
    if ('steps' in error) return [409, error.message]
    console.error(error)
    return [500, 'internal error']
  }
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request)
  response.writeHead(status).end(body)
})
server.listen(Number(PORT), HOST)
await once(server, 'listening')
process.send?.(server.address().port)
process.once('SIGTERM', () => {
  server.close(() => streams.close())
  server.closeIdleConnections()
})
