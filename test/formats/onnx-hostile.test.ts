/**
 * ONNX files that are made to fill the memory or to take for ever, each read in a process of its own with a small heap: an RNNError or
 * layers come, within the stated bounds. MODEL_FILE_FIGURES=1 prints what each took.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { printed } from '../support/child.ts'
import * as write from '../support/onnx-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'native-rnn-hostile-'))
afterAll(() => rmSync(folder, { recursive: true }))

const { rnn, weights, W } = write.tiny
const MiB = 2 ** 20

/** A message again and again, until there are so many bytes. */
function filled(one: Uint8Array, bytes: number): Uint8Array {
  const all = new Uint8Array(Math.floor(bytes / one.length) * one.length)
  for (let at = 0; at < all.length; at += one.length) all.set(one, at)
  return all
}
const many = (count: number, make: (i: number) => Uint8Array) =>
  write.concat(Array.from({ length: count }, (_, i) => make(i)))
const op = (opType: string, inputs: string[], output: string, attributes: Record<string, write.TestAttribute> = {}) =>
  write.node({ opType, inputs, outputs: [output], attributes })
const ints = (name: string, values: number[]) => write.bytes(5, write.int64Body(name, values))
const scalar = write.initializer('x', { shape: [1], data: [1] })
/** A model with one RNN whose W is what the parts make. */
const makesW = (...parts: Uint8Array[]) => write.model(rnn, weights[1], ...parts)
/** Nested values: each of `depth` doubles the one before. */
const doubled = (depth: number, step: (from: string, to: string, i: number) => Uint8Array) =>
  makesW(
    scalar,
    many(depth, (i) => step(i === 0 ? 'x' : `v${i}`, i === depth - 1 ? 'W' : `v${i + 1}`, i)),
  )
function nested(depth: number): Uint8Array {
  let graph: Uint8Array = write.concat([rnn])
  for (let i = 0; i < depth; i++) {
    graph = op('If', ['c'], 'o', { then_branch: { graph: [graph] } })
  }
  return write.model(graph, ...weights)
}
const tinyW = write.initializer('a', { shape: [1, 1, 1], data: [1] })
const calls = (name: string) => write.nodeBody({ opType: name, domain: 'f', inputs: ['x'], outputs: ['y'] })
const callsIt = (name: string) => write.node({ opType: name, domain: 'f', inputs: ['X'], outputs: ['y'] })
const rnnBody = write.nodeBody({ opType: 'RNN', inputs: ['x', 'w', 'w'], outputs: ['y'] })

