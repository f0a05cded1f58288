/**
 * Random and damaged model files: whatever the bytes, a reader gives layers and tensors or throws an RNNError that says why.
 * `npm run fuzz:files` is the long form of this file: it sets MODEL_FILE_RUNS, the inputs of one test.
 */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { RNNError, readOnnx, readSafetensors, Tensor, writeSafetensors } from 'native-rnn'
import { afterAll, describe, expect, it } from 'vitest'
import { cases } from '../support/conformance.mjs'
import { damaged, damages } from '../support/damage.ts'
import * as write from '../support/onnx-writer.ts'

const short = 2000
const runs = Number(process.env.MODEL_FILE_RUNS ?? short)
const isLong = runs > short
const timeout = 60_000 + runs * 2

const recorded = (file: string): { model: string }[] =>
  JSON.parse(readFileSync(new URL(`../fixtures/onnx/${file}`, import.meta.url), 'utf8'))
const onnxFiles = [
  ...cases.map(({ modelWithWeights }) => modelWithWeights),
  ...[...recorded('tensors.json'), ...recorded('exported.json')].map(({ model }) => model),
].map((model) => new Uint8Array(Buffer.from(model, 'base64')))

const safetensorsFiles = [
  writeSafetensors({}),
  writeSafetensors({ a: [1, 2, 3], b: [[1], [2]] }, { made: 'by a test' }),
  writeSafetensors({
    weight_ih_l0: new Tensor(new Float32Array(12), [4, 3]),
    héllo: new Tensor(new Float32Array(0), [0, 5]),
  }),
]

/** Reads bytes; says whether they were taken, and lets no error pass that is not the one API.md names. */
function taken(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    read(bytes)
    return true
  } catch (error) {
    if (error instanceof RNNError && error.code === 'ERR_RNN_MODEL_FILE' && error.message.length < 1000) return false
    throw error
  }
}

/** Well-formed ONNX whose nodes, attributes and tensors rarely fit each other. */
const craftedOnnx = (() => {
  const name = fc.constantFrom('', 'X', 'a', 'b', 'c')
  const attributes = fc.dictionary(
    fc.constantFrom(
      'direction',
      'hidden_size',
      'layout',
      'linear_before_reset',
      'activations',
      'activation_alpha',
      'clip',
      'input_forget',
    ),
    fc.oneof(
      fc.integer({ min: -2, max: 5 }),
      fc.constantFrom('forward', 'reverse'),
      fc.constantFrom(['Tanh'], ['Elu']),
    ),
    { maxKeys: 2 },
  )
  const node = fc.record({
    opType: fc.constantFrom('RNN', 'GRU', 'LSTM', 'Identity', 'Constant'),
    inputs: fc.oneof(fc.array(name, { maxLength: 8 }), fc.constant(['X', 'a', 'b']), fc.constant(['X', 'a', 'b', 'c'])),
    outputs: fc.array(name, { maxLength: 2 }),
    attributes,
  })
  const tensor = fc
    .record({
      name,
      dims: fc.oneof(
        fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 4 }),
        fc.constantFrom<number[]>([1, 1, 1], [1, 3, 1], [1, 4, 1], [1, 2], [1, 6], [1, 8]),
      ),
      dataType: fc.constantFrom(1, 1, 1, 10, 11, 16, 0, 7),
      id: fc.constantFrom(4, 9, 9, 9, 5, 10, 13),
      size: fc.constantFrom(1, 2, 4, 4, 8),
    })
    .map(({ name, dims, dataType, id, size }) => {
      const count = Math.abs(dims.reduce((product, dim) => product * dim, 1))
      const data = write.bytes(id, new Uint8Array(count * size).fill(1))
      return write.message(5, [write.text(8, name), write.singleIntegers(1, dims), write.integer(2, dataType), data])
    })
  const parts = [fc.array(node, { maxLength: 4 }), fc.array(tensor, { maxLength: 4 })] as const
  return fc.tuple(...parts).map(([nodes, tensors]) => write.model(...nodes.map(write.node), ...tensors))
})()

