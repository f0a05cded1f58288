/** The page of examples/voice in a real browser: a microphone that plays a file, the built-in sound, and a server that is replaced meanwhile. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hasModel, load, require, start } from './voice-server.ts'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const canRun = hasModel && (existsSync(executablePath) || process.env.CI !== undefined)
const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
const stateFile = join(folder, 'calls.json')
let server: Awaited<ReturnType<typeof start>>
let browser: { newPage(options: object): Promise<Page>; close(): Promise<void> }
/** What of playwright's page is used here. */
interface Page {
  on(
    event: 'pageerror' | 'console',
    listener: (what: { message?: string; type?(): string; text?(): string }) => void,
  ): void
  goto(url: string): Promise<unknown>
  click(selector: string): Promise<void>
  textContent(selector: string): Promise<string | null>
  waitForFunction(text: string): Promise<unknown>
  evaluate<T>(text: string): Promise<T>
  screenshot(options: object): Promise<Uint8Array>
  close(): Promise<void>
}

/** A WAV file of 16 bits, for the microphone. */
function wav(pcm: Buffer): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + pcm.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(16000, 24)
  head.writeUInt32LE(32000, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(pcm.length, 40)
  return Buffer.concat([head, pcm])
}

beforeAll(async () => {
  if (!canRun) return
  const { recorded, toPcm16 } = await load('../vad/sound.mjs')
  const file = join(folder, 'speech.wav')
  writeFileSync(file, wav(toPcm16(recorded())))
  server = await start(stateFile)
  browser = await require('playwright-core').chromium.launch({
    executablePath,
    args: [
      ...['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--no-sandbox'],
      ...[`--use-file-for-fake-audio-capture=${file}`, '--autoplay-policy=no-user-gesture-required'],
    ],
  })
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  rmSync(folder, { recursive: true })
})

const segments = `[...document.querySelectorAll('#segments li')].map((one) => one.textContent)`
const whole = `(${segments}).filter((text) => text.includes('–'))`

async function open() {
  const page = await browser.newPage({ viewport: { width: 1200, height: 640 } })
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message ?? ''))
  await page.goto(`http://${server.address}/`)
  return { page, errors }
}

it.skipIf(!canRun)('shows the three sentences of the built-in sound, through a deploy', async () => {
  const { page, errors } = await open()
  await page.click('#sample')
  await page.waitForFunction(`(${whole}).length > 0`)
  const { port } = server
  await server.stop()
  server = await start(stateFile, { PORT: port })
  await page.waitForFunction(`document.getElementById('state').textContent === 'ended'`)
  // The newest is first; examples/vad finds 0.71 – 2.49, 3.55 – 4.77 and 6.18 – 8.16 in the file.
  const times = (await page.evaluate<string[]>(whole)).map((text) => Number.parseFloat(text)).reverse()
  expect(times).toHaveLength(3)
  // The sound begins a moment after the recorder, never before it.
  for (const [n, time] of [0.71, 3.55, 6.18].entries()) {
    expect(times[n]).toBeGreaterThan(time - 0.05)
    expect(times[n]).toBeLessThan(time + 1.5)
  }
  expect(errors).toEqual([])
  await page.close()
})

it.skipIf(!canRun)('hears a microphone, and shows the wave, the probability, the segments and the server', async () => {
  const { page, errors } = await open()
  await page.click('#microphone')
  await page.waitForFunction(`(${whole}).length >= 2`)
  await page.waitForFunction(`document.getElementById('calls').textContent === '1'`)
  expect(await page.textContent('#p99')).toMatch(/^[\d.]+ ms$/)
  expect(await page.textContent('#trip')).toMatch(/^[\d.]+ ms$/)
  // Each colour of the picture is on it.
  const colours = await page.evaluate<number>(`(() => {
    const canvas = document.getElementById('picture')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    const counts = new Map()
    for (let i = 0; i < data.length; i += 4) {
      const key = data.slice(i, i + 4).join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return [...counts.values()].filter((count) => count > 300).length
  })()`)
  expect(colours).toBeGreaterThanOrEqual(4)
  // The picture in docs/serving.md.
  if (process.env.SCREENSHOT) await page.waitForFunction(`(${whole}).length >= 3`)
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, type: 'png' })
  await page.click('#stop')
  await page.waitForFunction(`document.getElementById('state').textContent === 'ended'`)
  expect(errors).toEqual([])
  await page.close()
})
