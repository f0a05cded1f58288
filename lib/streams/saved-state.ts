/** The bytes of a stream's saved state: written here, and read back with suspicion. */
import { Buffer } from 'node:buffer'
import type { NetworkRef } from '../calls/network-ref.ts'
import { describe, fail } from '../errors.ts'
import { sha256 } from '../hash.ts'
import { bytesIn, setBytes, viewOfBytes } from '../intrinsics/captured.ts'
import { typedArrayName } from '../intrinsics/typed-arrays.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { type NetworkSpec, outputSizeOf } from '../spec/spec.ts'
import { fromLittleEndian, littleEndian } from '../tensor/bytes.ts'

/** The state of B sequences of a unidirectional network: h (L, B, O), c (L, B, H). */
export interface StreamState {
  readonly batchSize: number
  readonly h: Float32Array
  readonly c?: Float32Array
}

// Layout, little-endian: mark (7 bytes), version (1), batch size (4), fingerprint of the weights (32), h, c, checksum (16 bytes of the
// SHA-256 of all before).
const mark = Buffer.from('nrnnsav', 'latin1')
const newest = 1
const headerBytes = 44
const checksumBytes = 16

/** Writes a state so that {@link decodeState} takes it back for the same weights only, on any backend and machine. */
export function encodeState(ref: NetworkRef, { batchSize, h, c }: StreamState): Uint8Array {
  return sealState(ref.fingerprint(), batchSize, c ? [littleEndian(h), littleEndian(c)] : [littleEndian(h)])
}

/** Bytes of a state with a fingerprint of what it belongs to, and a checksum. */
export function sealState(fingerprint: Uint8Array, batchSize: number, parts: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(headerBytes)
  mark.copy(header)
  header.writeUInt8(newest, 7)
  header.writeUInt32LE(batchSize, 8)
  setBytes(header, fingerprint, 12)
  let end = headerBytes
  for (let i = 0; i < parts.length; i++) end += bytesIn(parts[i])
  const bytes = new Uint8Array(end + checksumBytes)
  setBytes(bytes, header)
  let at = headerBytes
  for (let i = 0; i < parts.length; i++) {
    setBytes(bytes, parts[i], at)
    at += bytesIn(parts[i])
  }
  setBytes(bytes, checksum(viewOfBytes(bytes, 0, end)), end)
  return bytes
}

/** Reads a saved state; throws `ERR_RNN_STATE` for bytes that are damaged, cut, foreign, or of other weights. */
export function decodeState(ref: NetworkRef, given: unknown): StreamState {
  const { batchSize, values } = unsealState(ref.fingerprint(), given, ofWeights)
  return split(ref.spec, batchSize, values)
}

const ofWeights = 'of other weights: it continues only on a layer with the sizes and weights it was made with'

/** The reverse of {@link sealState}; `other` are the words for a fingerprint that does not match. */
export function unsealState(
  fingerprint: Uint8Array,
  given: unknown,
  other: string,
): { batchSize: number; values: Uint8Array } {
  if (typedArrayName(given) !== 'Uint8Array') {
    fail('ERR_RNN_STATE', `bytes must be the Uint8Array that save() gave, got ${describe(given)}`)
  }
  const bytes = Buffer.from(new Uint8Array(given as Uint8Array).buffer)
  if (bytes.length < mark.length || !bytes.subarray(0, mark.length).equals(mark)) {
    fail('ERR_RNN_STATE', `bytes must be what save() gave: these ${bytes.length} bytes do not begin with its mark`)
  }
  const end = bytes.length - checksumBytes
  if (end < headerBytes) fail('ERR_RNN_STATE', `the saved state is cut short: it has only ${bytes.length} bytes`)
  if (bytes[7] !== newest) {
    fail('ERR_RNN_STATE', `the saved state has format version ${bytes[7]}; this version of the package reads ${newest}`)
  }
  if (!bytes.subarray(end).equals(checksum(bytes.subarray(0, end)))) {
    fail('ERR_RNN_STATE', 'the saved state is damaged: its checksum does not match its bytes')
  }
  if (!bytes.subarray(12, headerBytes).equals(fingerprint)) fail('ERR_RNN_STATE', `the saved state is ${other}`)
  return { batchSize: bytes.readUInt32LE(8), values: bytes.subarray(headerBytes, end) }
}

function split(spec: NetworkSpec, batchSize: number, values: Uint8Array): StreamState {
  const hBytes = spec.numLayers * batchSize * outputSizeOf(spec) * 4
  const cBytes = cellTraits[spec.cell].hasCellState ? spec.numLayers * batchSize * spec.hiddenSize * 4 : 0
  if (batchSize < 1 || values.length !== hBytes + cBytes) {
    fail('ERR_RNN_STATE', `the saved state is damaged: ${values.length} bytes of state for batch size ${batchSize}`)
  }
  const h = fromLittleEndian(values.subarray(0, hBytes))
  return { batchSize, h, c: cBytes > 0 ? fromLittleEndian(values.subarray(hBytes)) : undefined }
}

function checksum(bytes: Uint8Array): Uint8Array {
  return sha256([bytes]).subarray(0, checksumBytes)
}
