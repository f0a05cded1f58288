/** Starts examples/voice as a process of its own, and what its tests say to it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const folder = fileURLToPath(new URL('../../examples/voice/', import.meta.url))
/** A module of the example; its packages are installed beside it. */
export const load = (file: string) => import(pathToFileURL(`${folder}${file}`).href)
export const require = createRequire(`${folder}index.mjs`)

/** Without a registry scripts/fetch-models.mjs has said so, and under CI it has failed. */
export const hasModel = existsSync(
  fileURLToPath(new URL('../../build/models/silero_vad_16k_op15.onnx', import.meta.url)),
)

export async function start(stateFile: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['index.mjs'], {
    cwd: folder,
    env: { ...process.env, PORT: '0', STATE_FILE: stateFile, ...env },
  })
  let output = ''
  child.stderr.on('data', (text) => {
    output += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, output }))
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(line.replace('Listening on http://', '')))
    ended.then(() => reject(new Error(output)))
  })
  const stop = () => {
    child.kill('SIGTERM')
    return ended
  }
  return {
    address,
    url: `ws://${address}`,
    port: address.split(':')[1],
    stop,
    get: (path: string) => fetch(`http://${address}${path}`),
    health: async () => (await (await fetch(`http://${address}/health`)).json()) as { calls: number },
  }
}

let silero: Promise<unknown> | undefined

/** What the model alone says to a sound, and the events of it. */
export async function alone(pcm: Buffer, options = {}) {
  const { listen, loadSilero } = await load('../vad/silero.mjs')
  const { SpeechDetector } = await load('../vad/detector.mjs')
  const { fromPcm16 } = await load('../vad/sound.mjs')
  silero ??= loadSilero()
  const probabilities: number[] = listen(await silero, fromPcm16(pcm))
  const detector = new SpeechDetector(options)
  const events = probabilities.map((probability, frame) => ({ ...detector.push(probability), frame }))
  const last = { ...detector.finish(), frame: probabilities.length - 1 }
  return { probabilities, events: [...events, last].filter(({ type }) => type) }
}
