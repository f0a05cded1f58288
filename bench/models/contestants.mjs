/** One model as native-rnn runs it and as onnxruntime-node does: one thread each, a live stream's step or a run. */
import { readFileSync } from 'node:fs'

/** Steps before outputs are compared: states have gone round. */
const STEPS = 3

export const sessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  executionProviders: ['cpu'],
  logSeverityLevel: 3,
}

const shapesOf = (inputs) => Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]))
const joined = (results) => Float32Array.from(results.flatMap(({ data }) => Array.from(data, Number)))

/** A stream of `B` rows with its first frame written, as users keep it. */
export function openStream(model, { states }, inputs) {
  const stream = model.stream({ states, shapes: shapesOf(inputs) })
  for (const [name, array] of Object.entries(stream.inputs)) array.set(inputs[name].data)
  return stream
}

/** native-rnn on one backend. */
export async function ours(library, spec, B, backend) {
  const model = library.Model.read(readFileSync(spec.file), { backend, constants: spec.constants })
  const inputs = spec.inputs(B)
  const names = model.outputs.map(({ name }) => name).filter((name) => !Object.values(spec.states ?? {}).includes(name))
  // A query of its own gives each contestant its own copy of the loop, so that none is slowed by what another made of it.
  const loops = await import(`../loops.mjs?${backend}-${spec.name}-${B}`)
  if (!spec.states) {
    return {
      check: async () => joined(names.map((name) => model.run(inputs)[name])),
      time: async (calls) => loops.run(model, inputs, calls),
      close: () => model.dispose(),
    }
  }
  const stream = openStream(model, spec, inputs)
  return {
    async check() {
      stream.reset()
      for (let i = 0; i < STEPS; i++) stream.step()
      return joined(names.map((name) => ({ data: stream.outputs[name] })))
    },
    time: async (calls) => loops.step(stream, calls),
    close() {
      stream.dispose()
      model.dispose()
    },
  }
}

/** What onnxruntime-node is given each time; the states are replaced. */
export function feedsOf(ort, { constants }, inputs) {
  const feeds = Object.entries(inputs).map(([name, { type, data, shape }]) => [name, new ort.Tensor(type, data, shape)])
  const fixed = Object.entries(constants).map(([name, value]) => [name, new ort.Tensor('int64', [BigInt(value)], [])])
  return Object.fromEntries([...feeds, ...fixed])
}

/** onnxruntime-node; its results come through a promise, and waiting for that is part of its time, as it is for its users. */
export async function theirs(ort, spec, B) {
  const session = await ort.InferenceSession.create(readFileSync(spec.file), sessionOptions)
  const first = feedsOf(ort, spec, spec.inputs(B))
  const turn = Object.entries(spec.states ?? {})
  const names = session.outputNames.filter((name) => !turn.some(([, next]) => next === name))
  let feeds = { ...first }
  const once = async () => {
    const result = await session.run(feeds)
    for (const [state, next] of turn) feeds[state] = result[next]
    return result
  }
  return {
    async check() {
      feeds = { ...first }
      let result
      for (let i = 0; i < (turn.length > 0 ? STEPS : 1); i++) result = await once()
      return joined(names.map((name) => result[name]))
    },
    async time(calls) {
      const start = performance.now()
      for (let i = 0; i < calls; i++) await once()
      return (performance.now() - start) * 1e6
    },
    close: () => session.release(),
  }
}
