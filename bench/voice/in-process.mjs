/** Calls without sockets, in this process: how many frames a second and core, and what a call takes of memory. Prints JSON for bench/voice/index.mjs. */

import { Call } from '../../examples/voice/call.mjs'
import { defaultLimits } from '../../examples/voice/calls.mjs'
import { engines } from './engines.mjs'
import { throughput } from './throughput.mjs'

const [engine, calls, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]

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
const result = {
  ...(await throughput(batcher, { calls, seconds })),
  ...(engine === 'native-rnn' ? await memory(batcher) : {}),
}
console.log(JSON.stringify(result))
process.exit(0)
