/** A rival that lives in a program of its own: the requests that such programs answer. */
import { Child } from '../child.mjs'

export function openProgram(command, args, env) {
  const child = new Child(command, args, env)
  const rival = {
    version: '',
    /** `how`: a word for what else than the plain layer is wanted, of a program that knows it. */
    async load({ cell, I, H, T, B, form }, data, how = '') {
      const { weightIh, weightHh, biasIh, biasHh, frames } = data
      const line = `load ${cell} ${I} ${H} ${T} ${B} ${frames.length} ${form === 'stream' ? 1 : 0} ${how}`
      rival.version = await child.ask(line, [weightIh, weightHh, biasIh, biasHh, ...frames])
      return {
        check: () => child.askFloats('check'),
        time: async (calls) => Number(await child.ask(`time ${calls}`)),
        close() {},
      }
    },
    close: () => child.close(),
  }
  return rival
}

/** Opens it and loads a small layer, so that a program that cannot work says so at once. */
export async function tried(rival) {
  const floats = (count) => new Float32Array(count)
  const data = { weightIh: floats(1), weightHh: floats(1), biasIh: floats(1), biasHh: floats(1), frames: [floats(1)] }
  await rival.load({ cell: 'rnn', I: 1, H: 1, T: 1, B: 1, form: 'forward' }, data)
  return rival
}
