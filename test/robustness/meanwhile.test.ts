/** What subscribers of a call do while it begins and ends: dispose, load, call again, throw, abort, take memory away. */
import { tracingChannel } from 'node:diagnostics_channel'
import { Embedding, GRU, Linear, LSTM, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { backends } from '../support/backends.ts'
import { runModule } from '../support/child.ts'
import { expectError, expectRejected, rejection } from '../support/errors.ts'
import { ramp } from '../support/tensors.ts'

const channel = tracingChannel('native-rnn:forward')
const events = ['start', 'end', 'asyncStart', 'asyncEnd'] as const
const ways = ['forward', 'forwardAsync'] as const

/** Runs something once, when this event is told. */
async function during<Result>(event: (typeof events)[number], act: () => void, run: () => Result | Promise<Result>) {
  let done = false
  const once = () => {
    if (done) return
    done = true
    act()
  }
  channel[event].subscribe(once)
  try {
    return await run()
  } finally {
    channel[event].unsubscribe(once)
    expect(done).toBe(true)
  }
}

const eventsOf = (way: string) => (way === 'forward' ? events.slice(0, 2) : events)
const points = ways.flatMap((way) => eventsOf(way).map((event) => [way, event] as const))

const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: object,
) => ArrayBuffer & { resize(length: number): void }
const resizable = (shape: number[], values: Float32Array) => {
  const buffer = new Resizable(values.byteLength, { maxByteLength: values.byteLength })
  const tensor = new Tensor(new Float32Array(buffer), shape)
  tensor.data.set(values)
  return { tensor, shrink: () => buffer.resize(4) }
}
const transferable = (shape: number[], values: Float32Array) => {
  const tensor = new Tensor(values.slice(), shape)
  return {
    tensor,
    shrink: () => structuredClone(tensor.data.buffer, { transfer: [tensor.data.buffer as ArrayBuffer] }),
  }
}

describe.each(backends)('a call on %s', (backend) => {
  const make = () => new LSTM(5, 9, { numLayers: 2, seed: 3, backend })
  const inputs = [ramp(7, 3, 5), ramp(200, 3, 5), ramp(0, 3, 5), ramp(4, 0, 5)]

  it.each(points)('of %s runs on the weights that it began with, whatever %s does to the layer', async (way, event) => {
    const other = new LSTM(5, 9, { numLayers: 2, seed: 4, backend }).stateDict()
    for (const x of inputs) {
      const want = make().forward(x)
      for (const act of ['dispose', 'load'] as const) {
        const layer = make()
        const change = () => (act === 'dispose' ? layer.dispose() : layer.loadStateDict(other))
        expect(await during(event, change, () => layer[way](x))).toEqual(want)
        if (act === 'dispose') expectError(() => layer.forward(x), 'ERR_RNN_DISPOSED', 'was disposed')
        else if (x.data.length > 0) expect(layer.forward(x)).not.toEqual(want)
      }
    }
  })

  it.each(points)('of %s is not changed by other calls in %s', async (way, event) => {
    for (const x of inputs) {
      const layer = make()
      const want = layer.forward(x)
      const stream = layer.stream()
      const calls: Promise<unknown>[] = []
      const act = () => {
        layer.forward(ramp(5, 2, 5), { lengths: [5, 1] })
        layer.forward(ramp(400, 2, 5))
        stream.step(new Float32Array(5).fill(3))
        new Linear(5, 4, { backend }).forward(ramp(3, 5))
        calls.push(layer.forwardAsync(ramp(300, 2, 5)), layer.forwardAsync(ramp(2, 5)))
      }
      expect(await during(event, act, () => layer[way](x))).toEqual(want)
      expect(await calls[0]).toEqual(layer.forward(ramp(300, 2, 5)))
    }
  })

  it.each(ways)('of %s looks at its arrays after the start is told', async (way) => {
    for (const T of [3, 300]) {
      const layer = make()
      const x = ramp(T, 2, 5)
      const state = ramp(2, 2, 9)
      layer.forward(x)
      for (const kind of [resizable, transferable]) {
        for (const name of ['input', 'h0', 'c0', 'out.hn'] as const) {
          const given = name === 'input' ? kind([T, 2, 5], x.data) : kind([2, 2, 9], state.data)
          const untouched = new Tensor(new Float32Array(36).fill(7), [2, 2, 9])
          const options = { out: { cn: untouched, ...(name === 'out.hn' ? { hn: given.tensor } : {}) } }
          const input = name === 'input' ? given.tensor : x
          const more = name === 'h0' || name === 'c0' ? { [name]: given.tensor } : {}
          const call = () => layer[way](input, { ...options, ...more })
          const words = `${name}.data must keep its length`
          await expectRejected(during('start', given.shrink, call), 'ERR_RNN_SHAPE', words)
          expect(untouched.data.every((value) => value === 7)).toBe(true)
        }
      }
      expect(layer.forward(x)).toEqual(make().forward(x))
    }
  })

  it('that is aborted in start is rejected, and writes nothing', async () => {
    const layer = make()
    const controller = new AbortController()
    const reason = new Error('enough')
    const hn = new Tensor(new Float32Array(54).fill(7), [2, 3, 9])
    const run = () => layer.forwardAsync(inputs[0], { signal: controller.signal, out: { hn } })
    expect(await rejection(during('start', () => controller.abort(reason), run))).toBe(reason)
    expect(hn.data.every((value) => value === 7)).toBe(true)
  })

  it('is done whatever subscribers throw', async () => {
    const text = `
      import { tracingChannel } from 'node:diagnostics_channel'
      import { GRU } from 'native-rnn'
      let caught = 0
      process.on('uncaughtException', () => caught++)
      const layer = new GRU(2, 3, { seed: 1 })
      const x = [[1, 2], [3, 4]]
      const want = layer.forward(x).output.data.join()
      const channel = tracingChannel('native-rnn:forward')
      for (const event of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
        channel[event].subscribe(() => { throw new Error(event) })
      }
      console.log(layer.forward(x).output.data.join() === want)
      console.log((await layer.forwardAsync(x)).output.data.join() === want)
      await new Promise(setImmediate)
      console.log(caught)`
    const { ended, stdout, stderr } = await runModule(text, { NATIVE_RNN_BACKEND: backend })
    expect({ ended, stdout, stderr }).toEqual({ ended: 0, stdout: 'true\ntrue\n6\n', stderr: '' })
  })

  it('gives what it made, whatever a subscriber does to what it is told', async () => {
    const layer = make()
    const want = layer.forward(inputs[0])
    const spoil = (message: unknown) => Object.assign(message as object, { result: undefined, T: 0, B: 0, layer: 'x' })
    for (const event of ['start', 'end', 'asyncStart'] as const) channel[event].subscribe(spoil)
    expect([layer.forward(inputs[0]), await layer.forwardAsync(inputs[0])]).toEqual([want, want])
    for (const event of ['start', 'end', 'asyncStart'] as const) channel[event].unsubscribe(spoil)
  })

  it('of Linear or Embedding whose input disposes the layer, or takes its own memory away, is an error with a code', () => {
    const linear = new Linear(3, 4, { backend })
    const embedding = new Embedding(9, 4)
    for (const layer of [linear, embedding]) {
      const { tensor, shrink } = resizable([2, 3], new Float32Array(6).fill(1))
      const late = {
        data: tensor.data,
        get shape() {
          shrink()
          return [2, 3]
        },
      }
      expectError(() => layer.forward(late as never), 'ERR_RNN_SHAPE', 'data must')
      const ends = {
        get data() {
          layer.dispose()
          return new Float32Array(6).fill(1)
        },
        shape: [2, 3],
      }
      expectError(() => layer.forward(ends as never), 'ERR_RNN_DISPOSED', 'was disposed')
    }
    const other = new Linear(3, 4, { backend })
    const { tensor: out, shrink } = resizable([2, 4], new Float32Array(8))
    const ends = {
      data: new Float32Array(6),
      get shape() {
        shrink()
        return [2, 3]
      },
    }
    expectError(() => other.forward(ends as never, { out }), 'ERR_RNN_SHAPE', 'out.data must')
  })
})

