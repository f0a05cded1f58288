/** Safetensors: what is read and written, and a bad file for each rule that a file can break. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadSafetensors, RNN, readSafetensors, type StateDict, Tensor, writeSafetensors } from 'native-rnn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectError } from '../support/errors.ts'

/** A file of this header, as text, and these bytes after it. */
function file(header: string | object, data: Uint8Array | number = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const body = typeof data === 'number' ? new Uint8Array(data) : data
  const bytes = new Uint8Array(8 + text.length + body.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(body, 8 + text.length)
  return bytes
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})
const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

describe('readSafetensors', () => {
  it('reads float32 in every bit', () => {
    const values = Float32Array.of(1.5, -0, 2 ** -149, Infinity, Number.NaN, 3.4e38)
    const tensors = readSafetensors(file({ x: entry('F32', [2, 3], 0, 24) }, bytesOf(values)))
    expect(tensors.x.shape).toEqual([2, 3])
    expect(bytesOf(tensors.x.data)).toEqual(bytesOf(values))
  })

  it('rounds float64 to float32', () => {
    const values = Float64Array.of(0.1, 1e300, -1e-300, Number.NaN)
    const { x } = readSafetensors(file({ x: entry('F64', [4], 0, 32) }, bytesOf(values)))
    expect(x.toNested()).toEqual([Math.fround(0.1), Infinity, -0, Number.NaN])
  })

  it('widens all 65,536 values of float16', () => {
    const { x } = readSafetensors(
      file({ x: entry('F16', [65536], 0, 131072) }, bytesOf(Uint16Array.from({ length: 65536 }, (_, i) => i))),
    )
    for (let bits = 0; bits < 65536; bits++) {
      const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
      const finite = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25)
      const value = sign * (exponent < 31 ? finite : fraction ? Number.NaN : Infinity)
      if (!Object.is(x.data[bits], value)) expect.fail(`${bits}: ${x.data[bits]} is not ${value}`)
    }
  })

  it('widens bfloat16', () => {
    const { x } = readSafetensors(
      file({ x: entry('BF16', [5], 0, 10) }, bytesOf(Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x8000, 0x0001))),
    )
    expect(x.toNested()).toEqual([1, -2, Infinity, -0, 2 ** -133])
    const nan = readSafetensors(file({ x: entry('BF16', [], 0, 2) }, bytesOf(Uint16Array.of(0x7fc1))))
    expect(nan.x.shape).toEqual([])
    expect(nan.x.data[0]).toBeNaN()
  })

  it('takes tensors in any order, empty ones, metadata, spaces after the header, and unaligned bytes', () => {
    const header = {
      b: entry('F32', [1], 4, 8),
      __metadata__: { format: 'pt' },
      none: entry('F16', [0, 7], 4, 4),
      a: entry('F32', [1], 0, 4),
    }
    const bytes = file(`${JSON.stringify(header)}   \n`, bytesOf(Float32Array.of(1, 2)))
    for (let offset = 0; offset < 8; offset++) {
      const shifted = new Uint8Array(bytes.length + 8).subarray(offset, offset + bytes.length)
      shifted.set(bytes)
      const tensors = readSafetensors(shifted)
      expect(Object.keys(tensors)).toEqual(['b', 'none', 'a'])
      expect([tensors.a.toNested(), tensors.b.toNested(), tensors.none.shape]).toEqual([[1], [2], [0, 7]])
    }
    expect(readSafetensors(file('{}'))).toEqual({})
  })

  it('gives copies in a record without prototype', () => {
    const bytes = file(
      { constructor: entry('F32', [1], 0, 4), toString: entry('F32', [1], 4, 8) },
      bytesOf(Float32Array.of(1, 2)),
    )
    const tensors = readSafetensors(bytes)
    bytes.fill(0)
    expect(Object.getPrototypeOf(tensors)).toBe(null)
    expect(Object.values(tensors).map((tensor) => tensor.toNested())).toEqual([[1], [2]])
    const proto = readSafetensors(file('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4))
    expect(Object.keys(proto)).toEqual(['__proto__'])
  })

  const one = entry('F32', [1], 0, 4)
  const claim = (length: bigint, size = 16) => {
    const bytes = new Uint8Array(size)
    new DataView(bytes.buffer).setBigUint64(0, length, true)
    return bytes
  }

  it.each<[string, Uint8Array, string]>([
    ['nothing at all', new Uint8Array(0), 'it has 0 bytes'],
    ['fewer bytes than the header’s length takes', new Uint8Array(7), 'it has 7 bytes'],
    ['a header longer than the file', claim(9n), 'its header claims 9 bytes, and only 8 follow'],
    [
      'a header longer than 16 MiB',
      claim(2n ** 24n + 1n),
      'its header claims 16777217 bytes; at most 16777216 are taken',
    ],
    ['a header of 2^64 − 1 bytes', claim(2n ** 64n - 1n), 'its header claims 18446744073709551615 bytes'],
    ['an empty header', claim(0n, 8), "does not begin with '{'"],
    ['a header that is an array', file('[]'), "does not begin with '{'"],
    ['a header that begins with a space', file(' {}'), "does not begin with '{'"],
    ['a byte order mark', file('\ufeff{}'), "does not begin with '{'"],
    ['a header that is no UTF-8', file('{}').fill(0xff, 9, 10), 'no valid JSON in UTF-8'],
    ['a header cut short', file('{"a":'), 'no valid JSON in UTF-8: a value is expected at character 5'],
    ['something after the header’s end', file('{}{}'), 'the text goes on after its end at character 2'],
    ['a comma too many', file('{"a":1,}'), 'a string is expected at character 7'],
    ['a missing colon', file('{"a" 1}'), "':' is expected at character 5"],
    ['a string without end', file('{"a'), 'a string has no end'],
    ['a bad escape', file('{"\\x":1}'), 'no valid JSON in UTF-8'],
    ['a bad number', file('{"a":01}'), "',' or '}' is expected at character 6"],
    ['NaN', file('{"a":NaN}'), 'a value is expected'],
    ['nesting without end', file(`{"a":${'['.repeat(100)}`), 'nesting is too deep'],
    [
      'a duplicate name',
      file(`{"a":${JSON.stringify(one)},"a":${JSON.stringify(one)}}`, 4),
      'the key "a" stands twice',
    ],
    [
      'a duplicate name, spelt otherwise',
      file(`{"a":${JSON.stringify(one)},"\\u0061":${JSON.stringify(one)}}`, 4),
      'the key "a" stands twice',
    ],
    [
      'a duplicate field',
      file('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      'the key "dtype" stands twice',
    ],
    ['metadata that are no texts', file({ __metadata__: { a: 1 } }), '__metadata__ must be an object of strings'],
    ['metadata that are no object', file({ __metadata__: 'a' }), '__metadata__ must be an object of strings'],
    ['an entry that is no object', file({ a: 5 }), '"a" must be an object with dtype, shape and data_offsets'],
    ['an entry that is null', file({ a: null }), '"a" must be an object'],
    ['no dtype', file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), '"a" has dtype undefined'],
    [
      'an unknown dtype',
      file({ a: entry('F8_E4M3', [4], 0, 4) }, 4),
      '"a" has dtype "F8_E4M3"; F32, F16, BF16 and F64 are supported',
    ],
    ['a dtype of integers', file({ a: entry('I64', [1], 0, 8) }, 8), '"a" has dtype "I64"'],
    ['a dtype that objects have', file({ a: entry('constructor', [1], 0, 4) }, 4), '"a" has dtype "constructor"'],
    ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), '"a" must have a shape'],
    ['a negative size', file({ a: entry('F32', [-1], 0, 4) }, 4), '"a" must have a shape of integers of at least 0'],
    ['a size with a fraction', file({ a: entry('F32', [1.5], 0, 4) }, 4), '"a" must have a shape'],
    ['a size that is a text', file({ a: entry('F32', ['1'], 0, 4) }, 4), '"a" must have a shape'],
    [
      'a size past 2^53',
      file('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}', 4),
      '"a" must have a shape',
    ],
    [
      '33 axes',
      file({ a: entry('F32', new Array(33).fill(1), 0, 4) }, 4),
      '"a" must have a shape of integers of at least 0, at most 32',
    ],
    ['a product that overflows', file({ a: entry('F32', [2 ** 40, 2 ** 40], 0, 4) }, 4), 'takes 4.'],
    [
      'a product that overflows to zero in 64 bits',
      file({ a: entry('F32', [2 ** 32, 2 ** 32], 0, 0) }),
      '"a" of dtype F32',
    ],
    ['no offsets', file({ a: { dtype: 'F32', shape: [1] } }, 4), '"a" must have two data_offsets'],
    ['one offset', file({ a: { dtype: 'F32', shape: [1], data_offsets: [4] } }, 4), '"a" must have two data_offsets'],
    [
      'a negative offset',
      file({ a: entry('F32', [1], -4, 0) }, 4),
      '"a" must have two data_offsets, integers of at least 0',
    ],
    ['offsets backwards', file({ a: entry('F32', [1], 4, 0) }, 4), '"a" lies at bytes 4 to 0 of 4'],
    ['an end past the file', file({ a: entry('F32', [2], 0, 8) }, 4), '"a" lies at bytes 0 to 8 of 4'],
    [
      'fewer bytes than the shape takes',
      file({ a: entry('F32', [2], 0, 4) }, 4),
      '"a" of dtype F32 and shape [2] takes 8 bytes, and its data_offsets span 4',
    ],
    [
      'more bytes than the shape takes',
      file({ a: entry('F16', [1], 0, 4) }, 4),
      '"a" of dtype F16 and shape [1] takes 2 bytes, and its data_offsets span 4',
    ],
    [
      'a hole before the first',
      file({ a: entry('F32', [1], 4, 8) }, 8),
      '4 bytes between the header and "a" belong to no tensor',
    ],
    [
      'a hole between two',
      file({ a: one, b: entry('F32', [1], 8, 12) }, 12),
      '4 bytes between "a" and "b" belong to no tensor',
    ],
    ['an overlap', file({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) }, 8), '"b" overlaps "a" by 4 bytes'],
    ['the same bytes twice', file({ a: one, b: one }, 4), '"b" overlaps "a" by 4 bytes'],
    [
      'an empty tensor inside another',
      file({ a: entry('F32', [2], 0, 8), b: entry('F32', [0], 4, 4) }, 8),
      '"b" overlaps "a"',
    ],
    ['bytes after the last', file({ a: one }, 9), '5 bytes after "a" belong to no tensor'],
    ['bytes and no tensors', file('{}', 1), '1 bytes after the header belong to no tensor'],
  ])('refuses %s', (_, bytes, words) => {
    const { message } = expectError(() => readSafetensors(bytes), 'ERR_RNN_MODEL_FILE', words)
    expect(message).toMatch(/^the safetensors file is damaged or not supported: /)
  })

  it.each([undefined, null, 'path.safetensors', [1], new ArrayBuffer(8), new Float32Array(2)])(
    'refuses what is no Uint8Array: %#',
    (wrong) => {
      const words = 'bytes must be a Uint8Array with the whole file, got'
      expectError(() => readSafetensors(wrong as unknown as Uint8Array), 'ERR_RNN_MODEL_FILE', words)
    },
  )

  it('refuses a header of 16 MiB of one string without falling over', () => {
    const bytes = file(`{"${'\\\\'.repeat(4_000_000)}":1}`)
    const { message } = expectError(() => readSafetensors(bytes), 'ERR_RNN_MODEL_FILE', 'must be an object')
    expect(message.length).toBeLessThan(400)
  })
})

