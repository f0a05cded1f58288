/** A program that answers requests over stdin and stdout; knows the wire format that all of the bench's programs share. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

/** Requests are lines, with raw float32 values after them; answers are a line, `error: …`, or `floats N` and N values. */
export class Child {
  #process
  #chunks = []
  #length = 0
  #wake = () => {}
  #failure

  constructor(command, args = [], env = {}) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    let complaint = ''
    this.#process.stderr.on('data', (text) => {
      complaint += text
    })
    this.#process.stdout.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      this.#wake()
    })
    const fail = (reason) => {
      this.#failure ??= new Error(
        `${basename(args[0] ?? command)}: ${reason}${complaint ? `\n${complaint.trim()}` : ''}`,
      )
      this.#wake()
    }
    this.#process.on('error', (error) => fail(error.message))
    this.#process.on('close', (code) => fail(`ended with status ${code}`))
    this.#process.stdin.on('error', (error) => fail(error.message))
  }

  /** Sends one request and returns the line that answers it. */
  async ask(line, arrays = []) {
    const { stdin } = this.#process
    stdin.write(`${line}\n`)
    for (const array of arrays) stdin.write(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    const answer = await this.#line()
    if (answer.startsWith('error:')) throw new Error(answer.slice(7))
    return answer
  }

  /** The same for requests that are answered with numbers. */
  async askFloats(line, arrays) {
    const count = Number((await this.ask(line, arrays)).split(' ')[1])
    while (this.#length < count * 4) await this.#more()
    const bytes = this.#take(count * 4)
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  }

  close() {
    this.#process.stdin.end()
  }

  async #line() {
    for (;;) {
      const all = this.#all()
      const end = all.indexOf(10)
      if (end >= 0) return this.#take(end + 1).toString('utf8', 0, end)
      await this.#more()
    }
  }

  #all() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  #take(bytes) {
    const all = this.#all()
    this.#chunks = [all.subarray(bytes)]
    this.#length -= bytes
    return all.subarray(0, bytes)
  }

  async #more() {
    if (this.#failure) throw this.#failure
    await new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

/** Compiles a C++ program of the bench where it is missing or older than its source; returns its path. */
export function compile(source, name, flags) {
  const from = join(here, source)
  const to = join(here, 'build', name)
  if (existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) return to
  mkdirSync(dirname(to), { recursive: true })
  const compiler = process.env.CXX ?? 'c++'
  const done = spawnSync(compiler, ['-O3', '-std=c++17', from, '-o', to, ...flags], { encoding: 'utf8' })
  if (done.error) throw new Error(`no C++ compiler (${compiler}): ${done.error.message}`)
  if (done.status !== 0) throw new Error(`${compiler} could not compile ${source}: ${done.stderr.split('\n')[0]}`)
  return to
}
