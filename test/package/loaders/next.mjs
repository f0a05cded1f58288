// Next.js: pages and routes of the app router in the standalone output, run where it was not built.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { check, compare, env, program, run, work } from '../harness.mjs'
import { closeBrowsers, hasChromium, openPage } from '../web.mjs'

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await once(server.close(), 'close')
  return port
}

/** A server of what was built: its address, when it answers, for as long as `use` takes. */
async function served(folder, use) {
  const port = await freePort()
  const options = { cwd: folder, env: { ...env, PORT: String(port), HOSTNAME: '127.0.0.1' }, stdio: 'ignore' }
  const server = spawn(process.execPath, ['server.js'], options)
  const url = `http://127.0.0.1:${port}/`
  try {
    for (let tries = 0; ; tries++) {
      try {
        await fetch(`${url}api`)
        break
      } catch (error) {
        if (tries > 100) throw error
        await setTimeout(100)
      }
    }
    return await use(url)
  } finally {
    server.kill()
  }
}

const json = async (url) => {
  const text = await (await fetch(url)).text()
  if (!text.startsWith('{')) throw new Error(`${url} says ${text.slice(0, 1000)}`)
  return JSON.parse(text)
}

export async function test(project) {
  const folder = project('next', ['next@16', 'react@19', 'react-dom@19', 'playwright-core@1'], 'next')
  await check('WebAssembly on Node', () => {
    return program(process.execPath, ['esm.mjs'], { backend: 'wasm', extra: { NATIVE_RNN_BACKEND: 'wasm' } }).backend
  })
  for (const [name, way, backend] of [
    ['the package beside, prebuilds included', 'beside', 'native'],
    ['the package in the bundle', 'bundled', 'typescript'],
  ]) {
    const place = join(work, 'served', way)
    await check(`Next.js 16 builds: ${name}`, () => {
      const next = join(folder, 'node_modules', 'next', 'dist', 'bin', 'next')
      run(process.execPath, [next, 'build'], { cwd: folder, env: { ...env, WAY: way, NEXT_TELEMETRY_DISABLED: '1' } })
      cpSync(join(folder, way, 'standalone'), place, { recursive: true })
      cpSync(join(folder, way, 'static'), join(place, way, 'static'), { recursive: true })
    })
    await served(place, async (url) => {
      await check(`Next.js 16, standalone, ${name}: a route and a page`, async () => {
        const found = compare(await json(`${url}api`), backend)
        const page = /<main>(.*?)<\/main>/.exec(await (await fetch(url)).text())?.[1]
        if (page !== found.backend) throw new Error(`the page says ${page}, the route ${found.backend}`)
        return found.reason ?? found.backend
      })
      await check(`Next.js 16, standalone, ${name}: a route on its edge runtime`, async () => {
        return compare(await json(`${url}edge`), 'wasm').backend
      })
      if (hasChromium)
        await check(`Next.js 16, standalone, ${name}: a component of the browser, in chromium`, async () => {
          return (await openPage(folder, `${url}client`)).backend
        })
    })
  }
  await closeBrowsers()
}
