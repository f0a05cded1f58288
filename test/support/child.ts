/** Programs in processes of their own, for what a test cannot do in its own process: crash, exit, run out of memory. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly ended: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a module's text to its end, with the package at hand as 'native-rnn'. */
export function runModule(text: string, env: Record<string, string> = {}, flags: string[] = []): Promise<Ended> {
  const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', text], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    stdout += data
  })
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    stderr += data
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ ended: signal ?? code, stdout, stderr }))
  })
}

/** What a module prints as JSON; a program that fails is an error. */
export async function printed(text: string, env: Record<string, string> = {}, flags: string[] = []): Promise<unknown> {
  const { ended, stdout, stderr } = await runModule(text, env, flags)
  if (ended !== 0) throw new Error(`the program ended with ${ended}: ${stderr}`)
  return JSON.parse(stdout)
}
