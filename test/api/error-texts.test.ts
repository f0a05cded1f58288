/** Names of any length and any characters, from files and programs: a message stays one short line that a log can take. */

import fc from 'fast-check'
import {
  Embedding,
  fromOnnxNode,
  GRU,
  Linear,
  LSTM,
  loadSafetensors,
  RNN,
  RNNError,
  readOnnx,
  readSafetensors,
  Tensor,
  writeSafetensors,
} from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { model, node, tiny } from '../support/onnx-writer.ts'

const gru = () => new GRU(2, 3, { backend: 'typescript' })
const own = (name: string, value: unknown): never => Object.fromEntries([[name, value]]) as never
const many = (name: string, value: unknown): never =>
  Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${name}${i}`, value])) as never

function headerText(header: string): Uint8Array {
  const json = Buffer.from(header)
  const file = Buffer.alloc(8 + json.length)
  file.writeBigUInt64LE(BigInt(json.length))
  json.copy(file, 8)
  return file
}
const safetensors = (header: unknown) => headerText(JSON.stringify(header))

/** Everything of the API that a name, a key or a text goes into; each of them refuses it. */
const calls: Record<string, (name: string) => unknown> = {
  'option of a constructor': (name) => new RNN(2, 3, own(name, 1)),
  'a constructor in place of a size': (name) => new RNN(name as never, 3),
  'a value of an option': (name) => new LSTM(2, 3, { backend: name as never }),
  'a value of a number': (name) => new LSTM(2, 3, { threads: name as never }),
  'a value of nonlinearity': (name) => new RNN(2, 3, { nonlinearity: name as never }),
  'option of Linear': (name) => new Linear(2, 3, own(name, 1)),
  'option of Embedding': (name) => new Embedding(2, 3, own(name, 1)),
  'option of forward': (name) => gru().forward([[1, 2]], own(name, 1)),
  'option of forwardAsync': (name) => gru().forwardAsync([[1, 2]], own(name, 1)),
  'option of stream': (name) => gru().stream(own(name, 1)),
  'option of reset': (name) => gru().stream().reset(own(name, 1)),
  'option of batcher': (name) => gru().batcher(own(name, 1)),
  'option of open': (name) => gru().batcher().open(own(name, 1)),
  'option of a batched step': (name) => gru().batcher().open().step(new Float32Array(2), own(name, 1)),
  'option of loadStateDict': (name) => gru().loadStateDict(gru().stateDict(), own(name, 1)),
  'option of fromStateDict': (name) => GRU.fromStateDict(gru().stateDict(), own(name, 1)),
  'a prefix': (name) => GRU.fromStateDict(gru().stateDict(), { prefix: name }),
  'a prefix of Linear': (name) => Linear.fromStateDict({}, { prefix: name }),
  'a prefix of Embedding': (name) => Embedding.fromStateDict({}, { prefix: name }),
  'a left over key': (name) => gru().loadStateDict({ ...gru().stateDict(), ...(own(name, [1]) as object) }),
  'left over keys': (name) => gru().loadStateDict({ ...gru().stateDict(), ...(many(name, [1]) as object) }),
  'a value that is no tensor': (name) => gru().loadStateDict({ ...gru().stateDict(), ...(own(name, 'x') as object) }),
  'the prefix of a missing key': (name) => GRU.fromStateDict(own(`${name}.weight_ih_l0`, [1])),
  'prefixes of missing keys': (name) =>
    GRU.fromStateDict(Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`${name}${i}.weight_ih_l0`, [1]]))),
  'a text for a weight': (name) => Linear.fromStateDict(own('weight', name)),
  'a text for a tensor': (name) => Tensor.from(name as never),
  'a text in a tensor': (name) => Tensor.from([[1, name]] as never),
  'a text in a shape': (name) => new Tensor(new Float32Array(1), [name] as never),
  'a text for data': (name) => new Tensor(name as never, [1]),
  'the name of a class': (name) => Tensor.from({ constructor: { name } } as never),
  'the words of a symbol': (name) => Tensor.from(Symbol(name) as never),
  lengths: (name) => gru().forward([[[1, 2]]], { lengths: [name] as never }),
  'a signal': (name) => gru().forwardAsync([[1, 2]], { signal: name as never }),
  ids: (name) => new Embedding(2, 3).forward([name] as never),
  'a frame': (name) =>
    gru()
      .stream()
      .step(name as never),
  'saved bytes': (name) => gru().restoreStream(name as never),
  'a handle': (name) => GRU.fromShared(name as never),
  'fields of a handle': (name) => GRU.fromShared({ ...gru().share(), version: name }),
  'the backend of a handle': (name) => GRU.fromShared({ ...gru().share(), backend: name as never }),
  'option of fromOnnxNode': (name) => fromOnnxNode({ opType: 'RNN', W: [[[1]]], R: [[[1]]] }, own(name, 1)),
  'a field of a node': (name) => fromOnnxNode({ opType: 'RNN', W: [[[1]]], R: [[[1]]], ...(own(name, 1) as object) }),
  'an operator': (name) => fromOnnxNode({ opType: name as never, W: [[[1]]], R: [[[1]]] }),
  'an attribute': (name) => fromOnnxNode({ opType: 'RNN', attributes: own(name, 1), W: [[[1]]], R: [[[1]]] }),
  'a value of an attribute': (name) =>
    fromOnnxNode({ opType: 'RNN', attributes: { direction: name }, W: [[[1]]], R: [[[1]]] }),
  'activations of a node': (name) =>
    fromOnnxNode({ opType: 'LSTM', attributes: { activations: [name, name, name] }, W: [[[1]]], R: [[[1]]] }),
  'a node of an ONNX file': (name) =>
    readOnnx(model(...tiny.weights, node({ opType: 'LSTM', name, inputs: ['X', 'W', 'R'] }))),
  'an attribute of an ONNX file': (name) =>
    readOnnx(model(...tiny.weights, node({ opType: 'RNN', inputs: ['X', 'W', 'R'], attributes: { [name]: 'x' } }))),
  'a direction of an ONNX file': (name) =>
    readOnnx(model(...tiny.weights, node({ opType: 'RNN', inputs: ['X', 'W', 'R'], attributes: { direction: name } }))),
  'a header': (name) => readSafetensors(headerText(`{"${name}`)),
  'a key that stands twice': (name) => {
    const key = JSON.stringify(name)
    return readSafetensors(headerText(`{${key}:1,${key}:1}`))
  },
  'a dtype': (name) => readSafetensors(safetensors({ a: { dtype: name, shape: [0], data_offsets: [0, 0] } })),
  'a tensor of a file': (name) => readSafetensors(safetensors(own(name, 1))),
  'bytes of no tensor': (name) =>
    readSafetensors(safetensors(own(name, { dtype: 'F32', shape: [1], data_offsets: [0, 4] }))),
  metadata: (name) => writeSafetensors({}, own(name, 1)),
  'a value of metadata': (name) => writeSafetensors({}, name as never),
  'a key to write': (name) => writeSafetensors(own(name, 'x')),
  'a path': (name) => loadSafetensors(own(name, 1)),
  'an error of one’s own': (name) => {
    throw new RNNError('ERR_RNN_STATE', name)
  },
}

