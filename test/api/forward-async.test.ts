/** forwardAsync: forward's numbers beside the JavaScript thread, and what an abort, a change or an end meanwhile does. */
import { GRU, LSTM, RNN } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { runModule } from '../support/child.ts'
import { expectRejected, rejection } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

describe.each(backends)('forwardAsync on %s', (backend) => {
  const lstm = new LSTM(5, 9, { numLayers: 2, bidirectional: true, seed: 3, backend })
  const x = ramp(7, 3, 5)
  // Long enough to be running still when the test's next lines are reached.
  const slow = new GRU(64, 64, { seed: 4, backend })
  const long = ramp(backend === 'typescript' ? 2_000 : 40_000, 1, 64)

  it.each([
    ['plain', x, {}],
    ['states', x, { h0: ramp(4, 3, 9), c0: ramp(4, 3, 9) }],
    ['lengths', x, { lengths: [7, 0, 3] }],
    ['no output', x, { returnOutput: false }],
    ['unbatched', ramp(7, 5), {}],
    ['no steps', ramp(0, 3, 5), {}],
    ['no rows', ramp(7, 0, 5), {}],
    ['more than the arena', ramp(300, 9, 5), { lengths: [300, 299, 1, 0, 5, 6, 7, 8, 9] }],
  ])('gives the bits of forward: %s', async (_, input, options) => {
    expect(await lstm.forwardAsync(input, options)).toEqual(lstm.forward(input, options))
  })

  it('runs many calls at once, of several layers', async () => {
    const rnn = new RNN(5, 8, { seed: 1, backend })
    const calls = Array.from({ length: 60 }, (_, i) => (i % 2 ? lstm : rnn).forwardAsync(x))
    const results = await Promise.all(calls)
    for (const [i, result] of results.entries()) expect(result).toEqual((i % 2 ? lstm : rnn).forward(x))
  })

  it('copies the inputs before it returns', async () => {
    const mine = ramp(7, 3, 5)
    const h0 = ramp(4, 3, 9)
    const want = lstm.forward(mine, { h0 })
    const promise = lstm.forwardAsync(mine, { h0 })
    mine.data.fill(9)
    structuredClone(h0.data.buffer, { transfer: [h0.data.buffer as ArrayBuffer] })
    expect(await promise).toEqual(want)
  })

  it('leaves the event loop free', async () => {
    let turns = 0
    let ended = false
    const promise = slow.forwardAsync(long).finally(() => {
      ended = true
    })
    while (!ended) {
      await new Promise(setImmediate)
      turns++
    }
    await promise
    expect(turns).toBeGreaterThan(3)
  })

  it('goes on when the layer is disposed or loads other weights meanwhile', async () => {
    const layer = new GRU(64, 64, { seed: 4, backend })
    const want = layer.forward(long, { returnOutput: false })
    const first = layer.forwardAsync(long, { returnOutput: false })
    layer.loadStateDict(new GRU(64, 64, { seed: 5 }).stateDict())
    const second = layer.forwardAsync(long, { returnOutput: false })
    layer.dispose()
    expect(await first).toEqual(want)
    expect(await second).not.toEqual(want)
    await expectRejected(layer.forwardAsync(long), 'ERR_RNN_DISPOSED', 'was disposed')
  })

  it('rejects what is wrong, and never throws', async () => {
    await expectRejected(lstm.forwardAsync([[1, 2]]), 'ERR_RNN_SHAPE', 'Expected 5, got 2')
    await expectRejected(lstm.forwardAsync(x, { h1: x } as object), 'ERR_RNN_OPTION', "unknown option 'h1'")
    await expectRejected(
      lstm.forwardAsync(x, { signal: {} } as object),
      'ERR_RNN_OPTION',
      'signal must be an AbortSignal',
    )
  })

  it('refuses a signal that is aborted', async () => {
    const reason = new Error('never mind')
    expect(await rejection(lstm.forwardAsync(x, { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  it('stops when it is aborted, running or waiting', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 8 }, () => rejection(slow.forwardAsync(long, { signal })))
    // No turn has passed, so none of them is known to have ended.
    controller.abort()
    for (const error of await Promise.all(calls)) expect(error).toBe(signal.reason)
    expect(await slow.forwardAsync(ramp(2, 1, 64))).toEqual(slow.forward(ramp(2, 1, 64)))
  })

  it('ignores an abort after its end', async () => {
    const controller = new AbortController()
    const result = await lstm.forwardAsync(x, { signal: controller.signal })
    controller.abort()
    expect(result).toEqual(lstm.forward(x))
  })

  it('takes one signal for any number of calls and steps, with no listener left and nothing said of a leak', async () => {
    const ended = await runModule(`
      import { getEventListeners } from 'node:events'
      import { GRU } from 'native-rnn'
      const gru = new GRU(2, 3, { backend: '${backend}' })
      const stream = gru.batcher().open()
      const control = new AbortController()
      const start = () => [gru.forwardAsync([[1, 2]], control), stream.step(Float32Array.of(1, 2), control)]
      await Promise.all(Array.from({ length: 30 }, start).flat())
      console.log(getEventListeners(control.signal, 'abort').length)
      const aborted = Array.from({ length: 30 }, start).flat()
      control.abort('enough')
      const reasons = await Promise.allSettled(aborted)
      console.log(getEventListeners(control.signal, 'abort').length, ...new Set(reasons.map(({ reason }) => reason)))
    `)
    expect(ended).toEqual({ ended: 0, stdout: '0\n0 enough\n', stderr: '' })
  })

  it('keeps a process alive until it has ended, and not longer', async () => {
    const text = `
      import { GRU } from 'native-rnn'
      const layer = new GRU(8, 8, { seed: 1 })
      const input = { data: new Float32Array(8000), shape: [1000, 1, 8] }
      layer.forwardAsync(input).then(({ output }) => console.log(output.shape.join()))`
    const { ended, stdout, stderr } = await runModule(text, { NATIVE_RNN_BACKEND: backend })
    expect({ ended, stdout, stderr }).toEqual({ ended: 0, stdout: '1000,1,8\n', stderr: '' })
  })

  it('lets a process exit in the middle of calls', async () => {
    const text = `
      import { GRU } from 'native-rnn'
      const layer = new GRU(64, 64, { seed: 1 })
      const input = { data: new Float32Array(6400000), shape: [100000, 1, 64] }
      for (let i = 0; i < 8; i++) layer.forwardAsync(input)
      setImmediate(() => process.exit(7))`
    // Under a leak checker: on process.exit Node leaves its own memory as it is.
    const env = { NATIVE_RNN_BACKEND: backend, LSAN_OPTIONS: 'detect_leaks=0' }
    const { ended, stderr } = await runModule(text, env)
    expect({ ended, stderr }).toEqual({ ended: 7, stderr: '' })
  })
})
