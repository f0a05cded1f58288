/** What keeps memory alive that native code points into: nothing that a script puts on the prototypes of all objects or functions. */
import { availableBackends } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { runModule } from '../support/child.ts'

const natives = availableBackends().filter((name) => name !== 'typescript')

// Every kind of native object, used after many collections in which whatever is not held goes, and memory of the same size is taken anew.
const program = (poison: string, poisonFirst: boolean) => `
import { GRU, Linear, LSTM } from 'native-rnn'
const wave = (count) => Float32Array.from({ length: count }, (_, i) => ((i * 37) % 64) / 32 - 1)
const sum = (values) => values.reduce((all, value) => Math.fround(all * 0.75 + value), 0)
const results = []
function make(backend) {
  const lstm = new LSTM(64, 64, { seed: 1, backend }), linear = new Linear(64, 64, { seed: 2, backend })
  const gru = new GRU(64, 64, { seed: 3, backend })
  return { lstm, linear, gru, stream: lstm.stream(), batcher: gru.batcher() }
}
async function settle() {
  for (let i = 0; i < 4; i++) {
    gc()
    await new Promise(setImmediate)
    // What was freed is taken again, and written to.
    for (let k = 0; k < 40; k++) new Float32Array(new SharedArrayBuffer(135168)).fill(NaN)
  }
}
async function use({ lstm, linear, gru, stream, batcher }) {
  const x = { data: wave(30 * 64), shape: [30, 64] }
  const pending = gru.forwardAsync(x)
  const streams = Array.from({ length: 40 }, () => batcher.open())
  await settle()
  results.push(sum(lstm.forward(x).output.data), sum(linear.forward(x).data), sum((await pending).output.data))
  for (let i = 0; i < 5; i++) results.push(sum(stream.step(wave(64))))
  for (let i = 0; i < 3; i++) results.push(...(await Promise.all(streams.map((one) => one.step(wave(64))))).map(sum))
}
function poison() { ${poison} }
const before = ${poisonFirst} ? [] : ${JSON.stringify(natives)}.map(make)
poison()
const all = ${poisonFirst} ? ${JSON.stringify(natives)}.map(make) : before
for (const one of all) { await settle(); await use(one) }
for (const { lstm, linear, gru, stream, batcher } of all) {
  await batcher.close()
  stream.dispose(), lstm.dispose(), linear.dispose(), gru.dispose()
}
await settle()
console.log(JSON.stringify(results))
`

const names = ['memory', 'header', 'arena', 'input', 'output', 'frames', 'h', 'c', 'rows']
const onBoth = (descriptor: string) => `
  for (const prototype of [Object.prototype, Function.prototype])
    for (const name of ${JSON.stringify(names)}) Object.defineProperty(prototype, name, ${descriptor})`

const poisons: Record<string, string> = {
  'read-only names on the prototypes': onBoth('{ value: 1, writable: false, configurable: true }'),
  'setters that take what is given': onBoth('{ set() {}, get() {}, configurable: true }'),
  'setters that throw': onBoth("{ set() { throw new Error('no') }, get() {}, configurable: true }"),
}

describe.runIf(natives.length > 0)('memory under native objects', async () => {
  const run = async (poison: string, first: boolean) => {
    const { ended, stdout, stderr } = await runModule(program(poison, first), {}, ['--expose-gc'])
    expect(`${ended} ${stderr}`.trim()).toBe('0')
    return stdout
  }
  const plain = await run('', false)

  it('gives numbers', () => {
    const numbers = JSON.parse(plain) as number[]
    expect(numbers).toHaveLength(natives.length * 128)
    expect(numbers.every(Number.isFinite)).toBe(true)
  })

  it.each(Object.entries(poisons))('lives on beside %s, from before it was made', async (_, poison) => {
    expect(await run(poison, true)).toBe(plain)
  })

  it.each(Object.entries(poisons))('lives on beside %s, from after it was made', async (_, poison) => {
    expect(await run(poison, false)).toBe(plain)
  })

  it('goes back to the system when whoever used it is gone', async () => {
    const { ended, stdout, stderr } = await runModule(
      `import { LSTM } from 'native-rnn'
       const mb = () => process.memoryUsage().rss / 2 ** 20
       const collect = async () => { for (let i = 0; i < 3; i++) { gc(); await new Promise(setImmediate) } }
       await collect()
       const before = mb()
       for (let i = 0; i < 12; i++) {
         for (let k = 0; k < 5; k++) new LSTM(512, 512, { seed: 1 }).stream().step(new Float32Array(512))
         await collect()
       }
       console.log(mb() - before)`,
      {},
      ['--expose-gc'],
    )
    expect(`${ended} ${stderr}`.trim()).toBe('0')
    // 60 layers of 8 MB; five are there at a time, and while they are made their plain weights are too.
    expect(Number(stdout)).toBeLessThan(200)
  })
})
