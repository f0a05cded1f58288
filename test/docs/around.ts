/** What stands around a block that shows a part of a larger program: the page leaves it out, and the test needs it to run the block. */

export interface Around {
  readonly page: string
  /** How the block begins. */
  readonly begins: string
  readonly before: string
  readonly after: string
}

const layer = `import { LSTM } from 'native-rnn'
const lstm = new LSTM(6, 8, { seed: 1 }), layer = lstm, batcher = lstm.batcher()`

/** In one line each, so that an error's line stays the page's. */
const oneLine = (text: string) => text.trim().replaceAll('\n', '; ')

export const around: readonly Around[] = [
  {
    page: 'docs/serving.md',
    begins: "app.post('/forward'",
    before: `${layer}
import { EventEmitter } from 'node:events'
const app = /** @type {any} */ ({ post(_, __, handler) { this.handler = handler } }), schema = {}, onRequest = []`,
    after: `await __is(async () => (await app.handler({ body: { input: [[1, 2, 3, 4, 5, 6]] } }, { raw: new EventEmitter() })).hn.length, 1, '')
await __throws(() => app.handler({ body: { input: [[1, 2, 3]] } }, { raw: new EventEmitter() }), 'ERR_RNN_SHAPE', 'input.size(-1) must be equal to input_size. Expected 6, got 3', '')`,
  },
  {
    page: 'docs/serving.md',
    begins: 'const stream = batcher.open()',
    before: `${layer}
import { EventEmitter, on } from 'node:events'
const frame = (values) => Float32Array.from(values), answer = (output) => [...output], sent = []
class Socket extends EventEmitter { send(text, done) { sent.push(JSON.parse(text)); done() } }
const socket = new Socket()
setTimeout(() => { socket.emit('message', '[1,2,3,4,5,6]'); socket.emit('message', '[1,2,3,4,5,6]'); socket.emit('close') })`,
    after: `await __is(() => sent.map(({ length }) => length), [8, 8], '')`,
  },
  {
    page: 'docs/serving.md',
    begins: 'const stream = batcher.restore(bytes)',
    before: `${layer}
const before = batcher.open(); await before.step(new Float32Array(6)); const bytes = before.save()`,
    after: `await __is(() => Buffer.compare(stream.save(), bytes), 0, '')`,
  },
].map((one) => ({ ...one, before: oneLine(one.before), after: oneLine(one.after) }))