describe('writeSafetensors', () => {
  it('writes what readSafetensors reads, names and bits', () => {
    const dict = {
      ...new RNN(3, 5, { seed: 1, numLayers: 2 }).stateDict(),
      'ключ "é"\n': new Tensor(Float32Array.of(-0, Number.NaN), [2, 1]),
    }
    const back = readSafetensors(writeSafetensors(dict))
    expect(Object.keys(back)).toEqual(Object.keys(dict))
    expect({ ...back }).toEqual(dict)
  })

  it('aligns the values to 8 bytes and keeps the metadata', () => {
    const bytes = writeSafetensors({ a: [[1, 2]], empty: [] }, { format: 'pt', note: 'ü' })
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString())
    expect(header).toEqual({
      __metadata__: { format: 'pt', note: 'ü' },
      a: entry('F32', [1, 2], 0, 8),
      empty: entry('F32', [0], 8, 8),
    })
    expect(Object.keys(readSafetensors(bytes))).toEqual(['a', 'empty'])
  })

  it('copies the values out of views', () => {
    const data = Float32Array.of(0, 1, 2, 3).subarray(1, 3)
    expect(readSafetensors(writeSafetensors({ a: { data, dims: [2] } })).a.toNested()).toEqual([1, 2])
  })

  it.each<[unknown, unknown, 'ERR_RNN_SHAPE' | 'ERR_RNN_OPTION' | 'ERR_RNN_STATE_DICT', string]>([
    [{ a: 'x' }, undefined, 'ERR_RNN_SHAPE', 'a must be a Tensor'],
    [{ a: [[1], [1, 2]] }, undefined, 'ERR_RNN_SHAPE', 'a[1] must be an array of length 1'],
    [null, undefined, 'ERR_RNN_STATE_DICT', 'a state dict must be an object of tensors by name, got null'],
    [[1], undefined, 'ERR_RNN_STATE_DICT', 'got an array of length 1'],
    [{ __metadata__: [1] }, undefined, 'ERR_RNN_STATE_DICT', 'no tensor can have the name __metadata__'],
    [{}, { a: 1 }, 'ERR_RNN_OPTION', 'metadata.a must be a string, got 1'],
    [{}, 'text', 'ERR_RNN_OPTION', 'metadata must be an object of strings, got "text"'],
    [{}, null, 'ERR_RNN_OPTION', 'metadata must be an object of strings, got null'],
  ])('refuses %j', (dict, metadata, code, words) => {
    expectError(() => writeSafetensors(dict as StateDict, metadata as Record<string, string>), code, words)
  })
})

describe('loadSafetensors', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'native-rnn-'))
    await writeFile(join(folder, 'good.safetensors'), writeSafetensors({ a: [1, 2] }))
    await writeFile(join(folder, 'bad.safetensors'), file({ a: 5 }))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('reads a path or a file URL', async () => {
    const path = join(folder, 'good.safetensors')
    for (const place of [path, pathToFileURL(path)]) {
      expect((await loadSafetensors(place)).a.toNested()).toEqual([1, 2])
    }
  })

  it('names the path of a bad file, and lets errors of the file system pass', async () => {
    const path = join(folder, 'bad.safetensors')
    await expect(loadSafetensors(path)).rejects.toMatchObject({
      code: 'ERR_RNN_MODEL_FILE',
      message: `${path}: the safetensors file is damaged or not supported: "a" must be an object with dtype, shape and data_offsets`,
    })
    await expect(loadSafetensors(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(loadSafetensors(5 as unknown as string)).rejects.toMatchObject({
      code: 'ERR_RNN_OPTION',
      message: 'path must be a string or a URL, got 5',
    })
  })
})
