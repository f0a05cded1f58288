// Next.js: a page and a route of the app router in the standalone output, run where it was not built.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { check, compare, env, run, work } from '../harness.mjs'

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await once(server.close(), 'close')
  return port
}

/** What the route and the page of a server say. */
async function ask(folder) {
  const port = await freePort()
  const options = { cwd: folder, env: { ...env, PORT: String(port), HOSTNAME: '127.0.0.1' }, stdio: 'ignore' }
  const server = spawn(process.execPath, ['server.js'], options)
  try {
    for (let tries = 0; ; tries++) {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/api`)
        const page = await (await fetch(`http://127.0.0.1:${port}/`)).text()
        return { ...(await answer.json()), page: /<main>(.*?)<\/main>/.exec(page)?.[1] }
      } catch (error) {
        if (tries > 100) throw error
        await setTimeout(100)
      }
    }
  } finally {
    server.kill()
  }
}

export async function test(project) {
  const folder = project('next', ['next@16', 'react@19', 'react-dom@19'], 'next')
  const build = (way) => {
    const next = join(folder, 'node_modules', 'next', 'dist', 'bin', 'next')
    run(process.execPath, [next, 'build'], { cwd: folder, env: { ...env, WAY: way, NEXT_TELEMETRY_DISABLED: '1' } })
    cpSync(join(folder, way, 'standalone'), join(work, 'served', way), { recursive: true })
    return join(work, 'served', way)
  }
  for (const [name, way, backend] of [
    ['the package beside, prebuilds included', 'beside', 'native'],
    ['the package in the bundle', 'bundled', 'typescript'],
  ]) {
    await check(`Next.js 16, standalone, ${name}`, async () => {
      const found = compare(await ask(build(way)), backend)
      if (found.page !== found.backend) throw new Error(`the page says ${found.page}, the route ${found.backend}`)
      return found.reason ?? found.backend
    })
  }
}
