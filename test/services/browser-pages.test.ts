/** The pages of examples/browser in a real browser: a digit that is drawn, digits of the test set as Node reads them, a sound that is heard. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'
import { Linear, loadSafetensors, RNN } from 'native-rnn'
import { afterAll, beforeAll, expect, it } from 'vitest'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const canRun = existsSync(executablePath) || process.env.CI !== undefined
const hasModel = existsSync(new URL('../../build/models/silero_vad_16k_op15.onnx', import.meta.url))
const hasWasm = existsSync(new URL('../../dist/native-rnn.wasm', import.meta.url))
const examples = new URL('../../examples/', import.meta.url)

/** What of playwright's page is used here. */
interface Page {
  on(event: 'pageerror', listener: (error: Error) => void): void
  goto(url: string): Promise<unknown>
  click(selector: string): Promise<void>
  textContent(selector: string): Promise<string | null>
  waitForSelector(selector: string): Promise<unknown>
  locator(selector: string): { boundingBox(): Promise<{ x: number; y: number; width: number; height: number } | null> }
  mouse: { move(x: number, y: number, options?: object): Promise<void>; down(): Promise<void>; up(): Promise<void> }
}

let server: { url: string; close(): void }
let browser: { newPage(options: object): Promise<Page>; close(): Promise<void> }
let page: Page
const errors: string[] = []

beforeAll(async () => {
  if (!canRun) return
  server = await (await import(new URL('browser/index.mjs', examples).href)).serve()
  const require = createRequire(new URL('voice/package.json', examples))
  const args = ['--no-sandbox', '--autoplay-policy=no-user-gesture-required']
  browser = await require('playwright-core').chromium.launch({ executablePath, args })
  page = await browser.newPage({ viewport: { width: 1180, height: 640 } })
  page.on('pageerror', (error) => errors.push(error.message))
})

afterAll(async () => {
  await browser?.close()
  server?.close()
})

const backend = hasWasm ? 'wasm' : 'typescript'

it.runIf(canRun)('a drawn one is a one', async () => {
  await page.goto(server.url)
  await page.waitForSelector('body[data-ready]')
  const { x, y, width, height } = (await page.locator('#pad').boundingBox())!
  await page.mouse.move(x + width / 2, y + height / 5)
  await page.mouse.down()
  await page.mouse.move(x + width * 0.48, y + height * 0.8, { steps: 10 })
  await page.mouse.up()
  await page.waitForSelector('#answer[data-digit="1"]')
  expect(await page.textContent('#backend')).toBe(backend)
})

it.runIf(canRun)('digits of the test set are what Node takes them for', async () => {
  const weights = await loadSafetensors(new URL('digits/model.safetensors', examples))
  const rnn = RNN.fromStateDict(weights, { prefix: 'rnn.' })
  const head = Linear.fromStateDict(weights, { prefix: 'head.' })
  const records = gunzipSync(readFileSync(new URL('digits/digits.bin.gz', examples)))
  await page.click('#clear')
  for (let n = 0; n < 10; n++) {
    const image = Float32Array.from(records.subarray(n * 785, n * 785 + 784), (value) => value / 255)
    const { output } = rnn.forward({ data: image, shape: [28, 28] })
    const size = rnn.hiddenSize
    const logits = head.forward({ data: output.data.slice(-size), shape: [1, size] }).data
    const digit = logits.indexOf(Math.max(...logits))
    await page.click('#sample')
    await page.waitForSelector(`#answer[data-digit="${digit}"][data-count="${n + 1}"]`)
  }
})

it.runIf(canRun && hasModel)('Silero hears when somebody speaks in the sound', async () => {
  await page.goto(`${server.url}speech.html`)
  await page.waitForSelector('body[data-ready]')
  await page.click('#sample')
  // Each sentence of the sound has an end.
  await page.waitForSelector('#segments li:nth-child(2)')
  const silero = await import(new URL('vad/silero.mjs', examples).href)
  const { recorded } = await import(new URL('vad/sound.mjs', examples).href)
  const { segmentsOf } = await import(new URL('vad/detector.mjs', examples).href)
  const model = await silero.loadSilero()
  const [first, second] = segmentsOf(silero.listen(model, recorded()))
  const heard = await page.textContent('#segments')
  expect(heard).toContain(`${first.start.toFixed(2)} s${first.end.toFixed(2)} s${second.start.toFixed(2)} s`)
  expect(await page.textContent('#backend')).toBe(backend)
})

it.runIf(canRun)('no page has thrown', () => {
  expect(errors).toEqual([])
})
