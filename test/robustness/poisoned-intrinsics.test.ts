/** Scripts that replace what the language gives after the package was loaded: results keep their bits, and no memory of the engine is lost. */
import { availableBackends } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { runModule } from '../support/child.ts'
import { instruments } from '../support/poisoned.ts'

// Everything that a user can do, as text: each result is written out by means that were taken before the poison.
const program = (poison: string, warm: boolean) => `
import { Embedding, GRU, Linear, LSTM, Tensor } from 'native-rnn'
${instruments}
const Bytes = Uint8Array
const frames = [], dicts = {}
const names = ${JSON.stringify(availableBackends())}
const input = { data: wave(5 * 2 * 3), shape: [5, 2, 3] }, long = { data: wave(120 * 8 * 3), shape: [120, 8, 3] }
const h0 = { data: wave(2 * 8), shape: [1, 2, 8] }, frame = wave(3)
const longs = new BigInt64Array(2)
longs[0] = 4n, longs[1] = 2n
async function use(backend, layers) {
  const { lstm, gru, linear, embedding } = layers
  await attempt('forward', () => {
    const { output, hn, cn } = lstm.forward(input, { h0, lengths: [5, 3] })
    say('y', output.data), say('h', hn.data), say('c', cn.data)
  })
  await attempt('rows', () => {
    say('y', gru.forward([frame, frame]).output.data)
    say('y', lstm.forward(input, { lengths: longs }).output.data), say('y', embedding.forward(longs).data)
  })
  await attempt('long', () => say('y', gru.forward(long).output.data))
  await attempt('async', async () => say('y', (await lstm.forwardAsync(input)).output.data))
  await attempt('long async', async () => say('y', (await gru.forwardAsync(long)).output.data))
  await attempt('linear', () => say('y', linear.forward({ data: wave(6), shape: [2, 3] }).data))
  await attempt('embedding', () => say('y', embedding.forward([1, 3]).data))
  await attempt('stream', () => {
    const stream = lstm.stream()
    say('y', stream.step(frame)), stream.step(), say('y', stream.output)
    say('y', stream.run({ data: wave(12), shape: [4, 3] }).data), say('y', stream.output)
    const fork = stream.fork()
    say('y', fork.step(frame))
    const restored = lstm.restoreStream(stream.save())
    say('y', restored.output), say('y', restored.step(frame)), say('c', restored.state().cn.data)
    stream.reset({ h0: { data: wave(8), shape: [1, 8] } }), say('h', stream.state().hn.data)
    stream.dispose(), fork.dispose()
  })
  await attempt('batcher', async () => {
    const batcher = lstm.batcher(), first = batcher.open()
    say('y', await first.step(frame))
    let last
    for (let i = 0; i < 20; i++) last = batcher.open({ h0: { data: wave(8), shape: [1, 8] } })
    const one = first.step(frame), two = last.step(frame)
    say('y', await one), say('y', await two), say('h', last.state().hn.data)
    first.reset(), say('h', first.state().hn.data)
    say('y', await last.step(frame))
    say('y', (await first.run({ data: wave(12), shape: [4, 3] })).data), say('y', await batcher.restore(last.save()).step(frame))
    batcher.replace(layers.other), say('y', await first.step(frame)), say('h', last.state().hn.data)
    batcher.replace(lstm, { streams: 'keep' }), say('y', await first.step(frame)), say('y', await batcher.open().step(frame))
    batcher.stats()
    await batcher.close()
  })
  await attempt('weights', () => {
    const dict = lstm.stateDict()
    say('w', dict.weight_hh_l0.data), lstm.loadStateDict(dict), say('y', lstm.forward(input).output.data)
    say('w', linear.stateDict().weight.data)
  })
  await attempt('share', () => say('y', GRU.fromShared(gru.share()).forward(long).hn.data))
  await attempt('general', () => {
    const functions = { gate: { name: 'hardSigmoid', alpha: 0.25 }, candidate: 'elu' }
    const layer = new LSTM(3, 8, { seed: 6, backend, clip: 2, inputForget: true, functions })
    say('y', layer.forward(input).output.data)
    say('y', LSTM.fromShared(layer.share()).forward(input).output.data)
    say('y', layer.restoreStream(layer.stream().save()).step(frame))
  })
  await attempt('new', () => say('y', new GRU(3, 8, { seed: 5, backend }).forward(input).hn.data))
}
const make = (backend) => ({
  lstm: new LSTM(3, 8, { seed: 1, backend, numLayers: 1 }),
  other: new LSTM(3, 8, { seed: 7, backend }),
  gru: new GRU(3, 16, { seed: 2, backend }),
  linear: new Linear(3, 4, { seed: 3, backend }),
  embedding: new Embedding(5, 2, { seed: 4 }),
})
const layers = ${warm} ? names.map(make) : undefined
const stolen = []
const { transfer } = ArrayBuffer.prototype, copyAway = structuredClone, collect = globalThis.gc
const bufferOf = Function.prototype.call.bind(
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Floats.prototype), 'buffer').get)
const own = { frame, a: input.data, b: long.data, h: h0.data }
// Takes the memory of an array away, and lets it be freed, as a hostile script would; not that of the program's own.
function steal(values) {
  for (const name in own) if (own[name] === values) return
  try { copyAway(bufferOf(values), { transfer: [bufferOf(values)] }) } catch {}
  collect()
}
const Typed = Object.getPrototypeOf(Floats)
const replace = (object, name, make) => {
  const old = object[name]
  Object.defineProperty(object, name, { value: make(old), configurable: true, writable: true })
}
${poison}
for (let i = 0; i < names.length; i++) {
  writeSync(1, names[i] + '\\n')
  try {
    await use(names[i], layers ? layers[i] : make(names[i]))
  } catch (error) {
    writeSync(1, 'failed: ' + error + '\\n')
  }
  collect()
}
writeSync(1, 'end\\n')
process.exit(0)
`

