/** Safetensors: what is read and written, and a bad file for each rule that a file can break. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadSafetensors, RNN, readSafetensors, type StateDict, Tensor, writeSafetensors } from 'native-rnn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runModule } from '../support/child.ts'
import { expectError } from '../support/errors.ts'

/** A file of this header, as text, and these bytes after it. */
function file(header: string | object, data: Uint8Array | number = 0): Uint8Array {
  const isText = typeof header === 'string' || Buffer.isBuffer(header)
  const text = Buffer.from((isText ? header : JSON.stringify(header)) as string)
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

  const of = (dtype: string, values: ArrayBufferView, count: number) =>
    readSafetensors(file({ x: entry(dtype, [count], 0, values.byteLength) }, bytesOf(values))).x.data

  it('reads integers and booleans, a counter or a mask beside weights', () => {
    const header = {
      'bn.num_batches_tracked': entry('I64', [], 0, 8),
      mask: entry('BOOL', [3], 8, 11),
      weight: entry('F32', [1], 11, 15),
    }
    const bytes = [...bytesOf(BigInt64Array.of(70_000n)), 0, 1, 255, ...bytesOf(Float32Array.of(0.5))]
    const read = readSafetensors(file(header, Uint8Array.from(bytes)))
    expect([...read['bn.num_batches_tracked'].data, ...read.mask.data, ...read.weight.data]).toEqual([
      70_000, 0, 1, 1, 0.5,
    ])
    expect(read['bn.num_batches_tracked'].shape).toEqual([])
    expect(of('I8', Int8Array.of(-128, 127), 2)).toEqual(Float32Array.of(-128, 127))
    expect(of('U8', Uint8Array.of(0, 255), 2)).toEqual(Float32Array.of(0, 255))
    expect(of('I16', Int16Array.of(-32768, 32767), 2)).toEqual(Float32Array.of(-32768, 32767))
    expect(of('U16', Uint16Array.of(65535), 1)).toEqual(Float32Array.of(65535))
    expect(of('I32', Int32Array.of(-(2 ** 31), 16777217, 16777219), 3)).toEqual(
      Float32Array.of(-(2 ** 31), 16777216, 16777220),
    )
    expect(of('U32', Uint32Array.of(2 ** 32 - 1, 2 ** 24 + 3), 2)).toEqual(Float32Array.of(2 ** 32, 2 ** 24 + 4))
  })

  it('rounds integers of 64 bits once, to nearest, ties to even', () => {
    // By halves: what the float below and the one above lie apart, in integers alone.
    const nearest = (value: bigint): number => {
      const size = value < 0n ? -value : value
      const shift = BigInt(Math.max(0, size.toString(2).length - 24))
      const floor = size >> shift
      const rest = 2n * (size - (floor << shift))
      const up = rest > 1n << shift || (rest === 1n << shift && (floor & 1n) === 1n && shift > 0n)
      return Number((floor + (up ? 1n : 0n)) << shift) * (value < 0n ? -1 : 1)
    }
    const bits = [1n, 2n, 3n, 5n, 0x1000001n, 0x1800001n, 0xffffffn, 0x1ffffffn]
    const values: bigint[] = [0n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]
    for (let shift = 0n; shift < 63n; shift++) {
      for (const bit of bits) for (const d of [-1n, 0n, 1n]) values.push((bit << shift) + d, -(bit << shift) + d)
    }
    const signed = values.filter((value) => value === BigInt.asIntN(64, value))
    expect([...of('I64', BigInt64Array.from(signed), signed.length)]).toEqual(signed.map((value) => nearest(value) + 0))
    const unsigned = [
      ...values.filter((value) => value === BigInt.asUintN(64, value)),
      2n ** 64n - 1n,
      2n ** 63n + 2n ** 39n,
    ]
    expect([...of('U64', BigUint64Array.from(unsigned), unsigned.length)]).toEqual(unsigned.map(nearest))
    // Taken as a double first, this one would be rounded to a tie, and then down.
    expect(of('I64', BigInt64Array.of(2n ** 60n + 2n ** 36n + 1n), 1)[0]).toBe(2 ** 60 + 2 ** 37)
  })

  it('widens all values of both kinds of float8', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const [e4m3, e5m2] = ['F8_E4M3', 'F8_E5M2'].map((dtype) => of(dtype, all, 256))
    for (let bits = 0; bits < 256; bits++) {
      const sign = bits >> 7 ? -1 : 1
      const [e4, m3, e5, m2] = [(bits >> 3) & 15, bits & 7, (bits >> 2) & 31, bits & 3]
      const four = e4 === 15 && m3 === 7 ? Number.NaN : sign * (e4 ? (1 + m3 / 8) * 2 ** (e4 - 7) : (m3 / 8) * 2 ** -6)
      const infinite = m2 ? Number.NaN : Infinity
      const five = sign * (e5 === 31 ? infinite : e5 ? (1 + m2 / 4) * 2 ** (e5 - 15) : (m2 / 4) * 2 ** -14)
      if (!Object.is(e4m3[bits], four)) expect.fail(`E4M3 ${bits}: ${e4m3[bits]} is not ${four}`)
      if (!Object.is(e5m2[bits], five)) expect.fail(`E5M2 ${bits}: ${e5m2[bits]} is not ${five}`)
    }
    expect(Math.max(...e4m3.filter(Number.isFinite))).toBe(448)
    expect(Math.max(...e5m2.filter(Number.isFinite))).toBe(57344)
  })

  it('takes metadata that are null, and spaces wherever JSON has them', () => {
    const header =
      ' "__metadata__" : null , "a\\u0062" : { "shape" : [ 1 , 1 ] ,\t"data_offsets":[ 0,4 ],"dtype"\n:\r"F32" } '
    expect(readSafetensors(file(`{${header}}  `, 4))).toEqual({ ab: new Tensor(new Float32Array(1), [1, 1]) })
    const texts = '{"__metadata__":{ "a" : "é\\n" , "a":"" },"n":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}'
    expect(Object.keys(readSafetensors(file(texts, 4)))).toEqual(['n'])
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
    ['a header cut short', file('{"a":'), 'no valid JSON in UTF-8: a value is expected at byte 5'],
    ['something after the header’s end', file('{}{}'), 'the text goes on after its end at byte 2'],
    ['a comma too many', file(`{"a":${JSON.stringify(one)},}`, 4), 'a string is expected at byte 54'],
    ['a missing colon', file('{"a" 1}'), "':' is expected at byte 5"],
    ['a string without end', file('{"a'), 'a string has no end'],
    ['a bad escape', file('{"\\x":1}'), 'no valid JSON in UTF-8'],
    ['a bad number', file('{"a":{"shape":[01]}}'), "',' or ']' is expected at byte 16"],
    ['a control character', file('{"a\n":{}}'), 'a string has a control character at byte 3'],
    ['a name that is no UTF-8', file('{"aa":{}}').fill(0xff, 10, 11), 'a string is no UTF-8'],
    [
      'a surrogate in UTF-8',
      file(Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x7b, 0x7d, 0x7d])),
      'a string is no UTF-8',
    ],
    ['a list without end', file('{"a":{"shape":[1'), "',' or ']' is expected at byte 16"],
    ['an object without end', file('{"a":{"shape":[1]'), "',' or '}' is expected at byte 17"],
    ['no value', file('{"a":}'), 'a value is expected at byte 5'],
    ['NaN', file('{"a":NaN}'), 'a value is expected'],
    [
      'nesting without end',
      file(`{"a":${'['.repeat(100)}`),
      '"a" must be an object with dtype, shape and data_offsets',
    ],
    ['nesting in a shape', file('{"a":{"shape":[[1]]}}'), '"a" must have a shape of integers'],
    [
      'a field of another name',
      file({ a: { ...one, x: 1 } }, 4),
      '"a" has the field "x"; it must be an object with dtype',
    ],
    ['a field that objects have', file('{"a":{"__proto__":{}}}'), '"a" has the field "__proto__"'],
    ['a dtype that is no text', file({ a: { ...one, dtype: 5 } }, 4), '"a" must have a dtype that is a string'],
    ['three offsets', file({ a: { ...one, data_offsets: [0, 4, 4] } }, 4), '"a" must have two data_offsets'],
    ['a size with an exponent', file('{"a":{"shape":[1e2]}}'), '"a" must have a shape'],
    [
      'metadata twice',
      file('{"__metadata__":{},"__metadata__":null}'),
      'the key "__metadata__" stands twice at byte 19',
    ],
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
    ...['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E8M0', 'F8_E4M3FNUZ', 'C64', 'I4', 'f32', ''].map(
      (dtype): [string, Uint8Array, string] => [
        `the dtype ${dtype}`,
        file({ a: entry(dtype, [4], 0, 4) }, 4),
        `"a" has dtype "${dtype}"; F64, F32, F16, BF16, F8_E4M3, F8_E5M2, BOOL, I8 to I64 and U8 to U64 are supported`,
      ],
    ),
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

