/**
 * Whole models that are made to fill the memory or to take for ever, each read and run in a process of its own with a small heap: an
 * RNNError or a result comes, within the stated bounds. MODEL_FILE_FIGURES=1 prints what each took.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { printed } from '../support/child.ts'
import { modelFile } from '../support/model-files.ts'
import * as write from '../support/onnx-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'native-rnn-models-'))
afterAll(() => rmSync(folder, { recursive: true }))

const MiB = 2 ** 20
const many = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))
const op = (opType: string, inputs: string[], output: string, attributes: write.TestNode['attributes'] = {}) => ({
  opType,
  inputs,
  outputs: [output],
  attributes,
})

/** A model of one value `x`, from which nodes make `y`. */
const made = (nodes: readonly write.TestNode[], more: Partial<Parameters<typeof modelFile>[0]> = {}) =>
  modelFile({ nodes, inputs: { x: { shape: ['n'] } }, outputs: { y: {} }, ...more })
/** Each value made of the one before, the last one `y`. */
const chain = (length: number, step: (from: string, to: string) => write.TestNode, last = 'y') =>
  many(length, (i) => step(i === 0 ? 'x' : `v${i}`, i === length - 1 ? last : `v${i + 1}`))
const doubling = (times: number, last = 'y') =>
  chain(times, (from, to) => op('Concat', [from, from], to, { axis: 0 }), last)

const branches = (then: readonly Uint8Array[], otherwise: readonly Uint8Array[]) => ({
  then_branch: { graph: then },
  else_branch: { graph: otherwise },
})
const call = (name: string, from: string, to: string) =>
  write.nodeBody({ opType: name, domain: 'f', inputs: [from], outputs: [to] })
const functions = (count: number, nodes: (i: number) => Uint8Array[], last: Uint8Array[]) =>
  many(count + 1, (i) => write.modelFunction('f', `F${i}`, ['x'], ['y'], i === count ? last : nodes(i)))

const twice = (i: number) => [call(`F${i + 1}`, 'x', 'a'), call(`F${i + 1}`, 'a', 'y')]
const neg = write.nodeBody(op('Neg', ['x'], 'y'))
const chosen = (i: number) => {
  const body = (output: string) => [write.bytes(1, call(`F${i + 1}`, 'x', output)), write.graphOutput(output)]
  return [
    write.nodeBody(op('ReduceSum', ['x'], 's', { keepdims: 0 })),
    write.nodeBody(op('Cast', ['s'], 'c', { to: 9 })),
    write.nodeBody({ opType: 'If', inputs: ['c'], outputs: ['y'], attributes: branches(body('a'), body('b')) }),
  ]
}

