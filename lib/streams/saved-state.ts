/** The bytes of a stream's saved state: written here, and read back with suspicion. */
import type { NetworkRef } from '../calls/network-ref.ts'
import { describe, fail } from '../errors.ts'
import { bytesIn, copyBytes, setValues, viewOfBytes } from '../intrinsics/captured.ts'
import { typedArrayName } from '../intrinsics/typed-arrays.ts'
import { sha256 } from '../platform/hash.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { outputSizeOf } from '../spec/spec.ts'
import { fromLittleEndian, littleEndian } from '../tensor/bytes.ts'

/** The state of B sequences of a unidirectional network: h (L, B, O), c (L, B, H). */
export interface StreamState {
  readonly batchSize: number
  readonly h: Float32Array
  readonly c?: Float32Array
}

// Layout, little-endian: mark (7 bytes), version (1), batch size (4), fingerprint of the weights (32), h, c, checksum (16 bytes of the
// SHA-256 of all before).
const mark = new Uint8Array([0x6e, 0x72, 0x6e, 0x6e, 0x73, 0x61, 0x76])
const versionAt = 7
const batchSizeAt = 8
const fingerprintAt = 12
const newest = 1
const headerBytes = 44
const checksumBytes = 16

/** Writes a state so that {@link decodeState} takes it back for the same weights only, on any backend and machine. */
export function encodeState(ref: NetworkRef, { batchSize, h, c }: StreamState): Uint8Array {
  return sealState(ref.fingerprint(), batchSize, c ? [h, c] : [h])
}

type Values = Parameters<typeof littleEndian>[0]

/** Bytes of a state with a fingerprint of what it belongs to, and a checksum; {@link unsealState} takes them back. */
export function sealState(fingerprint: Uint8Array, batchSize: number, parts: readonly Values[]): Uint8Array {
  let end = headerBytes
  for (let i = 0; i < parts.length; i++) end += bytesIn(parts[i])
  const bytes = new Uint8Array(end + checksumBytes)
  setValues(bytes, mark)
  bytes[versionAt] = newest
  for (let i = 0; i < 4; i++) bytes[batchSizeAt + i] = batchSize >>> (8 * i)
  setValues(bytes, fingerprint, fingerprintAt)
  let at = headerBytes
  for (let i = 0; i < parts.length; i++) {
    setValues(bytes, littleEndian(parts[i]), at)
    at += bytesIn(parts[i])
  }
  setValues(bytes, checksum(viewOfBytes(bytes, 0, end)), end)
  return bytes
}

/** Reads a saved state; throws `ERR_RNN_STATE` for bytes that are damaged, cut, foreign, or of other weights. */
export function decodeState(ref: NetworkRef, given: unknown): StreamState {
  const { batchSize, values } = unsealState(ref.fingerprint(), given, ofWeights)
  const { spec } = ref
  const hBytes = spec.numLayers * batchSize * outputSizeOf(spec) * 4
  const cBytes = cellTraits[spec.cell].hasCellState ? spec.numLayers * batchSize * spec.hiddenSize * 4 : 0
  if (batchSize < 1 || values.length !== hBytes + cBytes) {
    fail('ERR_RNN_STATE', `the saved state is damaged: ${values.length} bytes of state for batch size ${batchSize}`)
  }
  const h = fromLittleEndian(viewOfBytes(values, 0, hBytes))
  return { batchSize, h, c: cBytes > 0 ? fromLittleEndian(viewOfBytes(values, hBytes, cBytes)) : undefined }
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
  const bytes = copyBytes(given as Uint8Array)
  if (!hasAt(bytes, 0, mark)) {
    fail('ERR_RNN_STATE', `bytes must be what save() gave: these ${bytes.length} bytes do not begin with its mark`)
  }
  const end = bytes.length - checksumBytes
  if (end < headerBytes) fail('ERR_RNN_STATE', `the saved state is cut short: it has only ${bytes.length} bytes`)
  const version = bytes[versionAt]
  if (version !== newest) {
    fail('ERR_RNN_STATE', `the saved state has format version ${version}; this version of the package reads ${newest}`)
  }
  if (!hasAt(bytes, end, checksum(viewOfBytes(bytes, 0, end)))) {
    fail('ERR_RNN_STATE', 'the saved state is damaged: its checksum does not match its bytes')
  }
  if (!hasAt(bytes, fingerprintAt, fingerprint)) fail('ERR_RNN_STATE', `the saved state is ${other}`)
  let batchSize = 0
  for (let i = 3; i >= 0; i--) batchSize = batchSize * 256 + bytes[batchSizeAt + i]
  return { batchSize, values: viewOfBytes(bytes, headerBytes, end - headerBytes) }
}

/** Whether the bytes from a place on are these; false where they end before. */
function hasAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}

function checksum(bytes: Uint8Array): Uint8Array {
  return viewOfBytes(sha256([bytes]), 0, checksumBytes)
}