describe('a file that is no safetensors file', () => {
  const text = (words: string) => Buffer.from(words)
  it.each<[string, Uint8Array, string]>([
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n'),
      'it is a Git LFS pointer, not the file itself: run `git lfs pull`',
    ],
    [
      'an HTML page',
      text('<!DOCTYPE html>\n<html><head><title>404</title>'),
      'it is an HTML page: the download gave a page',
    ],
    ['a zip', text('PK\x03\x04 and so on, up to its directory'), 'it is a zip archive'],
    ['a .pt', text('PK\x03\x04\0\0\0\0 model/data.pkl'), 'it is a PyTorch file (.pt)'],
    ['a pickle', Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x28, 0x58, 1, 0, 0]), 'it is a Python pickle'],
    ['a JSON text', text('{"error": "not found"}'), 'it is a JSON text that begins "{'],
    [
      'an ONNX file',
      Buffer.from([8, 8, 0x12, 7, 0x70, 0x79, 0x74, 0x6f, 0x72, 0x63, 0x68]),
      'it is an ONNX file: Model.load',
    ],
    ['nothing', new Uint8Array(0), 'it has 0 bytes'],
  ])('%s is called what it is', (_, bytes, words) => {
    expectError(() => readSafetensors(bytes), 'ERR_RNN_MODEL_FILE', words)
  })
})