/** Graphs whose weights are folded: chains of operators, bodies, functions and other files that sometimes fit each other. */
const foldedOnnx = (() => {
  const value = fc.constantFrom('a', 'b', 'c', 'w', 'i', 'j', 's', 'q', 'X', 'W', '')
  const list = fc.array(fc.integer({ min: -2, max: 3 }), { maxLength: 3 })
  const ops =
    'Identity Cast Slice Concat Unsqueeze Squeeze Reshape Transpose Split Gather Expand Tile Flatten Shape Range Pad Where Add Mul Div Pow Sqrt ReduceL2 ReduceSum MatMul DequantizeLinear QuantizeLinear ConstantOfShape CastLike Clip Equal Dropout Call If RNN'
  const attributes = fc.dictionary(
    fc.constantFrom('axis', 'axes', 'perm', 'starts', 'ends', 'to', 'keepdims', 'split', 'block_size', 'mode', 'ref'),
    fc.oneof(fc.integer({ min: -2, max: 12 }), list, fc.constant({ ref: 'size' }), fc.constant('constant')),
    { maxKeys: 3 },
  )
  const { node: nodeOf } = fc.letrec<{ node: write.TestNode }>((tie) => ({
    node: fc.record({
      opType: fc.constantFrom(...ops.split(' ')),
      inputs: fc.array(value, { maxLength: 4 }),
      outputs: fc.array(fc.constantFrom('a', 'b', 'c', 'W'), { minLength: 1, maxLength: 2 }),
      attributes: fc.oneof(
        { weight: 6, arbitrary: attributes },
        fc
          .array(tie('node'), { maxLength: 2 })
          .map((nodes) => ({ then_branch: { graph: [...nodes.map(write.node), write.graphOutput('a')] } })),
      ),
    }),
  }))
  const named = nodeOf.map((node) => (node.opType === 'Call' ? { ...node, domain: 'f' } : node))
  const place = fc.record({
    offset: fc.constantFrom('0', '4', '-1', '99'),
    length: fc.constantFrom('24', '16', '', 'x'),
  })
  const rnn = write.node({ opType: 'RNN', inputs: ['X', 'W', 'r', '', '', 'c'], outputs: ['y'] })
  const fixed = [
    write.initializer('w', { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }),
    write.initializer('r', { shape: [1, 2, 2], data: [1, 2, 3, 4] }),
    write.initializer('s', { shape: [], data: [0.5] }),
    write.bytes(5, write.int64Body('i', [0])),
    write.bytes(5, write.int64Body('j', [1, 2, 3])),
    write.bytes(5, write.rawTensorBody('q', 2, [2, 3], new Uint8Array(6).fill(7))),
  ]
  const unsqueezed = [write.node({ opType: 'Unsqueeze', inputs: ['a', 'i'], outputs: ['W'] })]
  return fc
    .tuple(
      fc.array(named, { maxLength: 6 }),
      fc.array(named, { maxLength: 3 }),
      place,
      fc.nat(3),
      fc.constantFrom(9, 13, 18),
    )
    .map(([nodes, body, where, kind, opset]) => {
      const external = write.rawTensorBody('c', 1, [2, 3], undefined, [
        write.externalData({ location: 'other', ...where }),
        write.integer(14, 1),
      ])
      const graph = [
        rnn,
        ...nodes.map(write.node),
        ...fixed,
        ...(kind === 0 ? unsqueezed : []),
        ...(kind === 1 ? [write.bytes(5, external)] : []),
      ]
      return write.concat([
        write.message(7, graph),
        write.message(8, [write.text(1, ''), write.integer(2, opset)]),
        write.modelFunction('f', 'Call', ['a', 'b'], ['c', 'a'], body.map(write.nodeBody)),
      ])
    })
})()

