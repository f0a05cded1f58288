/** The end of the stack: a call that finds it fails alone, at whatever depth, and everything goes on as if it had not been made. */
import { GRU, LSTM } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'
import { frame, I } from '../support/batchers.ts'
import { atEveryDepth } from '../support/stack-end.ts'

describe.each(engines)('at the end of the stack, on %s', (backend) => {
  const lstm = new LSTM(I, 8, { seed: 2, numLayers: 2, backend })

  it.each([true, false])('a batched step fails alone (with a signal: %s)', async (signals) => {
    const batcher = lstm.batcher({ maxBatch: 3, maxQueue: 10_000 })
    const stream = batcher.open()
    let saved = stream.save()
    let total = 0
    for (let warm = 0; warm < 3; warm++) {
      const control = new AbortController()
      const options = signals ? control : undefined
      const input = frame(warm)
      let last: Promise<Float32Array> | undefined
      const steps: Promise<Float32Array>[] = new Array(5000)
      let count = 0
      const { failed } = atEveryDepth(600, () => {
        last = stream.step(input, options)
        steps[count++] = last
      })
      expect(failed).toBeGreaterThan(0)
      const ended = await Promise.allSettled(steps.slice(0, count))
      const alone = lstm.restoreStream(saved)
      let done = 0
      for (const one of ended) {
        if (one.status === 'fulfilled') {
          expect(one.value).toEqual(alone.step(input).slice())
          done++
        } else expect(one.reason).toBeInstanceOf(RangeError)
      }
      expect(done).toBeGreaterThan(0)
      expect(await stream.step(frame(9))).toEqual(alone.step(frame(9)).slice())
      expect(stream.state()).toEqual(alone.state())
      total += done + 1
      saved = stream.save()
    }
    await batcher.drain()
    expect(batcher.stats()).toMatchObject({ queued: 0, streams: 1, steps: total })
  })

  it('an abort takes its step back or comes too late', async () => {
    const batcher = lstm.batcher({ maxQueue: 5000 })
    const stream = batcher.open()
    const controls = Array.from({ length: 2500 }, () => new AbortController())
    const uncaught: unknown[] = []
    const steps = controls.map((control, n) => stream.step(frame(n), control))
    process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error))
    let next = 0
    const { failed } = atEveryDepth(600, () => controls[next++].abort())
    const ended = await Promise.allSettled(steps)
    process.setUncaughtExceptionCaptureCallback(null)
    expect(failed + uncaught.length).toBeGreaterThan(0)
    for (const error of uncaught) expect(error).toBeInstanceOf(RangeError)
    const alone = lstm.stream()
    for (const [n, one] of ended.entries()) {
      if (one.status === 'fulfilled') expect(one.value).toEqual(alone.step(frame(n)).slice())
      else if (!(one.reason instanceof RangeError)) expect(one.reason).toBe(controls[n].signal.reason)
    }
    expect(ended.some(({ status }) => status === 'rejected')).toBe(true)
    expect(stream.state()).toEqual(alone.state())
    await batcher.drain()
    expect(batcher.stats().queued).toBe(0)
  })

  it('opening, closing, resetting and draining are done or not', async () => {
    const batcher = lstm.batcher({ maxQueue: 10_000 })
    const h0 = [frame(1), frame(2)].map((row) => [...row, 0, 0])
    const open: { stream: ReturnType<typeof batcher.open>; reset: boolean; closed: boolean }[] = []
    let newest: ReturnType<typeof batcher.open> | undefined
    const opened = new Array(5000)
    let count = 0
    atEveryDepth(600, () => {
      newest = batcher.open()
      opened[count++] = newest
    })
    for (let i = 0; i < count; i++) open.push({ stream: opened[i], reset: false, closed: false })
    expect(batcher.stats().streams).toBe(count)
    let next = 0
    atEveryDepth(600, () => {
      const one = open[next++ % count]
      if (one.stream.reset({ h0 }) === undefined) one.reset = true
    })
    const begin = lstm.stream({ h0 }).state()
    const zeros = lstm.stream().state()
    for (const { stream, reset } of open) expect(stream.state()).toEqual(reset ? begin : zeros)
    next = 0
    atEveryDepth(600, () => {
      const one = open[next++ % count]
      if (one.stream.close() === undefined) one.closed = true
    })
    expect(batcher.stats().streams).toBe(open.filter(({ closed }) => !closed).length)
    const drains: Promise<void>[] = new Array(5000)
    let asked = 0
    atEveryDepth(600, () => {
      const one = batcher.drain()
      drains[asked++] = one
    })
    for (const one of await Promise.allSettled(drains.slice(0, asked))) {
      if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(RangeError)
    }
    // Slots that were given back twice would be two streams' now.
    const streams = Array.from({ length: 2 * count }, () => batcher.open({ h0 }))
    const results = await Promise.all(streams.map((stream, n) => stream.step(frame(n))))
    const alone = lstm.stream()
    for (const [n, result] of results.entries()) {
      alone.reset({ h0 })
      expect(result).toEqual(alone.step(frame(n)))
    }
  })

  it('a run and a change of weights are done or not', async () => {
    const other = new LSTM(I, 8, { seed: 3, numLayers: 2, backend })
    const layers = [lstm, other]
    const batcher = lstm.batcher({ maxBatch: 3, maxQueue: 10_000 })
    const pairs = [1, 2].map(() => ({ stream: batcher.open() }))
    const input = [frame(1), frame(2)]
    const options = { streams: 'move' } as const
    const calls: (number | Promise<{ data: Float32Array }>)[][] = pairs.map(() => new Array(20_000))
    const counts = [0, 0]
    let turn = 0
    // What is compiled when it is first called asks for ten times the stack.
    const warmed = lstm.batcher()
    const run = warmed.open().run(input)
    warmed.replace(other, options)
    await run
    const { failed } = atEveryDepth(500, () => {
      const n = turn++ % 3
      if (n < 2) {
        const run = pairs[n].stream.run(input)
        calls[n][counts[n]++] = run
        return
      }
      const weights = turn % 2
      batcher.replace(layers[weights], options)
      calls[0][counts[0]++] = weights
      calls[1][counts[1]++] = weights
    })
    expect(failed).toBeGreaterThan(0)
    const ends = await Promise.all(calls.map((all, n) => Promise.allSettled(all.slice(0, counts[n]))))
    for (const [n, { stream }] of pairs.entries()) {
      let alone = lstm.stream()
      let done = 0
      for (let i = 0; i < counts[n]; i++) {
        const call = calls[n][i]
        if (typeof call === 'number') {
          const { hn, cn } = alone.state()
          alone.dispose()
          alone = layers[call].stream({ h0: hn, c0: cn })
          continue
        }
        const one = ends[n][i] as PromiseSettledResult<{ data: Float32Array }>
        if (one.status === 'fulfilled') {
          expect(one.value.data).toEqual(alone.run(input).data)
          done++
        } else expect(one.reason).toBeInstanceOf(RangeError)
      }
      expect(done).toBeGreaterThan(0)
      expect(stream.save()).toEqual(alone.save())
    }
    await batcher.drain()
    expect(batcher.stats()).toMatchObject({ queued: 0, streams: 2 })
  })

  it('closing a batcher is done or not', async () => {
    const batchers = Array.from({ length: 2500 }, () => lstm.batcher({ maxBatch: 2, maxDelayMs: 2 ** 30 }))
    const steps = batchers.map((batcher) => batcher.open().step(frame(3)))
    const closed: Promise<void>[] = new Array(2500)
    let next = 0
    atEveryDepth(600, () => {
      const at = next++
      closed[at] = batchers[at].close()
    })
    const ends = await Promise.allSettled(Array.from(closed, (end) => end ?? Promise.reject(new RangeError())))
    const again = batchers.map(async (batcher, n) => {
      if (ends[n].status === 'rejected') {
        expect((ends[n] as PromiseRejectedResult).reason).toBeInstanceOf(RangeError)
        batcher.open().close()
      }
      await batcher.close()
      return steps[n]
    })
    const want = lstm.stream().step(frame(3))
    for (const output of await Promise.all(again)) expect(output).toEqual(want)
  })

  it('a stream and its layer go on', async () => {
    const gru = new GRU(I, 8, { seed: 4, backend })
    const x = { data: frame(1), shape: [1, 1, I] }
    const stream = lstm.stream()
    const input = frame(5)
    const want = gru.forward(x).output.data
    const pending: Promise<{ output: { data: Float32Array } }>[] = new Array(20000)
    let calls = 0
    let done = 0
    const acts = [
      () => void stream.state(),
      () => void gru.forward(x),
      () => void gru.stateDict(),
      () => void stream.run({ data: new Float32Array(0), shape: [0, I] }),
      () => {
        const one = gru.forwardAsync(x)
        pending[calls++] = one
      },
    ]
    for (const act of acts) {
      const alone = lstm.restoreStream(stream.save())
      let steps = 0
      atEveryDepth(600, () => {
        let failure: unknown
        try {
          act()
        } catch (error) {
          failure = error
        }
        if (failure && !(failure instanceof RangeError)) throw failure
        // Whatever the failed call has left must not be taken for this one's.
        stream.step(input)
        steps++
      })
      for (let n = 0; n < steps; n++) alone.step(input)
      expect(stream.state()).toEqual(alone.state())
      expect(gru.forward(x).output.data).toEqual(want)
      done += steps
    }
    expect(done).toBeGreaterThan(0)
    for (const one of await Promise.allSettled(pending.slice(0, calls))) {
      if (one.status === 'fulfilled') expect(one.value.output.data).toEqual(want)
      else expect(one.reason).toBeInstanceOf(RangeError)
    }
  })
})
