/** Serves two pages in which the package runs in the browser: a digit that you draw, and Silero VAD that listens. */

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What lies where: an address begins with a key. What the pages share with other examples comes from there. */
const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const folders = {
  '/native-rnn/': dirname(fileURLToPath(import.meta.resolve('native-rnn'))),
  '/digits/': at('../digits/'),
  '/vad/': at('../vad/'),
  '/voice/': at('../voice/page/'),
  '/models/': at('../../build/models/'),
  '/': at('page/'),
}
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
}

function fileOf(address) {
  const path = normalize(decodeURIComponent(new URL(address, 'http://page').pathname)).replaceAll('\\', '/')
  const start = Object.keys(folders).find((key) => path.startsWith(key))
  return join(folders[start], path.slice(start.length) || 'index.html')
}

/** @returns the address of the pages */
export async function serve(port = 0) {
  const server = createServer(async ({ url }, answer) => {
    try {
      const file = fileOf(url)
      const body = await readFile(file)
      answer.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream').end(body)
    } catch {
      answer.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log((await serve(Number(process.env.PORT ?? 8080))).url)
