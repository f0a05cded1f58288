/** Scripts that replace what the language gives while a model is in use: runs and steps of known shapes keep their bits, and no process ends. */
import { describe, expect, it } from 'vitest'
import { runModule } from '../support/child.ts'
import { modelBackends, recurrent } from '../support/model-files.ts'
import { instruments } from '../support/poisoned.ts'

// The TypeScript backend runs the operators that read files too, which use the language as it is.
const native = modelBackends.filter((name) => name !== 'typescript')

const program = (poison: string) => `
import { Model } from 'native-rnn'
${instruments}
const file = Buffer.from('${Buffer.from(recurrent()).toString('base64')}', 'base64')
const names = ${JSON.stringify(native)}
const frames = { data: wave(12), shape: [2, 2, 3] }, state = { data: wave(10), shape: [1, 2, 5] }, frame = wave(3)
const options = { states: { state: 'stateN' }, batchAxes: { frames: 1 }, shapes: { frames: [1, 1, 3] } }
const made = []
for (let i = 0; i < names.length; i++) {
  const model = Model.read(file, { backend: names[i] })
  model.run({ frames, state })
  const batcher = model.batcher(options)
  const stream = batcher.open()
  await stream.step(frame)
  // The fingerprint is made once, of all that a file holds.
  stream.save()
  made[i] = { model, stream: model.stream(options), batcher, batched: stream }
}
async function use({ model, stream, batcher, batched }) {
  await attempt('run', () => {
    const { scores, stateN } = model.run({ frames, state })
    say('y', scores.data), say('h', stateN.data)
  })
  await attempt('async', async () => say('y', (await model.runAsync({ frames, state })).scores.data))
  await attempt('stream', () => {
    stream.step(frame), say('y', stream.outputs.scores)
    stream.step(), say('y', stream.outputs.scores)
    say('h', stream.state().state.data)
    stream.reset(), say('y', stream.step({ frames: { data: frame, shape: [1, 1, 3] } }).scores)
  })
  await attempt('batcher', async () => {
    say('y', (await batched.step(frame)).scores), say('h', batched.state().state.data)
    const restored = batcher.restore(batched.save())
    say('y', (await restored.step(frame)).scores), restored.close()
  })
}
const stolen = [], own = { frame, a: frames.data, b: state.data }
const copyAway = structuredClone
const bufferOf = Function.prototype.call.bind(
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Floats.prototype), 'buffer').get)
function steal(values) {
  for (const name in own) if (own[name] === values) return
  try { copyAway(bufferOf(values), { transfer: [bufferOf(values)] }) } catch {}
}
const Typed = Object.getPrototypeOf(Floats)
const replace = (object, name, make) => {
  const old = object[name]
  Object.defineProperty(object, name, { value: make(old), configurable: true, writable: true })
}
${poison}
for (let i = 0; i < names.length; i++) {
  writeSync(1, names[i] + '\\n')
  await use(made[i])
}
writeSync(1, 'end\\n')
process.exit(0)
`

const methods = "['slice', 'subarray', 'set', 'fill', 'map', 'with', 'values', 'entries', 'copyWithin']"

/** Poisons under which everything goes on as if nothing were. */
const harmless: Record<string, string> = {
  'species that give short arrays': `
    for (const type of [Typed, ArrayBuffer, SharedArrayBuffer])
      Object.defineProperty(type, Symbol.species, { get: () => function () { return new Floats(1) } })`,
  'methods of typed arrays that take the memory away': `
    for (const name of ${methods})
      replace(Typed.prototype, name, (old) => function (...values) { steal(this); return old.apply(this, values) })`,
  'setters and options on the prototype of all objects': `
    for (const name of ['frames', 'state', 'inputs', 'outputs', 'values', 'shape', 'signal', 'data'])
      Object.defineProperty(Object.prototype, name, { set(value) { steal(value) }, get: () => undefined })`,
  'call, apply and bind': `
    for (const name of ['call', 'apply', 'bind']) replace(Function.prototype, name, () => () => 1e9)`,
  'methods and iterators of arrays': `
    for (const name of ['push', 'pop', 'slice', 'map', 'forEach', 'every', 'some', 'includes', 'indexOf', 'entries', 'filter'])
      replace(Array.prototype, name, () => () => 77)
    Array.prototype[Symbol.iterator] = function* () { yield 1e6; yield 1e6 }`,
  'a WeakMap and a Map that forget': `
    for (const type of [WeakMap, Map]) for (const name of ['get', 'has', 'set']) replace(type.prototype, name, () => () => undefined)`,
}

/** Poisons under which calls may fail, but no process ends. */
const harmful: Record<string, string> = {
  'getters of typed arrays that lie': `
    for (const [name, lie] of [['length', 2 ** 20], ['byteLength', 2 ** 22], ['byteOffset', 4096]])
      Object.defineProperty(Typed.prototype, name, { get: () => lie })`,
  'numbers that are never wrong': `
    Number.isSafeInteger = Number.isInteger = Number.isFinite = () => true; Math.max = Math.min = Math.ceil = Math.floor = () => 1e6`,
}

let expected: Promise<string> | undefined
const run = (poison: string) => runModule(program(poison))

describe.runIf(native.length > 0)('intrinsics replaced while models are in use', () => {
  it.each(Object.entries(harmless))('%s change no bit', async (_, poison) => {
    expected ??= run('').then(({ stdout }) => stdout)
    const { ended, stdout, stderr } = await run(poison)
    expect({ ended, stderr }).toEqual({ ended: 0, stderr: '' })
    expect(stdout).toBe(await expected)
    expect(stdout).not.toContain('failed')
  })

  it.each(Object.entries(harmful))('%s end no process', async (_, poison) => {
    const { ended, stdout } = await run(poison)
    expect({ ended, stdout }).toEqual({ ended: 0, stdout: expect.stringMatching(/\nend\n$/) })
  })
})
