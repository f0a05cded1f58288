/**
 * Sizes, windows and numbers that whole models claim and no bytes pay for, on native code and on TypeScript, each in a process of its own with a
 * small heap: an RNNError or results come, within the stated bounds. MODEL_FILE_FIGURES=1 prints what each took.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { printed } from '../support/child.ts'
import { type Declared, modelBackends, modelFile } from '../support/model-files.ts'
import * as write from '../support/onnx-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'native-rnn-hostile-models-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Attributes = Record<string, write.TestAttribute>
const op = (opType: string, inputs: string[], outputs: string[] | string, attributes: Attributes = {}) => ({
  opType,
  inputs,
  outputs: [outputs].flat(),
  attributes,
})
const list = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))
const MiB = 2 ** 20

/** A model x → y of nodes; x has these sizes. */
const of = (
  nodes: readonly write.TestNode[],
  lists: Record<string, number[]> = {},
  shape: Declared['shape'] = [2, 3],
  more: Uint8Array[] = [],
) => modelFile({ nodes, inputs: { x: { shape } }, outputs: { y: {} }, lists, more, opset: 17 })

/** n nodes one after the other, from x to y. */
const chain = (count: number, step: (from: string, to: string) => write.TestNode) =>
  list(count, (i) => step(i === 0 ? 'x' : `v${i}`, i === count - 1 ? 'y' : `v${i + 1}`))

/** Ifs inside each other, on what is only known when it runs. */
function nested(depth: number): write.TestNode[] {
  let body = [write.node(op('Identity', ['x'], 'z')), write.graphOutput('z')]
  for (let i = 0; i < depth; i++) {
    const branches = { then_branch: { graph: body }, else_branch: { graph: body.slice() } }
    body = [write.node(op('If', ['c'], `z${i}`, branches)), write.graphOutput(`z${i}`)]
  }
  const branches = {
    then_branch: { graph: body },
    else_branch: { graph: [write.node(op('Neg', ['x'], 'w')), write.graphOutput('w')] },
  }
  return [
    op('ReduceMax', ['x'], 'm', { keepdims: 0 }),
    op('Cast', ['m'], 'c', { to: 9 }),
    op('If', ['c'], 'y', branches),
  ]
}

