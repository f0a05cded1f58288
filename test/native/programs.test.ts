/** Programs as the addon takes them, whoever calls it: what is refused, runs beside the thread, and ends in the middle of one. */
import { join } from 'node:path'
import { availableBackends } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { printed, runModule } from '../support/child.ts'

const natives = availableBackends().filter((name) => name !== 'typescript')
const built =
  process.env.NATIVE_RNN_PATH ?? join(import.meta.dirname, '..', '..', 'build', 'Release', 'native-rnn.node')

// The addon by itself, in a process of its own: it is set up once a thread.
const world = `
  import { createRequire } from 'node:module'
  const addon = createRequire('/')(${JSON.stringify(built)})
  const header = new Int32Array(16), OP = 0, SLOT = 4
  const settled = new Map()
  const calls = addon.setUp(header, new Float32Array(8192), (slot, how) => settled.get(slot)?.(how), 4, false)
  const table = addon.tables().findIndex(({ usable }) => usable)
  const shared = (bytes) => new Uint8Array(new SharedArrayBuffer(bytes))
  const programOf = (numbers, constants = shared(64), memories = []) =>
    addon.program(table, 1, Float64Array.from(numbers), constants, memories)
  const call = (bound, op, ...given) => { header[OP] = op; const made = bound(...given); return made ?? header[SLOT] }
  const instanceOf = (program, io) => { const bound = call(program, 0, io); return { bound, skipped: header[SLOT] } }
  const started = (bound) => {
    const slot = call(bound, 1)
    return { slot, ended: new Promise((resolve) => settled.set(slot, resolve)) }
  }
  const drop = (slot) => { header[SLOT] = slot; header[OP] = 3; calls() }
  const view = (type, region, offset, ...axes) => [type, region, offset, axes.length / 2, ...axes]
  const instruction = (opcode, ...operands) => { const own = operands.flat(); return [opcode, own.length, ...own] }
  const said = (body) => { try { body(); return 'nothing' } catch (error) { return error.message } }
`
const long = `
  const size = 1 << 16
  const tanh = instruction(3, 0, 0, 0, view(0, 1, 0, size, 1), view(0, 1, 0, size, 1))
  const longOf = (count) => programOf([4 * size, 0, count, ...Array(count).fill(tanh).flat()])
`

