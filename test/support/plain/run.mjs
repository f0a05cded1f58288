// Runs test files in this very process, with nothing but Node ≥ 22.18 (which strips types): for emulated CPUs and for
// sanitizers, where vitest's bundler and worker processes are in the way. `node test/support/plain/run.mjs
// [--emulated] [test file …]`; without names: every suite. Bun runs it too, for musl.
import { readdirSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { startTests } from '@vitest/runner'

// As vitest.config.ts has it.
process.env.NATIVE_RNN_SHARING ??= 'always'

const args = process.argv.slice(2)
const stand = new URL('./vitest.mjs', import.meta.url).href
if (process.versions.bun) {
  const exports = await import(stand)
  Bun.plugin({ name: 'vitest', setup: (build) => build.module('vitest', () => ({ exports, loader: 'object' })) })
} else {
  module.registerHooks({
    resolve: (name, context, next) => (name === 'vitest' ? { url: stand, shortCircuit: true } : next(name, context)),
  })
  await import(stand)
}

const counts = { pass: 0, fail: 0, skip: 0 }
const times = []
function report(task, path) {
  if (task.type === 'suite') {
    if (task.result?.state === 'fail' && task.result.errors?.length) show(task, path)
    for (const child of task.tasks) report(child, [...path, task.name])
    return
  }
  const state = task.result?.state ?? 'skip'
  counts[state in counts ? state : 'skip']++
  times.push([task.result?.duration ?? 0, [...path, task.name].join(' > ')])
  if (state === 'fail') show(task, path)
}
function show(task, path) {
  console.log(`FAIL ${[...path, task.name].join(' > ')}`)
  for (const error of task.result.errors ?? []) {
    console.log(error.stack ?? error.message)
    // What a child process said is in the value, not in the words.
    if (error.actual !== undefined)
      console.log(inspect(error.actual, { maxStringLength: 20_000 }).replaceAll('\\n', '\n'))
  }
}

// Type tests have nothing to run. An emulated Node cannot start another one, and has no time for long sweeps, nor for what has no instructions
// of its own: files, operators, options, tensors, words of errors, WebAssembly's turns. Bun has globals and flags of its own, and is asked about
// the addon, which runs in no turns.
const emulated = args.includes('--emulated')
if (emulated) process.env.NATIVE_RNN_TESTED = 'native'
const skippedText = emulated ? /child_process|\/child\.ts'|expectTypeOf/ : /expectTypeOf/
const skippedName = emulated
  ? /^(docs|formats|house|services|api.(error-texts|hints|model|options|tensor|.*-refusals|state-dict-)|native.model-memory|numbers.(accuracy|format-accuracy|keras|onnx|operator|pieces|silero|turns|.*-models|model-)|robustness.(?!.*-arrays))/
  : process.versions.bun
    ? /^(house|services|numbers.pieces|robustness.(edge-entry|missing-globals|poisoned-intrinsics))/
    : /^services/
const core = () =>
  readdirSync('test', { recursive: true })
    .filter((name) => name.endsWith('.test.ts') && !skippedName.test(name))
    .map((name) => `test/${name}`)
    .filter((file) => !skippedText.test(readFileSync(file, 'utf8')))
const named = args.filter((name) => !name.startsWith('--'))
const files = (named.length > 0 ? named : core()).map((file) => resolve(file))
const runner = {
  importFile: (file) => import(pathToFileURL(file).href),
  config: {
    root: process.cwd(),
    setupFiles: [],
    name: '',
    passWithNoTests: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    allowOnly: false,
    maxConcurrency: 1,
    retry: 0,
    tags: [],
    tagsFilter: undefined,
    sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
    diffOptions: {},
    chaiConfig: {},
  },
}
for (const file of await startTests(files, runner)) {
  if (file.result?.state === 'fail' && file.result.errors?.length) {
    counts.fail++
    show(file, [])
  }
  for (const task of file.tasks) report(task, [file.name])
}
// Where the time goes: the longest tests, and the longest files.
if (process.env.RNN_SLOWEST) {
  const files = new Map()
  for (const [ms, name] of times) {
    const [file] = name.split(' > ')
    files.set(file, (files.get(file) ?? 0) + ms)
  }
  for (const list of [times, [...files].map(([name, ms]) => [ms, name])])
    for (const [ms, name] of list.sort((a, b) => b[0] - a[0]).slice(0, 25)) console.log(`${Math.round(ms)} ms  ${name}`)
}
console.log(`${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped`)
process.exitCode = counts.fail === 0 && counts.pass > 0 ? 0 : 1
// Under wine something of its own keeps the process alive.
if (process.platform === 'win32') process.exit()
