/** Runs every scenario in a process of its own under AddressSanitizer and LeakSanitizer, and says what its failures came to. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { scenarios } from './scenarios.mjs'

const { values, positionals } = parseArgs({ options: { long: { type: 'boolean' } }, allowPositionals: true })
const folder = mkdtempSync(join(tmpdir(), 'native-rnn-faults-'))
const here = import.meta.dirname
const minute = 60_000

/** A program's last line; an error where it ended in any other way than by itself. */
function run(file, args, failAt = 0) {
  const control = join(folder, `${process.hrtime.bigint()}`)
  const block = Buffer.alloc(32)
  block.writeBigInt64LE(BigInt(failAt))
  writeFileSync(control, block)
  const env = { ...process.env, LD_PRELOAD: process.env.RNN_FAULTS_PRELOAD, RNN_FAULTS: control }
  const child = spawn(process.execPath, ['--expose-gc', join(here, file), ...args], { env, timeout: 3 * minute })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const count = Number(readFileSync(control).readBigInt64LE(16))
      rmSync(control)
      if (code === 0) resolve({ ...JSON.parse(stdout), count })
      else
        reject(
          new Error(
            `${file} ${args.join(' ')} ${failAt || ''}: ended with ${signal ?? code}\n${stdout}${stderr.slice(0, 1500)}`,
          ),
        )
    })
  })
}

let wrong = 0
let total = 0
async function report(name, work) {
  try {
    console.log(`ok    ${name}: ${await work()}`)
  } catch (error) {
    wrong++
    console.log(`FAIL  ${name}\n${error.message}`)
  }
}

async function sweep(name, what) {
  const { failed, absorbed, errors, kept } = await run('child.mjs', [name, what, values.long ? '20' : '3'])
  if (kept > 0) throw new Error(`${kept} blocks were not freed`)
  total += failed + absorbed
  const kinds = Object.entries(errors).map(([error, count]) => `${count} × ${error}`)
  return `${failed} gave an error, ${absorbed} were done without${kinds.length ? ` (${kinds.join('; ')})` : ''}`
}

/** The first use of a process, once for each allocation in it; the short form takes every fifth. */
async function first() {
  const { outcome, count } = await run('whole.mjs', [])
  const ends = { errors: 0, without: 0, none: 0 }
  for (let n = 1; n <= count; n += values.long ? 1 : 5) {
    const result = await run('whole.mjs', [], n)
    if (/^no addon: ./.test(result.outcome)) ends.none++
    else if (result.outcome !== outcome) throw new Error(`allocation ${n} of ${count}: another result`)
    else ends[result.failures.length ? 'errors' : 'without']++
  }
  const { errors, without, none } = ends
  return `of ${count} allocations ${errors} gave an error and worked when tried again, ${without} were done without, ${none} left no addon`
}

const names = positionals.length ? positionals : Object.keys(scenarios)
for (const name of names) {
  if (name === 'first') continue
  for (const what of ['addon', 'arrays']) await report(`${name}, ${what}`, () => sweep(name, what))
}
if (!positionals.length || positionals.includes('first')) await report('first use of a process', first)
rmSync(folder, { recursive: true })
console.log(`${total} failures, ${wrong} wrong`)
process.exitCode = wrong ? 1 : 0
