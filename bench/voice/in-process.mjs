/** Calls without sockets, in this process: how many frames a second and core, and what a call takes of memory. Prints JSON for bench/voice/index.mjs. */

import { Call } from '../../examples/voice/call.mjs'
import { defaultLimits } from '../../examples/voice/calls.mjs'
import { engines } from './engines.mjs'

const [engine, calls, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const FRAMES_A_SECOND = 31.25

/** All streams step as fast as they are answered. */
async function throughput(batcher) {
  const frame = Float32Array.from({ length: 576 }, (_, i) => Math.sin(i / 7) / 5)
  const streams = Array.from({ length: calls }, () => batcher.open())
  let end = performance.now() + 500
  let frames = 0
  const go = async (stream) => {
    while (performance.now() < end) {
      await stream.step(frame)
      frames++
    }
  }
  await Promise.all(streams.map(go))
  frames = 0
  end = performance.now() + 1000 * seconds
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  await Promise.all(streams.map(go))
  const { user, system } = process.cpuUsage(cpu)
  const wall = (performance.now() - began) / 1000
  for (const stream of streams) stream.close()
  const cpuUs = (user + system) / frames
  return {
    framesPerSecond: frames / wall,
    cores: (user + system) / 1e6 / wall,
    cpuUs,
    callsPerCore: 1e6 / cpuUs / FRAMES_A_SECOND,
  }
}

/** What calls hold that have heard some frames, without their sockets. */
async function memory(batcher) {
  const used = () => {
    for (let i = 0; i < 3; i++) gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const socket = { bufferedAmount: 0, isPaused: false, send() {}, pause() {}, resume() {}, on() {}, close() {} }
  const told = { frame() {}, event() {}, failure() {} }
  const make = async (count) => {
    const made = []
    for (let n = 0; n < count; n++) {
      let push
      const on = (_, listener) => {
        push = listener
      }
      const call = new Call({ token: `call-${n}`, options: {}, limits: defaultLimits, told }, () => batcher.open())
      call.attach({ ...socket, on })
      for (let i = 0; i < 3; i++) push(Buffer.alloc(1024), true)
      made.push(call)
    }
    while (made.some(({ frames }) => frames < 3)) await new Promise((resolve) => setTimeout(resolve, 10))
    return made
  }
  const warm = await make(500)
  const before = used()
  const more = await make(4000)
  const bytes = (used() - before) / more.length
  return { bytesPerCall: warm.length > 0 ? bytes : 0 }
}

const batcher = await engines[engine]()
const result = { ...(await throughput(batcher)), ...(engine === 'native-rnn' ? await memory(batcher) : {}) }
console.log(JSON.stringify(result))
process.exit(0)
