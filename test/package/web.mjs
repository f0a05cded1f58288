// Runs bundles for pages in chromium and Firefox and those for edge runtimes in workerd, and says what they found.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { compare } from './harness.mjs'

export const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'
export const hasChromium = existsSync(chromium) || process.env.CI !== undefined
export const firefox = process.env.FIREFOX ?? '/usr/bin/firefox-esr'
export const hasFirefox = existsSync(firefox)

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

/** Serves a folder; what is not there is a 404, and the address alone a page that loads `app.js`, if the folder has none. */
export async function serve(folder) {
  const server = createServer(({ url }, answer) => {
    const path = new URL(url, 'http://page').pathname
    const name = path === '/' ? 'index.html' : path.slice(1)
    const file = join(folder, name)
    const isThere = existsSync(file)
    if (!isThere && name !== 'index.html') return answer.writeHead(404).end()
    const page = '<link rel="icon" href="data:,"><script type="module" src="/app.js"></script>'
    answer.setHeader('content-type', types[extname(name)] ?? 'application/octet-stream')
    return answer.end(isThere ? readFileSync(file) : page)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}

/** How each browser is started: Debian's Firefox does not speak what Playwright speaks with its own. */
const starts = {
  chromium: (tools) => tools('playwright-core').chromium.launch({ executablePath: chromium, args: ['--no-sandbox'] }),
  firefox: (tools) => tools('puppeteer-core').launch({ browser: 'firefox', executablePath: firefox }),
}
const browsers = new Map()

/** What a page finds and writes into its title; `tools`: a folder where playwright-core or, for Firefox, puppeteer-core is installed. */
export async function openPage(tools, url, backend = 'wasm', name = 'chromium') {
  if (!browsers.has(name)) browsers.set(name, await starts[name](createRequire(join(tools, 'package.json'))))
  const page = await browsers.get(name).newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(url)
  const end = performance.now() + 20_000
  let title = await page.title()
  while (!title.startsWith('{') && performance.now() < end) {
    await setTimeout(50)
    title = await page.title()
  }
  await page.close()
  if (!title.startsWith('{')) throw new Error(`the page found nothing: ${errors.join('; ')}`)
  return held(JSON.parse(title), backend)
}

export async function closeBrowsers() {
  for (const browser of browsers.values()) await browser.close()
  browsers.clear()
}

/** The same of a folder that holds a bundle `app.js`. */
export async function inPage(tools, folder, backend, name) {
  const { url, close } = await serve(folder)
  try {
    return await openPage(tools, url, backend, name)
  } finally {
    close()
  }
}

/** What a worker of these modules answers: files of a folder, the first of them the worker's own. */
export async function inWorkerd(tools, folder, modules, backend = 'wasm') {
  const kind = (name) => (name.endsWith('.wasm') ? 'wasm' : 'esModule')
  const listed = modules.map((name) => `(name = "${name}", ${kind(name)} = embed "${name}")`).join(', ')
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = (modules = [ ${listed} ], compatibilityDate = "2025-10-01")) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ]
);`
  writeFileSync(join(folder, 'config.capnp'), config)
  const program = createRequire(join(tools, 'package.json'))('workerd').default
  const running = spawn(program, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let said = ''
  running.stderr.on('data', (text) => (said += text))
  try {
    const port = await new Promise((resolve, reject) => {
      let events = ''
      running.stdio[3].on('data', (text) => {
        events += text
        const listening = /"port":(\d+)/.exec(events)
        if (listening) resolve(listening[1])
      })
      running.on('exit', (code) => reject(new Error(`workerd ended with ${code}: ${said}`)))
    })
    return held(await (await fetch(`http://127.0.0.1:${port}/`)).json(), backend)
  } finally {
    running.kill()
  }
}

/** Holds it against what Node found, and warnings against the backend. */
function held(found, backend) {
  if (found.error) throw new Error(found.error)
  const warnings = backend === 'typescript' ? 1 : 0
  if (found.warnings.length !== warnings) throw new Error(`wanted ${warnings} warnings, got ${found.warnings}`)
  return compare(found, backend)
}
