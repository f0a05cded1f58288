/** Safetensors files: a JSON header of names, types, shapes and offsets, then the values; read with suspicion, written plainly. */

import { Buffer } from 'node:buffer'
import { describe, fail, list, named, RNNError } from '../errors.ts'
import { trueLength, typedArrayName } from '../intrinsics/typed-arrays.ts'
import { decodeUtf8 } from '../runtime.ts'
import { fromLittleEndian, littleEndian } from '../tensor/bytes.ts'
import { readTensor } from '../tensor/read.ts'
import { elements } from '../tensor/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { checkDict, type StateDict } from '../weights/state-dict.ts'
import { bfloat16ToNumber, halfToNumber } from './float16.ts'
import { type Json, parseJson } from './json.ts'

const mostHeaderBytes = 16 * 2 ** 20
const prefixBytes = 8
const metadataKey = '__metadata__'
const mostAxes = 32

type Decode = (bytes: Uint8Array) => Float32Array

/** The types that become float32, with the bytes of one value. */
const types: Readonly<Record<string, { readonly bytes: number; readonly decode: Decode }>> = {
  __proto__: null as never,
  F32: { bytes: 4, decode: fromLittleEndian },
  F16: { bytes: 2, decode: (bytes) => convert(bytes, 2, (view, at) => halfToNumber(view.getUint16(at, true))) },
  BF16: { bytes: 2, decode: (bytes) => convert(bytes, 2, (view, at) => bfloat16ToNumber(view.getUint16(at, true))) },
  F64: { bytes: 8, decode: (bytes) => convert(bytes, 8, (view, at) => view.getFloat64(at, true)) },
}

/**
 * Reads a safetensors file. Types F32, F16, BF16 and F64 become float32; values are copied, so the bytes need not be kept.
 *
 * Source: https://github.com/huggingface/safetensors, format of the README.
 *
 * @param bytes the whole file
 * @returns tensors by name, in a record without prototype
 * @throws RNNError `ERR_RNN_MODEL_FILE` saying what is damaged or not supported, and where
 * @example
 * const rnn = RNN.fromStateDict(readSafetensors(await readFile('rnn.safetensors')))
 */
export function readSafetensors(bytes: Uint8Array): Record<string, Tensor> {
  if (typedArrayName(bytes) !== 'Uint8Array') {
    fail('ERR_RNN_MODEL_FILE', `bytes must be a Uint8Array with the whole file, got ${describe(bytes)}`)
  }
  // A detached buffer has no bytes, and no view can be made of it.
  const length = trueLength(bytes)
  const file = length === 0 ? Buffer.alloc(0) : Buffer.from(bytes.buffer, bytes.byteOffset, length)
  const { header, start } = readHeader(file)
  const entries = readEntries(header, file.length - start)
  const tensors: Record<string, Tensor> = Object.create(null)
  for (const { name, type, shape, begin, end } of entries) {
    tensors[name] = new Tensor(types[type].decode(file.subarray(start + begin, start + end)), shape)
  }
  return tensors
}

/**
 * Reads a safetensors file from disk, see {@link readSafetensors}.
 *
 * @throws RNNError `ERR_RNN_MODEL_FILE` with the path; errors of the file system pass as they are
 */
export async function loadSafetensors(path: string | URL): Promise<Record<string, Tensor>> {
  if (typeof path !== 'string' && !(typeof URL === 'function' && path instanceof URL)) {
    fail('ERR_RNN_OPTION', `path must be a string or a URL, got ${describe(path)}`)
  }
  // Only here, for it takes a millisecond of each program's start.
  const { readFile } = await import('node:fs/promises')
  const bytes = await readFile(path)
  try {
    return readSafetensors(bytes)
  } catch (error) {
    if (!(error instanceof RNNError)) throw error
    throw new RNNError(error.code, `${path}: ${error.message}`, { cause: error })
  }
}

/**
 * Writes tensors as a safetensors file, as F32, in the dict's order.
 *
 * @param dict tensors by name
 * @param metadata texts by name that go into the header
 * @returns the bytes of the file
 * @throws RNNError `ERR_RNN_SHAPE` for a value that is no tensor, `ERR_RNN_OPTION` for metadata that are no texts
 * @example
 * await writeFile('rnn.safetensors', writeSafetensors(rnn.stateDict(), { format: 'pt' }))
 */
export function writeSafetensors(dict: StateDict, metadata?: Record<string, string>): Uint8Array {
  checkDict(dict)
  const header: Record<string, unknown> = Object.create(null)
  if (metadata !== undefined) header[metadataKey] = checkMetadata(metadata)
  const values: Float32Array[] = []
  let end = 0
  for (const name of Object.keys(dict)) {
    if (name === metadataKey)
      fail('ERR_RNN_STATE_DICT', `no tensor can have the name ${metadataKey}: the format reserves it`)
    const { data: given, shape } = readTensor(dict[name], named(name))
    const data = new Float32Array(given)
    const begin = end
    end += data.byteLength
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] }
    values.push(data)
  }
  const text = Buffer.from(JSON.stringify(header))
  // Values begin at a multiple of 8, so that readers can map them in place.
  const padded = Math.ceil(text.length / 8) * 8
  if (padded > mostHeaderBytes)
    fail('ERR_RNN_OPTION', `the header would take ${padded} bytes; at most ${mostHeaderBytes} are possible`)
  const bytes = new Uint8Array(prefixBytes + padded + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(text, prefixBytes)
  bytes.fill(0x20, prefixBytes + text.length, prefixBytes + padded)
  let at = prefixBytes + padded
  for (const data of values) {
    bytes.set(littleEndian(data), at)
    at += data.byteLength
  }
  return bytes
}

