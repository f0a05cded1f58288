/**
 * Random and damaged model files: whatever the bytes, a reader gives layers and tensors or throws an RNNError, and asks for
 * no more memory than the file could fill. `npm run fuzz:files` is the long form of this file: MODEL_FILE_RUNS inputs a test.
 */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { RNNError, readOnnx, readSafetensors, Tensor, writeSafetensors } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { cases } from '../scripts/conformance.mjs'

const runs = Number(process.env.MODEL_FILE_RUNS ?? 2000)
const timeout = 60_000 + runs * 2

const recorded = (file: string): { model: string }[] =>
  JSON.parse(readFileSync(new URL(`fixtures/onnx/${file}`, import.meta.url), 'utf8'))
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

/** One small damage to a file: `at` and `value` find their place in any length. */
interface Damage {
  kind: 'flip' | 'set' | 'cut' | 'insert' | 'remove' | 'repeat' | 'huge'
  at: number
  value: number
}

const damages = fc.array(
  fc.record<Damage>({
    kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'remove', 'repeat', 'huge'),
    at: fc.nat(0xffff),
    value: fc.nat(255),
  }),
  { minLength: 1, maxLength: 6 },
)

function damaged(file: Uint8Array, list: readonly Damage[]): Uint8Array {
  let bytes = [...file]
  for (const { kind, at, value } of list) {
    const place = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'flip') bytes[place] ^= 1 << (value % 8)
    else if (kind === 'set') bytes[place] = value
    else if (kind === 'cut') bytes = bytes.slice(0, place)
    else if (kind === 'insert') bytes.splice(place, 0, value)
    else if (kind === 'remove') bytes.splice(place, 1 + (value % 16))
    else if (kind === 'repeat') bytes.splice(place, 0, ...bytes.slice(place, place + value))
    // A length or a count near the end of what its bytes can say.
    else bytes.splice(place, 0, ...Array<number>(value % 11).fill(255), value)
  }
  return Uint8Array.from(bytes)
}

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

const readers = [
  { name: 'readOnnx', read: (bytes: Uint8Array) => readOnnx(bytes, { backend: 'typescript' }), files: onnxFiles },
  { name: 'readSafetensors', read: readSafetensors, files: safetensorsFiles },
]

describe.each(readers)('$name', ({ name, read, files }) => {
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

  it(`refuses or takes damaged files (${runs} inputs)`, { timeout }, () => {
    const counts = { taken: 0, refused: 0 }
    const property = fc.property(fc.nat(files.length - 1), damages, (index, list) => {
      counts[taken(read, damaged(files[index], list)) ? 'taken' : 'refused']++
    })
    fc.assert(property, { numRuns: runs })
    if (runs > 2000) console.log(`${name}, damaged files: ${counts.refused} refused, ${counts.taken} taken`)
    expect(counts.refused).toBeGreaterThan(0)
  })

  it(`refuses or takes random bytes (${runs} inputs)`, { timeout }, () => {
    const counts = { taken: 0, refused: 0 }
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      counts[taken(read, bytes) ? 'taken' : 'refused']++
    })
    fc.assert(property, { numRuns: runs })
    if (runs > 2000) console.log(`${name}, random bytes: ${counts.refused} refused, ${counts.taken} taken`)
    expect(counts.refused).toBeGreaterThan(0)
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
