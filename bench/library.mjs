/** native-rnn itself as a contestant: each backend, each number of threads; knows the package's public API alone. */
import { createRequire } from 'node:module'
import { nested, stateDict } from './data.mjs'

const require = createRequire(new URL('../package.json', import.meta.url))

/** The package as its users load it. */
export async function openLibrary() {
  try {
    return require('native-rnn')
  } catch (error) {
    throw new Error(`native-rnn does not load (npm run build makes it): ${error.message}`)
  }
}

/**
 * One layer on one backend, ready to be timed; `into`: its results go into tensors that are there; `precision`: how its weights are kept.
 * `bytes` is what they take.
 */
export async function libraryContestant(library, shape, data, backend, threads = 1, into = false, precision = {}) {
  const { cell, I, H, T, B, form } = shape
  const dict = stateDict(shape, data)
  const open = () => {
    const layer = new library[cell.toUpperCase()](I, H, { backend, threads, ...precision })
    layer.loadStateDict(dict)
    return layer
  }
  // A query of its own gives each contestant its own copy of the loop, so that none is slowed by what another made of it.
  const loops = await import(`./loops.mjs?${backend}-${threads}-${into}-${form}-${cell}-${Object.values(precision)}`)
  if (form === 'stream') return streaming(loops, Array.from({ length: H > 64 ? 1 : placesOfSmall }, open), data)
  const layer = open()
  const input = form === 'nested' ? nested(data.frames[0], T, B, I) : new library.Tensor(data.frames[0], [T, B, I])
  const options = into ? { out: layer.forward(input) } : undefined
  return {
    bytes: layer.memory().weights,
    check: async () => layer.forward(input, options).output.data,
    time: async (calls) => loops.forward(layer, input, calls, options),
    close: () => layer.dispose(),
  }
}

/** Where weights and a state happen to lie moves a step of 40 ns by up to a tenth: of small layers so many take turns. */
const placesOfSmall = 5

function streaming(loops, layers, data) {
  const streams = layers.map((layer) => layer.stream())
  let turn = 0
  return {
    bytes: layers[0].memory().weights,
    async check() {
      streams[0].reset()
      return Float32Array.from(data.frames.flatMap((frame) => [...streams[0].step(frame)]))
    },
    async time(calls) {
      const stream = streams[turn++ % streams.length]
      stream.input.set(data.frames[0])
      return loops.step(stream, calls)
    },
    close() {
      for (const one of [...streams, ...layers]) one.dispose()
    },
  }
}