describe.each(backends)('a frame of a stream on %s', (backend) => {
  const gru = new GRU(5, 6, { seed: 1, backend })
  const right = ramp(5).data
  const lying = (frame: object, length: unknown) => Object.defineProperty(frame, 'length', { value: length })
  const shrunk = () => {
    const { tensor, shrink } = resizable([5], right)
    shrink()
    return tensor.data
  }
  const refused: [string, () => unknown][] = [
    ['longer than it says', () => lying(new Float32Array(9), 5)],
    ['shorter than it says', () => lying(new Float32Array(2), 5)],
    ['empty', () => lying(new Float32Array(0), 5)],
    ['no array, with the prototype of one', () => lying(Object.create(Float32Array.prototype), 5)],
    ['a plain array with the prototype', () => Object.setPrototypeOf([1, 2, 3, 4, 5], Float32Array.prototype)],
    ['of doubles, with the prototype', () => Object.setPrototypeOf(new Float64Array(right), Float32Array.prototype)],
    ['of integers, with the prototype', () => Object.setPrototypeOf(new Int32Array(5), Float32Array.prototype)],
    ['a proxy', () => new Proxy(new Float32Array(right), {})],
    ['of a buffer that shrank', () => shrunk()],
    ['of a buffer that shrank, with the old length', () => lying(shrunk(), 5)],
    [
      'detached, with the old length',
      () => {
        const { tensor, shrink } = transferable([5], right)
        shrink()
        return lying(tensor.data, 5)
      },
    ],
  ]

  it.each(refused)('is refused where it is %s, and nothing moves', (_, make) => {
    const stream = gru.stream()
    stream.step(new Float32Array(5).fill(0.5))
    const before = [stream.state(), stream.input.slice(), stream.output.slice()]
    expectError(() => stream.step(make() as Float32Array), 'ERR_RNN_SHAPE', /^frame must /)
    expect([stream.state(), stream.input.slice(), stream.output.slice()]).toEqual(before)
  })

  it('is taken for what it is, whatever it says', () => {
    const want = gru.stream().step(right).slice()
    for (const frame of [
      lying(right.slice(), 3),
      lying(right.slice(), -1),
      Object.setPrototypeOf(right.slice(), null),
    ]) {
      expect(
        gru
          .stream()
          .step(frame as Float32Array)
          .slice(),
      ).toEqual(want)
    }
  })
})