const methods = "['slice', 'subarray', 'set', 'fill', 'map', 'with', 'values', 'entries', 'copyWithin']"
const arrayMethods =
  "['push', 'pop', 'shift', 'unshift', 'splice', 'slice', 'map', 'flatMap', 'forEach', 'every', 'some', 'includes', 'entries', 'concat']"

/** Poisons under which everything goes on as if nothing were. */
const harmless: Record<string, string> = {
  'species that give short arrays': `
    for (const type of [Typed, ArrayBuffer, SharedArrayBuffer])
      Object.defineProperty(type, Symbol.species, { get: () => function () { return new Floats(1) } })`,
  'constructors of prototypes': `
    for (const type of [Floats, Ints, Typed, ArrayBuffer, SharedArrayBuffer])
      Object.defineProperty(type.prototype, 'constructor', { get: () => function () { return new Floats(1) } })`,
  'methods of typed arrays that throw': `
    for (const name of ${methods}) replace(Typed.prototype, name, () => () => { throw new TypeError('poisoned') })`,
  'methods of typed arrays that take the memory away': `
    for (const name of ${methods})
      replace(Typed.prototype, name, (old) => function (...values) { steal(this); return old.apply(this, values) })`,
  'Object.assign, freeze and defineProperty that keep what they are given': `
    for (const name of ['assign', 'freeze', 'defineProperty'])
      replace(Object, name, () => (...values) => {
        for (const value of values) for (const key in value) if (ArrayBuffer.isView(value[key])) steal(value[key])
        return values[0]
      })`,
  'setters on the prototype of all objects': `
    for (const name of ['frames', 'h', 'c', 'outputs', 'rows', 'output', 'hn', 'cn', 'x', 'T', 'B', 'lengths', 'spec', 'call', 'data'])
      Object.defineProperty(Object.prototype, name, { set(value) { steal(value) }, get: () => undefined })`,
  'options on the prototype of all objects': `
    Object.prototype.numLayers = 3; Object.prototype.projSize = 1e9; Object.prototype.threads = -1
    for (const name of ['functions', 'gate', 'candidate', 'alpha', 'beta', 'clip', 'inputForget', 'nonlinearity'])
      Object.prototype[name] = 77`,
  'call, apply and bind': `
    for (const name of ['call', 'apply', 'bind']) replace(Function.prototype, name, () => () => 1e9)`,
  'a WeakMap and a Map that take the memory of what they keep away': `
    for (const type of [WeakMap, Map])
      replace(type.prototype, 'set', (old) => function (key, value) {
        for (const name in value) if (ArrayBuffer.isView(value[name])) steal(value[name])
        return Reflect.apply(old, this, [key, value])
      })`,
  'frozen prototypes': `
    for (const type of [Object, Function, Array, Floats, Ints, Typed, ArrayBuffer, Promise]) Object.freeze(type.prototype)`,
}