const refused = /^The ONNX file cannot be read: /
const files: Record<string, { file: () => Uint8Array; gives?: number; words?: RegExp }> = {
  'empty nodes, 1 MiB': { file: () => write.model(filled(write.message(1, []), MiB)), gives: 0 },
  'empty nodes, 8 MiB': { file: () => write.model(filled(write.message(1, []), 8 * MiB)), gives: 0 },
  'empty nodes around a recurrent one': {
    file: () => write.model(filled(write.message(1, []), 4 * MiB), rnn, ...weights),
    gives: 1,
  },
  'empty tensors': { file: () => write.model(filled(write.message(5, []), 4 * MiB), rnn, ...weights), gives: 1 },
  'nodes of empty attributes': {
    file: () => write.model(filled(write.message(1, [filled(write.message(5, []), 1000)]), 4 * MiB), rnn, ...weights),
    gives: 1,
  },
  'a recurrent node of empty attributes': {
    file: () => write.model(write.message(1, [write.text(4, 'RNN'), filled(write.message(5, []), 4 * MiB)])),
    words: /second attribute/,
  },
  'a recurrent node of empty inputs': {
    file: () => write.model(write.message(1, [write.text(4, 'RNN'), filled(write.text(1, ''), 4 * MiB)])),
    words: /more than 65536 inputs or outputs/,
  },
  'nodes with names of their own': {
    file: () =>
      write.model(
        many(200_000, (i) => write.message(1, [write.text(2, i.toString(36))])),
        rnn,
        ...weights,
      ),
    gives: 1,
  },
  '110,000 tiny layers': {
    file: () =>
      write.model(
        filled(
          write.message(1, [write.text(1, ''), write.text(1, 'a'), write.text(1, 'a'), write.text(4, 'RNN')]),
          2 * MiB,
        ),
        tinyW,
      ),
    words: /its weights are used so often/,
  },
  'layers of one unit that packing pads': {
    file: () =>
      write.model(
        many(64, () => write.node({ opType: 'RNN', inputs: ['X', 'W', 'R'] })),
        write.initializer('W', { shape: [1, 1, 2 ** 17], data: new Float32Array(2 ** 17) }),
        write.initializer('R', { shape: [1, 1, 1], data: [1] }),
      ),
    words: /its weights are used so often/,
  },
  'bodies 30 deep': { file: () => nested(30), gives: 1 },
  'bodies 1,000 deep': { file: () => nested(1000), words: /nest deeper than 40/ },
  'Concat that doubles 60 times': {
    file: () => doubled(60, (from, to) => op('Concat', [from, from], to, { axis: 0 })),
    words: /memory/,
  },
  'Add that uses a value 2^60 times over': {
    file: () => doubled(60, (from, to) => op('Add', [from, from], to)),
    words: /Expected W size|rank|W must|Expected/,
  },
  'Tile to 2^40': {
    file: () => makesW(scalar, ints('n', [2 ** 40]), op('Tile', ['x', 'n'], 'W')),
    words: /2\^31 values or more/,
  },
  'Expand to 2^30': {
    file: () => makesW(scalar, ints('n', [2 ** 30]), op('Expand', ['x', 'n'], 'W')),
    words: /work|memory/,
  },
  'ConstantOfShape of 2^62': {
    file: () => makesW(ints('n', [2 ** 31, 2 ** 31]), op('ConstantOfShape', ['n'], 'W')),
    words: /2\^31 values or more/,
  },
  'a shape of 0 and 2^50': {
    file: () => makesW(ints('n', [2 ** 50, 2 ** 50, 0]), op('ConstantOfShape', ['n'], 'W')),
    words: /input_size must be from 1/,
  },
  'a tensor of 2^28 by 0, moved about': {
    file: () =>
      makesW(
        write.initializer('z', { shape: [2 ** 28, 0], data: [] }),
        op('Transpose', ['z'], 't'),
        op('Concat', ['t', 't'], 'c', { axis: 1 }),
        ints('pads', [0, 0, 0, 0]),
        op('Pad', ['c', 'pads'], 'p'),
        op('ReduceSum', ['p'], 'W', { keepdims: 0 }),
      ),
    words: /Expected W size/,
  },
  'Reshape with products that overflow': {
    file: () => makesW(scalar, ints('n', [2 ** 52, 2 ** 52, -1]), op('Reshape', ['x', 'n'], 'W')),
    words: /cannot become/,
  },
  'Range of 2^53': {
    file: () =>
      makesW(
        ...[0, 2 ** 53, 1].map((value, i) => write.bytes(5, write.int64Body(`r${i}`, [value], []))),
        op('Range', ['r0', 'r1', 'r2'], 'W'),
      ),
    words: /the shape \[9007199254740992\] is not one/,
  },
  'MatMul of 0 by 2^40': {
    file: () =>
      makesW(
        write.initializer('l', { shape: [2 ** 15, 0], data: [] }),
        write.initializer('r', { shape: [0, 2 ** 15], data: [] }),
        op('MatMul', ['l', 'r'], 'W'),
      ),
    words: /work|memory/,
  },
  'MatMul again and again': {
    file: () =>
      makesW(
        write.initializer('m', { shape: [256, 256], data: new Float32Array(65536) }),
        many(10_000, (i) => op('MatMul', [i === 0 ? 'm' : `m${i}`, 'm'], i === 9_999 ? 'W' : `m${i + 1}`)),
      ),
    words: /work|memory/,
  },
  'Split into a million parts': {
    file: () =>
      makesW(
        ints('n', [0]),
        op('ConstantOfShape', ['n'], 'z'),
        write.node({
          opType: 'Split',
          inputs: ['z'],
          outputs: ['W', ...Array.from({ length: 300_000 }, (_, i) => `o${i}`)],
        }),
      ),
    words: /more than 65536 inputs or outputs/,
  },
  'a value used by 50,000 nodes': {
    file: () =>
      makesW(
        write.initializer('v', { shape: [1000], data: new Float32Array(1000) }),
        many(50_000, (i) => op('Neg', ['v'], `n${i}`)),
        write.node({ opType: 'Sum', inputs: Array.from({ length: 50_000 }, (_, i) => `n${i}`), outputs: ['W'] }),
      ),
    words: /memory|work/,
  },
  'a chain of 100,000 nodes': {
    file: () => doubled(100_000, (from, to) => op('Identity', [from], to)),
    words: /a chain of more than 16384 nodes/,
  },
  'a value made of itself': {
    file: () => makesW(op('Neg', ['b'], 'W'), op('Neg', ['W'], 'b')),
    words: /computed from itself/,
  },
  'a function that calls itself': {
    file: () =>
      write.concat([write.model(callsIt('A')), write.modelFunction('f', 'A', ['x'], ['y'], [calls('A'), rnnBody])]),
    words: /calls itself/,
  },
  'a weight of a function that calls itself': {
    file: () =>
      write.concat([
        write.model(write.node({ opType: 'A', domain: 'f', inputs: ['X'], outputs: ['W'] }), rnn, ...weights.slice(1)),
        write.modelFunction('f', 'A', ['x'], ['y'], [calls('A')]),
      ]),
    words: /calls itself/,
  },
  'functions that call the next one twice, 30 times': {
    file: () =>
      write.concat([
        write.model(callsIt('F0')),
        ...Array.from({ length: 30 }, (_, i) =>
          write.modelFunction('f', `F${i}`, ['x'], ['y'], [calls(`F${i + 1}`), calls(`F${i + 1}`)]),
        ),
        write.modelFunction(
          'f',
          'F30',
          ['x'],
          ['y'],
          [
            write.nodeBody({
              opType: 'Constant',
              outputs: ['w'],
              attributes: { value: { tensor: write.tensorBody('', { shape: [1, 1, 1], data: [1] }) } },
            }),
            rnnBody,
          ],
        ),
      ]),
    words: /so often|work/,
  },
  'functions that call the next one twice, without end': {
    file: () =>
      write.concat([
        write.model(callsIt('F0')),
        ...Array.from({ length: 5000 }, (_, i) =>
          write.modelFunction('f', `F${i}`, ['x'], ['y'], [calls(`F${i + 1}`), calls(`F${i + 1}`)]),
        ),
        write.modelFunction('f', 'F5000', ['x'], ['y'], [rnnBody]),
      ]),
    words: /nest deeper than 40/,
  },
  'names of a million letters and line breaks': {
    file: () =>
      write.model(
        write.node({
          opType: 'RNN',
          name: `a\n\u001b[31m${'b'.repeat(MiB)}`,
          inputs: ['X', `W\n${'c'.repeat(MiB)}`, 'R'],
        }),
      ),
    words: /^[^\n]{1,600}$/,
  },
  'floats one field at a time': {
    file: () =>
      makesW(write.message(5, [write.text(8, 'W'), write.integer(2, 1), filled(write.singleFloats(4, [1]), 2 * MiB)])),
    words: /values where the shape/,
  },
  'a shape of a million axes': {
    file: () =>
      makesW(write.message(5, [write.text(8, 'W'), write.integer(2, 1), write.bytes(1, new Uint8Array(MiB).fill(1))])),
    words: /a rank above 32/,
  },
  'opsets by the million': {
    file: () => write.concat([write.model(rnn, ...weights), filled(write.message(8, [write.text(1, '')]), 2 * MiB)]),
    gives: 1,
  },
  'empty functions by the million': {
    file: () => write.concat([write.model(rnn, ...weights), filled(write.message(25, []), 2 * MiB)]),
    words: /second function/,
  },
  'a graph of text': { file: () => write.model(filled(write.text(10, 'a'), MiB), write.initializer('W', W)), gives: 0 },
}