function checkMetadata(metadata: unknown): Record<string, string> {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    fail('ERR_RNN_OPTION', `metadata must be an object of strings, got ${describe(metadata)}`)
  }
  const texts: Record<string, string> = Object.create(null)
  for (const name of Object.keys(metadata)) {
    const text = (metadata as Record<string, unknown>)[name]
    if (typeof text !== 'string')
      fail('ERR_RNN_OPTION', `metadata.${named(name)} must be a string, got ${describe(text)}`)
    texts[name] = text
  }
  return texts
}

function damaged(what: string, cause?: unknown): never {
  fail(
    'ERR_RNN_MODEL_FILE',
    `the safetensors file is damaged or not supported: ${what}`,
    cause === undefined ? undefined : { cause },
  )
}

function isRecord(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** All lengths are checked before anything is made of them. */
function readHeader(file: Buffer): { header: { [name: string]: Json }; start: number } {
  if (file.length < prefixBytes)
    damaged(`it has ${file.length} bytes, and the header's length alone takes ${prefixBytes}`)
  // PyTorch's .pt is a zip archive, or, before 1.6, a pickle; what a mistaken name brings most often.
  if (file.readUInt32LE(0) === 0x04034b50)
    damaged('it is a zip archive, as .pt files are; save the weights as safetensors')
  const length = file.readBigUInt64LE(0)
  if (length > mostHeaderBytes) damaged(`its header claims ${length} bytes; at most ${mostHeaderBytes} are taken`)
  const start = prefixBytes + Number(length)
  if (start > file.length) damaged(`its header claims ${length} bytes, and only ${file.length - prefixBytes} follow`)
  const bytes = file.subarray(prefixBytes, start)
  if (bytes[0] !== 0x7b) damaged("its header does not begin with '{'")
  let header: Json
  try {
    header = parseJson(decodeUtf8(bytes))
  } catch (error) {
    if (error instanceof RNNError) throw error
    return damaged(`its header is no valid JSON in UTF-8: ${(error as Error).message}`, error)
  }
  return { header: header as { [name: string]: Json }, start }
}

interface Entry {
  readonly name: string
  readonly type: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

function readEntries(header: { [name: string]: Json }, dataBytes: number): Entry[] {
  const entries: Entry[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name !== metadataKey) entries.push(readEntry(name, value, dataBytes))
    else if (!isRecord(value) || !Object.values(value).every((text) => typeof text === 'string')) {
      damaged(`${metadataKey} must be an object of strings`)
    }
  }
  let end = 0
  let before = 'the header'
  for (const entry of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin > end)
      damaged(`${entry.begin - end} bytes between ${before} and ${describe(entry.name)} belong to no tensor`)
    if (entry.begin < end) damaged(`${describe(entry.name)} overlaps ${before} by ${end - entry.begin} bytes`)
    end = entry.end
    before = describe(entry.name)
  }
  if (end !== dataBytes) damaged(`${dataBytes - end} bytes after ${before} belong to no tensor`)
  return entries
}

function readEntry(key: string, value: Json, dataBytes: number): Entry {
  const name = describe(key)
  if (!isRecord(value)) damaged(`${name} must be an object with dtype, shape and data_offsets`)
  const { dtype, shape, data_offsets: offsets } = value as { [name: string]: Json | undefined }
  if (typeof dtype !== 'string' || !types[dtype]) {
    damaged(`${name} has dtype ${describe(dtype)}; F32, F16, BF16 and F64 are supported`)
  }
  if (!isSizes(shape) || shape.length > mostAxes)
    damaged(`${name} must have a shape of integers of at least 0, at most ${mostAxes}`)
  if (!isSizes(offsets) || offsets.length !== 2) damaged(`${name} must have two data_offsets, integers of at least 0`)
  const [begin, end] = offsets
  if (begin > end || end > dataBytes) {
    damaged(`${name} lies at bytes ${begin} to ${end} of ${dataBytes}`)
  }
  const bytes = elements(shape) * types[dtype].bytes
  if (!Number.isSafeInteger(bytes) || bytes !== end - begin) {
    damaged(
      `${name} of dtype ${dtype} and shape ${list(shape)} takes ${bytes} bytes, and its data_offsets span ${end - begin}`,
    )
  }
  return { name: key, type: dtype, shape, begin, end }
}

function isSizes(value: Json | undefined): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0 && !Object.is(size, -0))
  )
}

/** Bytes may lie unaligned, so they are read through a view. */
function convert(bytes: Uint8Array, size: number, read: (view: DataView, at: number) => number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(bytes.length / size)
  for (let i = 0; i < values.length; i++) values[i] = read(view, i * size)
  return values
}