/** A length and a header of JSON that speaks of tensors which rarely fit the bytes behind it. */
const craftedSafetensors = (() => {
  const number = fc.oneof(fc.nat(40), fc.constantFrom(-1, 0.5, 1e300, 2 ** 53, null, '4'))
  const entry = fc.record(
    {
      dtype: fc.constantFrom('F32', 'F16', 'BF16', 'F64', 'I64', 'U8', 'f32', 7),
      shape: fc.array(number, { maxLength: 3 }),
      data_offsets: fc.array(number, { minLength: 1, maxLength: 3 }),
      extra: fc.jsonValue({ maxDepth: 1 }),
    },
    { requiredKeys: ['dtype', 'shape'] },
  )
  const name = fc.constantFrom('a', 'b', '__metadata__', '__proto__')
  const header = fc.dictionary(name, fc.oneof({ weight: 3, arbitrary: entry }, fc.jsonValue({ maxDepth: 2 })))
  const anything = fc.tuple(header, fc.nat(80))
  const fitting = fc.tuple(fc.nat(10), fc.constantFrom(0, 0, 0, 4)).map(([size, surplus]): [object, number] => {
    return [{ a: { dtype: 'F32', shape: [size], data_offsets: [0, 4 * size] } }, 4 * size + surplus]
  })
  const lies = fc.constantFrom(0, 0, 0, 1, -1)
  return fc.tuple(fc.oneof(anything, fitting), fc.nat(3), lies).map(([[made, tail], spaces, lie]) => {
    const text = new TextEncoder().encode(JSON.stringify(made) + ' '.repeat(spaces))
    const bytes = new Uint8Array(8 + text.length + tail)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, text.length + lie)), true)
    bytes.set(text, 8)
    return bytes
  })
})()

const otherFile = new Uint8Array(Float32Array.from({ length: 7 }, (_, i) => i / 8).buffer)

const readers = [
  {
    name: 'readOnnx',
    read: (bytes: Uint8Array) => {
      const layers = readOnnx(bytes, { backend: 'typescript', externalData: () => otherFile })
      for (const { layer } of layers) layer.dispose()
    },
    files: onnxFiles,
    crafted: fc.oneof(craftedOnnx, foldedOnnx),
  },
  { name: 'readSafetensors', read: readSafetensors, files: safetensorsFiles, crafted: craftedSafetensors },
]

afterAll(() => {
  if (isLong) console.log(`most memory in use: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
})

describe.each(readers)('$name', ({ name, read, files, crafted }) => {
  it('takes every file as it is', () => {
    for (const file of files) expect(taken(read, file)).toBe(true)
  })

  it('refuses or takes every file cut off anywhere, and never crashes', () => {
    for (const file of files) {
      for (let length = 0; length < file.length; length++) taken(read, file.subarray(0, length))
    }
  })

  it('refuses or takes every small file with any one byte changed', { timeout }, () => {
    for (const file of files.filter(({ length }) => length < 1500)) {
      const bytes = file.slice()
      for (const [at, value] of file.entries()) {
        for (const other of [0xff, value ^ 1, value ^ 8]) {
          bytes[at] = other
          taken(read, bytes)
        }
        bytes[at] = value
      }
    }
  })

  const inputs = {
    'damaged files': fc.tuple(fc.nat(files.length - 1), damages).map(([index, list]) => damaged(files[index], list)),
    'well-formed files of things that do not fit': crafted,
    'random bytes': fc.uint8Array({ maxLength: 200 }),
  }

  it.each(Object.entries(inputs))(`refuses or takes %s (${runs} inputs)`, { timeout }, (what, arbitrary) => {
    const counts = { taken: 0, refused: 0 }
    const property = fc.property(arbitrary, (bytes) => {
      counts[taken(read, bytes) ? 'taken' : 'refused']++
    })
    fc.assert(property, { numRuns: runs })
    if (isLong) console.log(`${name}, ${what}: ${counts.refused} refused, ${counts.taken} taken`)
    expect(counts.refused).toBeGreaterThan(0)
  })

  it('refuses bytes whose buffer is detached', () => {
    const bytes = files[0].slice()
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    expect(taken(read, bytes)).toBe(false)
  })
})

describe('readSafetensors', () => {
  it(`reads back what writeSafetensors wrote, of any names and shapes (${runs / 10} inputs)`, { timeout }, () => {
    const tensors = fc.dictionary(
      fc.string({ unit: 'grapheme', maxLength: 20 }).filter((name) => name !== '__metadata__'),
      fc.array(fc.nat(4), { maxLength: 4 }).map((shape) => {
        const count = shape.reduce((product, size) => product * size, 1)
        return new Tensor(
          Float32Array.from({ length: count }, (_, i) => Math.sin(i + shape.length)),
          shape,
        )
      }),
    )
    const property = fc.property(tensors, (dict) => {
      expect(Object.entries(readSafetensors(writeSafetensors(dict))).sort()).toEqual(Object.entries(dict).sort())
    })
    fc.assert(property, { numRuns: runs / 10 })
  })
})