describe.concurrent('files that ask for far more than they have bytes', () => {
  it.each(Object.entries(files))('%s', { timeout: 120_000 }, async (name, { file, gives, words }) => {
    const bytes = file()
    const path = join(folder, `${Object.keys(files).indexOf(name)}.onnx`)
    writeFileSync(path, bytes)
    const program = `
      import { readFileSync } from 'node:fs'
      import { readOnnx, RNN } from 'native-rnn'
      const bytes = readFileSync(${JSON.stringify(path)})
      new RNN(1, 1).dispose()
      let gives, message, code
      const before = process.resourceUsage().maxRSS
      const start = process.cpuUsage()
      try { gives = readOnnx(bytes).length } catch (error) { message = error.message; code = error.code }
      const { user, system } = process.cpuUsage(start)
      const MiB = Math.round((process.resourceUsage().maxRSS - before) / 1024)
      console.log(JSON.stringify({ gives, message, code, MiB, ms: Math.round((user + system) / 1000) }))
    `
    const found = (await printed(program, {}, ['--max-old-space-size=64'])) as Record<string, unknown>
    const size = bytes.length / MiB
    if (process.env.MODEL_FILE_FIGURES) {
      console.log(
        `${name}: ${size.toFixed(2)} MiB, ${found.MiB} MiB more, ${found.ms} ms, ${found.message ?? found.gives}`,
      )
    }
    if (gives === undefined) {
      expect(found.code).toBe('ERR_RNN_MODEL_FILE')
      expect(found.message).toMatch(refused)
      expect(found.message).toMatch(words ?? refused)
    } else expect(found).toMatchObject({ gives })
    // Layers and the values on the way to one have a bound of 64 MiB and 16 times the file each; the rest is the collector's.
    expect(found.MiB).toBeLessThan(64 + 2 * (64 + 16 * size))
  })
})
