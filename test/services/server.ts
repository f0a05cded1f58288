/** Starts examples/server as a process of its own, and what its tests say to it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const folder = fileURLToPath(new URL('../../examples/server/', import.meta.url))

/** A module of the example; its packages are installed beside it. */
export const load = (file: string) => import(pathToFileURL(`${folder}${file}`).href)

export interface Day {
  date: string
  tempMax: number
  tempMin: number
  precipitation: number
  wind: number
}

/** Weather of `count` days, the same every time; `city` makes it another one. */
export function weather(count: number, city = 0): Day[] {
  return Array.from({ length: count }, (_, n) => ({
    date: new Date(Date.UTC(2015, 0, 1 + n)).toISOString().slice(0, 10),
    tempMax: 12 + 9 * Math.sin(n / 58 + city) + 3 * Math.sin(1.7 * n + city),
    tempMin: 6 + 6 * Math.sin(n / 58 + city) + 2 * Math.cos(1.3 * n),
    precipitation: Math.max(0, 8 * Math.sin(2.1 * n + city)),
    wind: 3 + 2 * Math.cos(0.9 * n),
  }))
}

export async function start(stateFile: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['index.mjs'], {
    cwd: folder,
    env: { ...process.env, PORT: '0', STATE_FILE: stateFile, ...env },
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output }))
  let output = ''
  child.stderr.on('data', (text) => {
    output += text
  })
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      output += `${line}\n`
      const [, found] = /^Listening on http:..(.*)$/.exec(line) ?? []
      if (found) resolve(found)
    })
    ended.then(() => reject(new Error(output)))
  })
  const { connect } = await load('client.mjs')
  return {
    ended,
    /** A deploy: SIGTERM, and what became of the process. */
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
    connect: (name: string) => connect(`ws://${address}`, name),
    request: async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`http://${address}${path}`, {
        method,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json')
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
    },
  }
}
