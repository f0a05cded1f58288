/** Safetensors files: a JSON header of names, types, shapes and offsets, then the values; read with suspicion, written plainly. */

import { describe, fail, failOption, named } from '../errors.ts'
import { isObject } from '../intrinsics/properties.ts'
import { plainBytes } from '../intrinsics/typed-arrays.ts'
import { encodeUtf8 } from '../platform/text.ts'
import { littleEndian } from '../tensor/bytes.ts'
import { readTensor } from '../tensor/read.ts'
import { Tensor } from '../tensor/tensor.ts'
import { checkDict, type StateDict } from '../weights/state-dict.ts'
import { checkBytes, otherKind } from './file-kind.ts'
import { checkPath, readAt } from './files.ts'
import { damaged, type HeaderEntry, metadataKey, mostHeaderBytes, readHeader } from './safetensors-header.ts'
import { dtypes } from './safetensors-types.ts'

const prefixBytes = 8

/**
 * Reads a safetensors file. Every type becomes float32, rounded to nearest, ties to even: F64, F32, F16, BF16, F8_E4M3, F8_E5M2, BOOL
 * (0 and 1), I8 to I64 and U8 to U64. Values are copied, so the bytes need not be kept.
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
  checkBytes(bytes, 'loadSafetensors(path)')
  const file = plainBytes(bytes)
  const { entries, start } = readEntries(file)
  const tensors: Record<string, Tensor> = Object.create(null)
  for (const [name, { dtype, shape, begin, end }] of entries) {
    tensors[name] = new Tensor(dtypes[dtype].decode(file.subarray(start + begin, start + end)), shape)
  }
  return tensors
}

/**
 * Reads a safetensors file from disk, or in a page from a server, see {@link readSafetensors}.
 *
 * @param path of the file; where there are no files, a URL or what `fetch` makes one of
 *
 * @throws RNNError `ERR_RNN_MODEL_FILE` with the path; errors of the file system and of the network pass as they are
 */
export async function loadSafetensors(path: string | URL): Promise<Record<string, Tensor>> {
  checkPath(path, 'readSafetensors')
  return readAt(path, readSafetensors)
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
  const text = encodeUtf8(JSON.stringify(header))
  // Values begin at a multiple of 8, so that readers can map them in place.
  const padded = Math.ceil(text.length / 8) * 8
  if (padded > mostHeaderBytes)
    failOption(`the header would take ${padded} bytes; at most ${mostHeaderBytes} are possible`)
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
  if (!isObject(metadata) || Array.isArray(metadata)) {
    failOption(`metadata must be an object of strings, got ${describe(metadata)}`)
  }
  const texts: Record<string, string> = Object.create(null)
  for (const name of Object.keys(metadata)) {
    const text = (metadata as Record<string, unknown>)[name]
    if (typeof text !== 'string') failOption(`metadata.${named(name)} must be a string, got ${describe(text)}`)
    texts[name] = text
  }
  return texts
}

/** Finds the header, and checks its length before anything is made of it; then that its tensors lie side by side and fill the file. */
function readEntries(file: Uint8Array): { entries: Map<string, HeaderEntry>; start: number } {
  const kind = file.length === 0 ? undefined : otherKind(file, 'safetensors')
  if (kind !== undefined) damaged(`it is ${kind}`)
  if (file.length < prefixBytes)
    damaged(`it has ${file.length} bytes, and the header's length alone takes ${prefixBytes}`)
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)
  if (length > mostHeaderBytes) damaged(`its header claims ${length} bytes; at most ${mostHeaderBytes} are taken`)
  const start = prefixBytes + Number(length)
  if (start > file.length) damaged(`its header claims ${length} bytes, and only ${file.length - prefixBytes} follow`)
  const text = file.subarray(prefixBytes, start)
  if (text[0] !== 0x7b) damaged("its header does not begin with '{'")
  const entries = readHeader(text, file.length - start)
  checkNeighbours(entries, file.length - start)
  return { entries, start }
}

function checkNeighbours(entries: Map<string, HeaderEntry>, dataBytes: number): void {
  let end = 0
  let before: string | undefined
  const said = (key: string | undefined) => (key === undefined ? 'the header' : describe(key))
  for (const [key, entry] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin > end)
      damaged(`${entry.begin - end} bytes between ${said(before)} and ${said(key)} belong to no tensor`)
    if (entry.begin < end) damaged(`${said(key)} overlaps ${said(before)} by ${end - entry.begin} bytes`)
    end = entry.end
    before = key
  }
  if (end !== dataBytes) damaged(`${dataBytes - end} bytes after ${said(before)} belong to no tensor`)
}
