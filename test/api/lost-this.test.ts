/** Methods that were taken off their objects, by a variable or as a callback: they say what to write. */
import { Embedding, GRU, Linear, LSTM, Model, Tensor } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { expectError, expectRejected } from '../support/errors.ts'
import { recurrent } from '../support/model-files.ts'

const lstm = new LSTM(3, 4)
const model = Model.read(recurrent())
const sizes = { states: { state: 'stateN' }, shapes: { frames: [1, 1, 3] }, batchAxes: { frames: 1 } }
const objects: Record<string, readonly object[]> = {
  layer: [lstm, new GRU(3, 4)],
  linear: [new Linear(3, 4)],
  embedding: [new Embedding(3, 4)],
  model: [model],
  stream: [lstm.stream(), model.stream(sizes), lstm.batcher().open(), model.batcher(sizes).open()],
  batcher: [lstm.batcher(), model.batcher(sizes)],
  tensor: [Tensor.from([1])],
}
/** The names of methods, also of the classes above, but not of Object. */
function methodsOf(object: object): string[] {
  const names: string[] = []
  for (let at = Object.getPrototypeOf(object); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && name !== 'constructor') names.push(name)
    }
  }
  return names
}

describe.each(Object.entries(objects))('of a %s', (name, all) => {
  it('is an error that shows the call', async () => {
    for (const object of all) {
      const methods = methodsOf(object).filter((method) => !Object.hasOwn(object, method))
      expect(methods.length).toBeGreaterThan(0)
      for (const method of methods) {
        const taken = (object as Record<string, (...all: unknown[]) => unknown>)[method]
        const words = new RegExp(`^${method} must be called on its object: \\w+\\.${method}\\(…\\)`)
        const isOfBatch = (method === 'step' || method === 'run') && name === 'stream' && taken.length === 2
        const isAsync = isOfBatch || method.endsWith('Async')
        for (const self of [undefined, {}, Object]) {
          if (isAsync) await expectRejected(taken.call(self) as Promise<unknown>, 'ERR_RNN_OPTION', words)
          else expectError(() => taken.call(self), 'ERR_RNN_OPTION', words)
        }
      }
    }
  })
})

it('does not happen to the step of a stream, which is bound to it', () => {
  for (const { step } of [lstm.stream(), model.stream(sizes)]) expect(() => step(new Float32Array(3))).not.toThrow()
})