/** Poisons under which calls may fail, but no process ends and no number is wrong: each result is right to the bit, or an error. */
const harmful: Record<string, string> = {
  'getters of typed arrays that lie': `
    for (const [name, lie] of [['length', 2 ** 20], ['byteLength', 2 ** 22], ['byteOffset', 4096]])
      Object.defineProperty(Typed.prototype, name, { get: () => lie })`,
  'getters of typed arrays that take the memory away': `
    const kindOf = Object.getOwnPropertyDescriptor(Typed.prototype, Symbol.toStringTag).get
    for (const name of ['length', 'byteLength', 'byteOffset', 'buffer']) {
      const { get } = Object.getOwnPropertyDescriptor(Typed.prototype, name), { apply } = Reflect
      Object.defineProperty(Typed.prototype, name, { get() {
        const value = apply(get, this, [])
        // Node keeps its stack of async ids in doubles, asks them for their length, and crashes by itself where that was taken away. The engine's
        // doubles are scratch of the TypeScript backend: no native code points into them.
        if (apply(kindOf, this, []) !== 'Float64Array') steal(this)
        return value
      } })
    }`,
  'methods of arrays that do nothing': `for (const name of ${arrayMethods}) replace(Array.prototype, name, () => () => 77)`,
  'iterators of arrays': 'Array.prototype[Symbol.iterator] = function* () { yield 1e6; yield 1e6 }',
  'numbers that are never wrong': `
    Number.isSafeInteger = Number.isInteger = Number.isFinite = () => true; Math.max = Math.min = Math.ceil = Math.floor = () => 1e6`,
  'constructors of arrays': `
    for (const name of ['Float32Array', 'Int32Array', 'ArrayBuffer', 'SharedArrayBuffer'])
      globalThis[name] = new Proxy(globalThis[name], { construct: (type, values) => {
        const value = Reflect.construct(type, typeof values[0] === 'number' ? [1] : values)
        queueMicrotask(() => ArrayBuffer.isView(value) && steal(value))
        return value
      } })`,
  'instanceof that always holds': `
    for (const type of [Floats, Ints, SharedArrayBuffer, Tensor]) Object.defineProperty(type, Symbol.hasInstance, { value: () => true })`,
}

const env = { NODE_OPTIONS: '--expose-gc' }
let expected: Promise<string> | undefined
const run = (poison: string, warm: boolean) => runModule(program(poison, warm), env)

/** Lines that are neither a failure nor, in their order, among those expected. */
function wrongLines(stdout: string, expected: string): string[] {
  const right = expected.split('\n')
  let at = 0
  return stdout.split('\n').filter((line) => {
    const found = right.indexOf(line, at)
    if (found >= 0) at = found + 1
    return found < 0 && !/^([a-z ]+ )?failed/.test(line)
  })
}

describe.each([true, false])('intrinsics replaced, backends in use before: %s', (warm) => {
  it.each(Object.entries(harmless))('%s change no bit', async (_, poison) => {
    expected ??= run('', true).then(({ stdout }) => stdout)
    const { ended, stdout, stderr } = await run(poison, warm)
    expect({ ended, stderr }).toEqual({ ended: 0, stderr: '' })
    expect(stdout).toBe(await expected)
    expect(stdout).not.toContain('failed')
  })

  it.each(Object.entries(harmful))('%s end no process', async (_, poison) => {
    expected ??= run('', true).then(({ stdout }) => stdout)
    const { ended, stdout } = await run(poison, warm)
    expect({ ended, stdout }).toEqual({ ended: 0, stdout: expect.stringMatching(/\nend\n$/) })
    expect(wrongLines(stdout, await expected)).toEqual([])
  })
})
