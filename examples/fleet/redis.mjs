/** Redis for a try on this machine: a server of its own on a free port of loopback, gone when it is stopped. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Starts `redis-server` (Debian: `apt-get install redis-server`). A fleet has one that writes to disk: `appendonly yes`. */
export async function startRedis() {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'native-rnn-redis-'))
  const options = [
    '--bind',
    '127.0.0.1',
    '--port',
    port,
    '--dir',
    folder,
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  ]
  const child = spawn('redis-server', options.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => reject(new Error('redis-server ended')))
    child.stdout.on('data', (text) => String(text).includes('Ready to accept connections') && resolve())
  })
  const stop = async () => {
    child.kill()
    await ended
    rmSync(folder, { recursive: true })
  }
  return { url: `redis://127.0.0.1:${port}`, stop }
}

/** A port of loopback that nobody has at the moment. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}