const files: Record<string, { file: () => Uint8Array; runs?: true; words?: RegExp }> = {
  'a chain of 5,000 kinds of shape': {
    file: () => of(chain(5000, (from, to) => op('Transpose', [from], to))),
    runs: true,
  },
  'work that doubles 60 times': {
    file: () => of(chain(60, (from, to) => op('Add', [from, from], to))),
    runs: true,
  },
  'Pad by 2^40': {
    file: () => of([op('Pad', ['x', 's'], 'y')], { s: [0, 2 ** 40, 0, 0] }),
    words: /values|memory/,
  },
  'Reshape to a product that overflows': {
    file: () => of([op('Reshape', ['x', 's'], 'y')], { s: [2 ** 32, 2 ** 32, 6] }),
    words: /values|size|reshape/i,
  },
  'a Range without end': {
    file: () =>
      of(
        [op('Range', ['a', 'b', 'c'], 'r'), op('Cast', ['r'], 'f', { to: 1 }), op('Add', ['x', 'f'], 'y')],
        {},
        [1],
        [...['a', 'b', 'c'].map((name, i) => write.bytes(5, write.int64Body(name, [[0, 2 ** 53 - 1, 1][i]], [])))],
      ),
    words: /values|memory|work/,
  },
  'OneHot of 2^40': {
    file: () =>
      of(
        [op('Cast', ['x'], 'i', { to: 7 }), op('OneHot', ['i', 'd', 'v'], 'y')],
        { d: [2 ** 40] },
        [2, 3],
        [write.initializer('v', { shape: [2], data: [0, 1] })],
      ),
    words: /values|memory/,
  },
  'a declared input of 2^62 values': {
    file: () => of([op('Neg', ['x'], 'y')], {}, [2 ** 31, 2 ** 31]),
    words: /values|missing|memory/,
  },
  'Ifs 10 deep, each with two bodies': { file: () => of(nested(10)), runs: true },
  'MatMul with itself 40 times': {
    file: () =>
      of(
        chain(40, (from, to) => op('MatMul', [from, from], to)),
        {},
        [64, 64],
      ),
    runs: true,
  },
  'Conv with pads of 2^30': {
    file: () =>
      of(
        [op('Conv', ['x', 'w'], 'y', { pads: [2 ** 30, 2 ** 30] })],
        {},
        [1, 1, 4],
        [write.initializer('w', { shape: [1, 1, 2], data: [1, 2] })],
      ),
    words: /values|memory|work/,
  },
  'a window of 2^31': {
    file: () => of([op('MaxPool', ['x'], 'y', { kernel_shape: [2 ** 31 - 1] })], {}, [1, 1, 4]),
    words: /window/,
  },
  'ConvTranspose with strides of 2^30': {
    file: () =>
      of(
        [op('ConvTranspose', ['x', 'w'], 'y', { strides: [2 ** 30] })],
        {},
        [1, 1, 4],
        [write.initializer('w', { shape: [1, 1, 2], data: [1, 2] })],
      ),
    words: /values|memory|work/,
  },
  'an axis of 2^62': { file: () => of([op('Softmax', ['x'], 'y', { axis: 2 ** 62 })]), words: /axis/ },
  'names of a million letters': {
    file: () => of([op('Nope', ['x'], 'z\n'.repeat(MiB)), op('Neg', ['z\n'.repeat(MiB)], 'y')]),
    words: /^[^\n]{1,999}$/,
  },
  Loop: {
    file: () => of([op('Loop', ['', '', 'x'], 'y', { body: { graph: [] } })]),
    words: /"Loop", opset 17, is not supported/,
  },
  Scan: {
    file: () => of([op('Scan', ['x'], 'y', { body: { graph: [] } })]),
    words: /"Scan", opset 17, is not supported/,
  },
}

describe.each(modelBackends.filter((name) => name !== 'portable'))(
  'files that ask for far more than they have bytes, on %s',
  (backend) => {
    it.each(Object.entries(files))('%s', { timeout: 120_000 }, async (name, { file, runs, words }) => {
      const bytes = file()
      const path = join(folder, `${backend}-${Object.keys(files).indexOf(name)}.onnx`)
      writeFileSync(path, bytes)
      const program = `
      import { readFileSync } from 'node:fs'
      import { Model } from 'native-rnn'
      const bytes = readFileSync(${JSON.stringify(path)})
      let result, message, code
      const before = process.resourceUsage().maxRSS
      const start = process.cpuUsage()
      try {
        const model = Model.read(bytes, { backend: '${backend}' })
        const [{ shape }] = model.inputs
        const count = shape.reduce((a, b) => a * b, 1)
        const inputs = count > 1e6 ? {} : { x: { data: new Float32Array(count).fill(1), shape } }
        result = Object.keys(model.run(inputs))
      } catch (error) {
        message = error.message
        code = error.code
      }
      const { user, system } = process.cpuUsage(start)
      const MiB = Math.round((process.resourceUsage().maxRSS - before) / 1024)
      console.log(JSON.stringify({ result, message, code, MiB, ms: Math.round((user + system) / 1000) }))
    `
      const found = (await printed(program, {}, ['--max-old-space-size=64'])) as Record<string, unknown>
      const size = bytes.length / MiB
      if (process.env.MODEL_FILE_FIGURES) {
        const end = String(found.message ?? found.result).slice(0, 150)
        console.log(`${backend}, ${name}: ${size.toFixed(2)} MiB, ${found.MiB} MiB more, ${found.ms} ms, ${end}`)
      }
      if (runs) expect(found).toMatchObject({ result: ['y'] })
      else {
        expect(found.code).toMatch(/^ERR_RNN_(MODEL_FILE|SHAPE|OPTION)$/)
        expect(found.message).toMatch(/^[^\n]{1,999}$/)
        expect(found.message).toMatch(words ?? /./)
      }
      expect(found.MiB).toBeLessThan(64 + 2 * (64 + 16 * size))
    })
  },
)