describe('a header of 16 MiB', () => {
  // A heap of 64 MiB beside the file: each of these took up to 1.3 GB.
  const headers = {
    'of nested arrays': "'{\"a\":' + '['.repeat(M - 10)",
    'of many empty arrays': "'{\"a\":[' + '[],'.repeat((M - 20) / 3 | 0) + '0]}'",
    'of many empty objects': "'{\"a\":{\"shape\":[' + '{},'.repeat((M - 40) / 3 | 0) + '0]}}'",
    'of a field with many values': "'{\"a\":{\"x\":[' + '0,'.repeat((M - 40) / 2 | 0) + '0]}}'",
    'of a shape of many axes': "'{\"a\":{\"shape\":[' + '0,'.repeat((M - 40) / 2 | 0) + '0]}}'",
    'of numbers without end': "'{\"a\":{\"shape\":[' + '9'.repeat(M - 40) + ']}}'",
    'of one dtype': '\'{"a":{"dtype":"\' + \'x\'.repeat(M - 40) + \'"}}\'',
    'of one name': "'{\"' + 'é'.repeat((M - 40) / 2) + '\":{}}'",
    'of one name in escapes': "'{\"' + '\\\\u00e9'.repeat((M - 40) / 6 | 0) + '\":{}}'",
    'of metadata': '\'{"__metadata__":{\' + \'"":"",\'.repeat((M - 40) / 6 | 0) + \'"":1}}\'',
    'of spaces': "'{' + ' '.repeat(M - 2) + '!'",
  }
  it.each(Object.entries(headers))('%s is refused in 64 MiB of heap', async (_, header) => {
    const program = `
      import { readSafetensors, RNNError } from 'native-rnn'
      const M = 2 ** 24
      const file = Buffer.alloc(8 + M, 0x20)
      const length = file.write(${header}, 8)
      file.writeBigUInt64LE(BigInt(length))
      let code
      try { readSafetensors(file.subarray(0, 8 + length)) } catch (error) { code = error.code + ' ' + (error.message.length < 400) }
      console.log(code)`
    const { ended, stdout, stderr } = await runModule(program, {}, ['--max-old-space-size=64'])
    expect({ ended, stdout, stderr }).toEqual({ ended: 0, stdout: 'ERR_RNN_MODEL_FILE true\n', stderr: '' })
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