const files: Record<string, { file: () => Uint8Array; gives?: number[]; words?: RegExp }> = {
  'a chain of 12,000 nodes': { file: () => made(chain(12_000, (from, to) => op('Neg', [from], to))), gives: [1] },
  'a chain of 100,000 nodes': {
    file: () => made(chain(100_000, (from, to) => op('Neg', [from], to))),
    words: /a chain of more than 16384 nodes/,
  },
  '50,000 nodes beside each other': {
    file: () =>
      made([
        ...many(50_000, (i) => op('Neg', ['x'], `n${i}`)),
        op(
          'Sum',
          many(50_000, (i) => `n${i}`),
          'y',
        ),
      ]),
    gives: [1],
  },
  'functions that call the next one twice, 30 times': {
    file: () => write.concat([made([{ ...op('F0', ['x'], 'y'), domain: 'f' }]), ...functions(30, twice, [neg])]),
    words: /a chain of more than 16384 nodes/,
  },
  'branches that call the next one twice, 15 times': {
    file: () => write.concat([made([{ ...op('F0', ['x'], 'y'), domain: 'f' }]), ...functions(15, chosen, [neg])]),
    words: /far more (work|memory)/,
  },
  'branches 1,000 deep': {
    file: () => {
      let inner: Uint8Array[] = [write.node(op('Neg', ['x'], 'o')), write.graphOutput('o')]
      for (let i = 0; i < 1000; i++) {
        inner = [
          write.node({ opType: 'If', inputs: ['c'], outputs: ['o'], attributes: branches(inner, inner.slice(0, 0)) }),
          write.graphOutput('o'),
        ]
      }
      return made([
        op('Cast', ['x'], 'c', { to: 9 }),
        { opType: 'If', inputs: ['c'], outputs: ['y'], attributes: branches(inner, inner) },
      ])
    },
    words: /nest deeper than 40/,
  },
  '3,000 choices of a run, one after another': {
    file: () =>
      made(
        chain(3000, (from, to) => ({
          opType: 'If',
          inputs: ['c'],
          outputs: [to],
          attributes: branches([write.graphOutput(from)], [write.node(op('Neg', [from], 'o')), write.graphOutput('o')]),
        })).concat(op('Cast', ['x'], 'c', { to: 9 })),
      ),
    gives: [1],
  },
  'Concat that doubles 40 times': { file: () => made(doubling(40)), words: /far more memory/ },
  'Concat that doubles 29 times': { file: () => made(doubling(29)), words: /far more memory/ },
  'Expand to 2^30': {
    file: () => made([op('Expand', ['x', 'n'], 'y')], { lists: { n: [2 ** 30] } }),
    words: /far more memory/,
  },
  'Tile to 2^62': {
    file: () => made([op('Tile', ['x', 'n'], 'y')], { lists: { n: [2 ** 52] } }),
    words: /is not one|2\^31 values or more/,
  },
  'ConstantOfShape of its own shape, squared': {
    file: () =>
      made([
        ...doubling(22, 'wide'),
        op('Shape', ['wide'], 's'),
        op('Concat', ['s', 's'], 't', { axis: 0 }),
        op('ConstantOfShape', ['t'], 'y'),
      ]),
    words: /2\^31 values or more|memory/,
  },
  'a product of 2^14 by 2^14 with itself': {
    file: () =>
      made([op('Expand', ['x', 'n'], 'wide'), op('MatMul', ['wide', 'wide'], 'y')], {
        lists: { n: [2 ** 14, 2 ** 14] },
      }),
    words: /far more work/,
  },
  'shape arithmetic that never ends': {
    file: () =>
      made(
        [
          op('Shape', ['x'], 's'),
          op('Expand', ['s', 'n'], 'a'),
          ...many(2000, (i) => op('MatMul', [i === 0 ? 'a' : `a${i}`, 'a'], `a${i + 1}`)),
          op('Cast', ['a2000'], 'y', { to: 1 }),
        ],
        { lists: { n: [512, 512] } },
      ),
    words: /far more (work|memory)/,
  },
  'Split into 65,000 parts': {
    file: () =>
      made([
        ...doubling(16, 'wide'),
        { opType: 'Split', inputs: ['wide'], outputs: ['y', ...many(2 ** 16 - 1, (i) => `o${i}`)] },
      ]),
    gives: [1],
  },
  'inputs by the million': {
    file: () => made([op('Neg', ['x'], 'y')], { more: many(300_000, (i) => write.graphInput(`i${i}`)) }),
    words: /has no type|memory/,
  },
  'one input by the million': {
    file: () => made([op('Neg', ['x'], 'y')], { more: many(300_000, () => write.graphInput('x')) }),
    words: /declared twice|a second/,
  },
  'outputs by the million': {
    file: () => made([op('Neg', ['x'], 'y')], { more: many(300_000, (i) => write.graphOutput(`o${i}`)) }),
    words: /has no type|memory/,
  },
  'a value made of itself': {
    file: () => made([op('Neg', ['b'], 'y'), op('Neg', ['y'], 'b')]),
    words: /computed from itself/,
  },
}

describe.concurrent('models that ask for far more than they have bytes', () => {
  it.each(Object.entries(files))('%s', { timeout: 120_000 }, async (name, { file, gives, words }) => {
    const bytes = file()
    const path = join(folder, `${Object.keys(files).indexOf(name)}.onnx`)
    writeFileSync(path, bytes)
    const program = `
      import { readFileSync } from 'node:fs'
      import { Model } from 'native-rnn'
      const bytes = readFileSync(${JSON.stringify(path)})
      let gives, message, code
      const before = process.resourceUsage().maxRSS
      const start = process.cpuUsage()
      try {
        const { y } = Model.read(bytes, { backend: 'typescript' }).run({ x: [1] })
        gives = y.shape
      } catch (error) { message = error.message; code = error.code ?? error.stack }
      const { user, system } = process.cpuUsage(start)
      const MiB = Math.round((process.resourceUsage().maxRSS - before) / 1024)
      console.log(JSON.stringify({ gives, message, code, MiB, ms: Math.round((user + system) / 1000) }))
    `
    const found = (await printed(program, {}, ['--max-old-space-size=256'])) as Record<string, unknown>
    const size = bytes.length / MiB
    if (process.env.MODEL_FILE_FIGURES) {
      const came = found.message ?? `[${found.gives}]`
      console.log(`${name}: ${size.toFixed(2)} MiB, ${found.MiB} MiB more, ${found.ms} ms, ${came}`)
    }
    if (gives === undefined) {
      expect(found.code).toMatch(/^ERR_RNN_(MODEL_FILE|SHAPE)$/)
      expect(found.message).toMatch(words!)
    } else expect(found).toMatchObject({ gives })
    expect(found.ms).toBeLessThan(60_000)
    expect(found.MiB).toBeLessThan(512 + 2 * 16 * size)
  })
})