/** What a name may hold that a line of a log cannot: each alone, among letters, and very often. */
const marks = [
  '\n',
  '\r',
  '\0',
  '\t',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  '\u009b',
  '\u2028',
  '\u2029',
  '\u202e',
  '\u2066',
  '\u200f',
  '\u200b',
  '\ufeff',
  '\ud800',
  '\udc00',
  '\u{e0041}',
  '\u{1f600}',
  '"',
  "'",
  '\\',
  '`',
  '<b>',
  'é',
]
const hostile = [
  ...marks,
  ...marks.map((mark) => `a${mark}b`),
  ...marks.map((mark) => mark.repeat(3000)),
  'x'.repeat(1_000_000),
  '__proto__',
  'toString',
]
const names = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...marks), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 300 })
    .map((all) => all.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
)

async function messageOf(run: (name: string) => unknown, name: string): Promise<string | undefined> {
  try {
    await run(name)
  } catch (error) {
    // The file system says the rest.
    return error instanceof RNNError
      ? error.message
      : (error as { code?: string }).code
        ? undefined
        : Promise.reject(error)
  }
  return undefined
}

function check(message: string, what: string): void {
  if (message.length <= 2000 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(message)) return
  expect.fail(`${what}: a message of ${message.length} characters: ${JSON.stringify(message.slice(0, 300))}`)
}

describe('a message is one line of at most 2,000 printable characters', () => {
  it.each(Object.keys(calls))('%s', async (what) => {
    let refused = 0
    for (const name of hostile) {
      const message = await messageOf(calls[what], name)
      if (message !== undefined) refused++
      check(message ?? '', what)
    }
    expect(refused).toBeGreaterThan(hostile.length / 2)
    await fc.assert(
      fc.asyncProperty(names, async (name) => check((await messageOf(calls[what], name)) ?? '', what)),
      { numRuns: 30 },
    )
  })
})

describe('names in messages', () => {
  const refused = (name: string) => messageOf((key) => new RNN(2, 3, own(key, 1)), name)

  it('are as they are where they are ordinary', async () => {
    expect(await refused('größe_α-1.x/y')).toContain("unknown option 'größe_α-1.x/y' of RNN")
    expect(await refused('n'.repeat(71))).toContain(`'${'n'.repeat(71)}'`)
  })

  it('show their beginning and their end where they are long, in whole characters', async () => {
    expect(await refused(`${'a'.repeat(100)}${'z'.repeat(100)}`)).toContain(`'${'a'.repeat(60)}…${'z'.repeat(10)}'`)
    expect(await refused('😀'.repeat(71))).toContain(`'${'😀'.repeat(71)}'`)
    expect(await refused('😀'.repeat(72))).toContain(`'${'😀'.repeat(60)}…${'😀'.repeat(10)}'`)
  })

  it('show marks that cannot be seen as JSON writes them', async () => {
    expect(await refused('a\nb\u001b[2J\u202e\ud800\u{e0041}')).toContain("'a\\nb\\u001b[2J\\u202e\\ud800\\u{e0041}'")
    const text = await messageOf((value) => Tensor.from(value as never), 'say "a\\b"\n')
    expect(text).toContain('got "say \\"a\\\\b\\"\\n"')
  })

  it('are counted past the first twenty', async () => {
    const message = await messageOf((key) => gru().loadStateDict(many(key, [1])), 'k')
    expect(message).toMatch(/missing weight_ih_l0 .*left over k\d+; … and \d+ more$/)
  })

  it('take no time for numbers of many digits', () => {
    expect(() => new RNN((2n ** 1_000_000n) as never, 3)).toThrow(
      'inputSize must be an integer from 1 to 1048576, got a huge bigint',
    )
    expect(() => new RNN(3n as never, 3)).toThrow('got 3n')
  })
})