describe.runIf(natives.length > 0)('programs of the addon', () => {
  it('run over the memory of an instance, as often as they are asked', async () => {
    const text = `${world}
      // y = x + constants, then y gathered by indices
      const constants = shared(64)
      new Float32Array(constants.buffer).set([10, 20, 30, 40])
      const program = programOf([64, 16, 2,
        ...instruction(4, 0, view(0, 1, 0, 4, 1), view(0, 0, 0, 4, 1), view(0, 2, 0, 4, 1)),
        ...instruction(10, 0, view(0, 2, 0, 4, 1), view(2, 1, 32, 2, 1), view(0, 1, 16, 2, 1)),
      ], constants)
      const io = shared(128)
      const { bound, skipped } = instanceOf(program, io)
      new Float32Array(io.buffer, skipped, 4).set([1, 2, 3, 4])
      const indices = new BigInt64Array(io.buffer, skipped + 32, 2)
      const y = () => [...new Float32Array(io.buffer, skipped + 16, 2)]
      const found = []
      indices.set([3n, -4n])
      found.push(call(bound, 0), y())
      const { slot, ended } = started(bound)
      found.push(said(() => call(bound, 0)), await ended, y())
      drop(slot)
      indices.set([4n, 0n])
      found.push(call(bound, 0))
      const failing = started(bound)
      found.push(await failing.ended)
      header[SLOT] = failing.slot
      found.push(call(bound, 2))
      drop(failing.slot)
      call(program, 1)
      indices.set([0n, 0n])
      found.push(call(bound, 0), said(() => call(program, 0, shared(128))))
      call(bound, 3)
      found.push(said(() => call(bound, 0)), said(() => call(bound, 1)))
      console.log(JSON.stringify(found))`
    const gone = 'native-rnn: use after dispose()'
    const busy = 'native-rnn: the instance is running'
    expect(await printed(text)).toEqual([0, [44, 11], busy, 0, [44, 11], 2, 3, 2, 0, gone, gone, gone])
  })

  it('are refused where anything is not what it must be', async () => {
    const text = `${world}
      const good = [64, 0, 1, ...instruction(0, view(0, 1, 0, 4, 1), view(0, 1, 16, 4, 1))]
      const odd = new Uint8Array(new SharedArrayBuffer(128), 1, 64)
      const attempts = [
        () => addon.program(), () => addon.program(99, 1, new Float64Array(good), shared(8), []),
        () => addon.program(table, 0, new Float64Array(good), shared(8), []),
        () => addon.program(table, 1, good, shared(8), []), () => addon.program(table, 1, new Float64Array(good), [], []),
        () => addon.program(table, 1, new Float64Array(good), odd, []),
        () => addon.program(table, 1, new Float64Array(good), shared(8), 5),
        () => addon.program(table, 1, new Float64Array(good), shared(8), [new Uint8Array(64)]),
        () => addon.program(table, 1, new Float64Array(good), shared(8), { length: 3 }),
        () => programOf([]), () => programOf([64]), () => programOf(good.slice(0, -1)), () => programOf([...good, 0]),
        () => programOf(good.with(0, 31)), () => programOf(good.with(2, 2)), () => programOf(good.with(3, 23)),
        () => programOf([64, 0, 1, ...instruction(15, 0, 1, 1, -1, 0, 0, 0, view(0, 1, 0, 1, 1, 1, 1), view(0, 1, 0, 1, 1, 1, 1))]),
        () => call(programOf(good), 0), () => call(programOf(good), 0, shared(127)), () => call(programOf(good), 7),
        () => call(instanceOf(programOf(good), shared(128)).bound, 9),
        () => { header[SLOT] = 5; call(instanceOf(programOf(good), shared(128)).bound, 2) },
        () => { header[SLOT] = -5; call(instanceOf(programOf(good), shared(128)).bound, 2) },
      ]
      console.log(JSON.stringify([said(() => programOf(good)), attempts.map(said)]))`
    const [allowed, refused] = (await printed(text)) as [string, string[]]
    expect(allowed).toBe('nothing')
    expect(refused.length).toBe(23)
    for (const words of refused) expect(words).toMatch(/^native-rnn: /)
  })

  it('stop between instructions when they are cancelled', async () => {
    const text = `${world}${long}
      const program = longOf(20000)
      const one = instanceOf(program, shared(4 * size + 64)).bound
      const { slot, ended } = started(one)
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
      header[SLOT] = slot
      header[OP] = 4
      calls()
      const how = header[SLOT] === 1 ? 'it had not begun' : await ended
      if (how !== 'it had not begun') drop(slot)
      console.log(JSON.stringify(how), JSON.stringify(said(() => call(one, 2))))`
    const { ended, stdout, stderr } = await runModule(text)
    expect({ ended, stderr }).toEqual({ ended: 0, stderr: '' })
    expect(stdout).toMatch(/^(1|"it had not begun") "native-rnn: no such call"\n$/)
  })

  it('keep what they need where everything else lets go of them', async () => {
    const text = `${world}${long}
      const ends = []
      for (let i = 0; i < 6; i++) {
        const program = longOf(200)
        const { bound } = instanceOf(program, shared(4 * size + 64))
        ends.push(started(bound).ended)
        call(bound, 3)
        call(program, 1)
      }
      for (let i = 0; i < 5; i++) { globalThis.gc(); await new Promise(setImmediate) }
      console.log(JSON.stringify(await Promise.all(ends)))`
    const { ended, stdout } = await runModule(text, {}, ['--expose-gc'])
    expect({ ended, stdout }).toEqual({ ended: 0, stdout: '[0,0,0,0,0,0]\n' })
  })

  it('end with their thread', async () => {
    const text = `
      import { Worker } from 'node:worker_threads'
      const text = ${JSON.stringify(`${world}${long}
        import { parentPort } from 'node:worker_threads'
        const program = longOf(20000)
        for (let i = 0; i < 6; i++) started(instanceOf(program, shared(4 * size + 64)).bound)
        parentPort.postMessage('runs')
      `)}
      for (let round = 0; round < 5; round++) {
        const worker = new Worker(text, { eval: true })
        await new Promise((resolve) => worker.once('message', resolve))
        for (let turn = 0; turn < round * 3; turn++) await new Promise(setImmediate)
        await worker.terminate()
      }
      console.log('survived')`
    const { ended, stdout, stderr } = await runModule(text)
    expect({ ended, stdout, stderr }).toEqual({ ended: 0, stdout: 'survived\n', stderr: '' })
  })
})
